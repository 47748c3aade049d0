/**
 * Reads on in a log that somebody else writes: from a place, through its rotated files to the one that is written now,
 * also when that is rotated, cut short or replaced meanwhile. In bounded memory, and no faster than it is asked.
 */
import { readSync, statSync } from 'node:fs';
import type { Begin, Mark } from './begin.ts';
import { type Cut, Cutter } from './cutter.ts';
import { Folders, isSame, piecesOf, successorOf } from './generations.ts';
import { type Piece, Plain } from './piece.ts';
import type { Sieve } from './scan.ts';
import { timeOf } from './time.ts';

export interface Line {
  /** Without its newline. */
  readonly bytes: Buffer;
  /** When it was written, by what it says, or else by what came before it; in milliseconds since 1970. */
  readonly time: number;
  /** More of it comes with the next one. */
  readonly isTorn: boolean;
  /** It began with the one before. */
  readonly isRest: boolean;
}

/** Nothing whole for now; or it is on its way, and `arrival` says when. */
export type Next = Line | 'nothing' | 'later';

export interface ReaderOptions {
  readonly path: string;
  readonly begin: Begin;
  /** Goes on where the log ended when it was begun. */
  readonly follow: boolean;
  /** What is written half when the daemon dies is cut off and written again by the next one. */
  readonly isRewritten?: boolean;
  /** Lines later than this end it. */
  readonly until?: number | null;
  readonly sieve?: Sieve | null;
  /** Whether anybody needs to know when lines were written: that costs a look into each. */
  readonly isTimed: boolean;
  /** Files were taken away before they were read. */
  readonly missed?: () => void;
}

/** So much of a file's beginning tells whether it is still the same text. */
const HEAD_BYTES = 64;

export class Reader {
  readonly path: string;
  readonly #options: ReaderOptions;
  readonly #end: Mark | null;
  #piece: Piece | null;
  #head: Buffer | null = null;
  #offset: number;
  #cutter = new Cutter();
  #time: number | null;
  #lines: Line[] = [];
  #next = 0;
  #isOver = false;

  constructor(options: ReaderOptions) {
    const { path, begin, follow } = options;
    this.path = path;
    this.#options = options;
    this.#piece = begin.piece;
    this.#offset = begin.offset;
    this.#time = begin.time;
    this.#end = follow ? null : begin.end;
    this.#isOver = !follow && begin.piece === null;
  }

  /** The next line; it may be called again at any time after it has said that there is none. */
  next(): Next {
    for (;;) {
      const line = this.#lines[this.#next];
      if (line !== undefined) {
        this.#next += 1;
        return line;
      }
      const found = this.#isOver ? 'nothing' : this.#readOn();
      if (found !== 'more') return found;
    }
  }

  /** What nobody has ended yet, for whoever does not wait for it any longer. */
  rest(): Line | null {
    this.#take(this.#cutter.rest());
    const line = this.#lines[this.#next];
    if (line !== undefined) this.#next += 1;
    return line ?? null;
  }

  arrival = (): Promise<void> => this.#piece?.arrival() ?? Promise.resolve();

  close(): void {
    this.#piece?.close();
    this.#piece = null;
    this.#isOver = true;
  }

  #readOn(): 'more' | 'nothing' | 'later' {
    this.#piece ??= this.#first();
    if (this.#piece === null) return 'nothing';
    if (this.#isAtEnd(this.#piece)) return this.#stop();
    const chunk = this.#piece.read(this.#offset);
    if (Buffer.isBuffer(chunk)) return this.#takeChunk(this.#piece, chunk);
    if (chunk === 'later') return 'later';
    if (this.#end !== null && isSame(this.#end, this.#piece)) return this.#stop(); // it was cut short
    return this.#goOn(this.#piece);
  }

  /** There was nothing at all before: what there is now is read from the oldest file on. */
  #first(): Piece | null {
    this.#begin(0);
    let oldest: Piece | null = null;
    for (const piece of piecesOf(this.path, new Folders())) {
      oldest?.close();
      oldest = piece;
    }
    return oldest;
  }

  #isAtEnd(piece: Piece): boolean {
    return this.#end !== null && isSame(this.#end, piece) && this.#offset >= this.#end.offset;
  }

  #stop(): 'nothing' {
    this.#isOver = true;
    return 'nothing';
  }

  #takeChunk(piece: Piece, chunk: Buffer): 'more' {
    const end = this.#end !== null && isSame(this.#end, piece) ? this.#end.offset : Number.POSITIVE_INFINITY;
    const part = chunk.subarray(0, end - this.#offset);
    if (piece instanceof Plain && (this.#head?.length ?? 0) < HEAD_BYTES) this.#head = headOf(piece);
    this.#offset += part.length;
    this.#take(this.#cutter.push(part));
    return 'more';
  }

  /** There is no more in this file; there may be in another. */
  #goOn(piece: Piece): 'more' | 'nothing' {
    if (piece instanceof Plain) {
      if (this.#isCutShort(piece)) return this.#beginAgain();
      const now = statSync(this.path, { throwIfNoEntry: false });
      if (now === undefined || isSame(now, piece)) return 'nothing';
    }
    const next = successorOf(piece, this.path);
    if (next === null) return 'nothing';
    // As long as nothing is in it, whoever writes may not have found out that it is there.
    const isAwaited =
      next.piece instanceof Plain && next.piece.stats().size === 0 && next.piece.path === this.path;
    const last = isAwaited ? 'nothing' : piece.read(this.#offset);
    if (isAwaited || Buffer.isBuffer(last)) next.piece.close();
    if (Buffer.isBuffer(last)) return this.#takeChunk(piece, last);
    if (isAwaited) return 'nothing';
    this.#piece = next.piece;
    piece.close();
    if (next.isStrange) this.#take(this.#cutter.rest());
    if (next.isGap) this.#options.missed?.();
    this.#begin(0);
    return 'more';
  }

  #begin(offset: number): void {
    this.#offset = offset;
    this.#head = null;
  }

  /** Not where the same text only has to be written again: nothing is read twice then. */
  #isCutShort(piece: Plain): boolean {
    const { size } = piece.stats();
    if (size >= this.#offset) return false;
    if (this.#options.isRewritten !== true || size === 0) return true;
    const before = this.#head;
    return before === null || !headOf(piece).equals(before.subarray(0, size));
  }

  #beginAgain(): 'more' {
    this.#take(this.#cutter.rest());
    this.#begin(0);
    return 'more';
  }

  #take(cuts: readonly Cut[]): void {
    const { isTimed, sieve = null, until = null } = this.#options;
    const meant = sieve?.(cuts.map(({ bytes }) => bytes));
    const times = isTimed ? cuts.map(({ bytes, isRest }) => (isRest ? null : timeOf(bytes))) : [];
    this.#time ??= times.find((time) => time !== null) ?? null;
    const date = this.#time ?? this.#date();
    const kept: Line[] = [];
    for (const [index, { bytes, isTorn, isRest }] of cuts.entries()) {
      const own = times[index] ?? null;
      if (own !== null && until !== null && own > until) {
        this.#isOver = true;
        break;
      }
      this.#time = own ?? this.#time;
      if (meant?.[index] ?? true) kept.push({ bytes, time: this.#time ?? date, isTorn, isRest });
    }
    this.#lines = this.#next < this.#lines.length ? [...this.#lines.slice(this.#next), ...kept] : kept;
    this.#next = 0;
  }

  /** Of lines that say nothing, and that none has come before which does. */
  #date(): number {
    return this.#options.isTimed ? (this.#piece?.stats().mtimeMs ?? 0) : 0;
  }
}

function headOf({ descriptor }: Plain): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  return head.subarray(0, readSync(descriptor, head, 0, HEAD_BYTES, 0));
}
