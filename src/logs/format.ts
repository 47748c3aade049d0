/**
 * Cuts bytes into lines and dresses each: with its time in front, or as an object of JSON. A line that has no end yet is
 * left where it is; of one that is too long a piece is taken, and marked.
 */
import { escapeInto, plainEnd } from './escape.ts';
import { beginOfTorn } from './utf8.ts';
import { type Copy, copyBetween, output } from './workbench.ts';

export interface LineStyle {
  readonly format: 'raw' | 'json';
  readonly timestamps: boolean;
  /** In front of each line that is not JSON. */
  readonly lead: string;
  readonly instance: string;
  readonly run: number;
  readonly stream: 'stdout' | 'stderr';
}

/**
 * Where the next byte stands. `fresh`: at the beginning of a line. `within`: behind a piece of its line that has been
 * marked as such. `bare`: behind the beginning of its line, which is in the file just as it was written.
 */
export type Mood = 'fresh' | 'within' | 'bare';

export interface Job {
  /** Of the wall clock, for all of these lines. */
  readonly timeMs: number;
  readonly mood: Mood;
  /** When there is so much, that is enough; at least one line is dressed. */
  readonly room: number;
  /** Nothing more comes: what has no end is a line too. */
  readonly isEnding: boolean;
}

export interface Dressed {
  /** The first byte that is not dealt with. */
  readonly to: number;
  /** To be used before the next call. */
  readonly output: Buffer;
  readonly mood: Mood;
}

/** A line that is longer is cut into pieces of this length. */
export const PIECE_BYTES = 1024 * 1024;
const NEWLINE = 10;
/** A byte of JSON becomes six at most: `\u0000`. */
const WIDEST = 6;
const CUT = '…';

/** What stands around a text: `[whole or first piece, a later one]`, behind it `[the end of its line, a piece]`. */
interface Frame {
  readonly heads: readonly [Buffer, Buffer];
  readonly tails: readonly [Buffer, Buffer];
}

export class LineFormat {
  readonly style: LineStyle;
  #frame: Frame | null = null;
  #timeMs = Number.NaN;
  #out = output;
  #at = 0;
  #copy: Copy = copyBetween(output, output);

  constructor(style: LineStyle) {
    this.style = style;
  }

  /** The lines in `bytes`, from this one on. */
  dress(bytes: Buffer, from: number, job: Job): Dressed {
    const to = bytes.length;
    const frame = this.#frameAt(job.timeMs);
    let { mood } = job;
    let next = from;
    this.#out = output;
    this.#at = 0;
    this.#copy = copyBetween(bytes, output);
    while (next < to && this.#at < Math.max(1, job.room)) {
      const end = bytes.indexOf(NEWLINE, next);
      const isWhole = end >= 0 && end - next <= PIECE_BYTES;
      const isPiece = !isWhole && to - next > PIECE_BYTES;
      if (!isWhole && !isPiece && !job.isEnding) break;
      const textEnd = isWhole ? end : isPiece ? pieceEnd(bytes, next) : to;
      if (!this.#fits(bytes, textEnd - next)) break;
      this.#put(frame, bytes, next, textEnd, mood, isPiece);
      next = isWhole ? end + 1 : textEnd;
      mood = !isPiece ? 'fresh' : mood === 'bare' ? 'bare' : 'within';
    }
    if (job.isEnding && next === to && mood !== 'fresh') {
      if (mood === 'bare') this.#out[this.#at++] = NEWLINE;
      mood = 'fresh';
    }
    return { to: next, output: this.#out.subarray(0, this.#at), mood };
  }

  #put(frame: Frame, bytes: Buffer, from: number, to: number, mood: Mood, isPiece: boolean): void {
    if (mood === 'bare') {
      this.#text(from, to);
      if (!isPiece) this.#out[this.#at++] = NEWLINE;
      return;
    }
    this.#add(frame.heads[mood === 'within' ? 1 : 0]);
    const plainTo = this.style.format === 'json' ? plainEnd(bytes, from, to) : to;
    this.#text(from, plainTo);
    if (plainTo < to) this.#at = escapeInto(this.#out, this.#at, bytes, plainTo, to);
    this.#add(frame.tails[isPiece ? 1 : 0]);
  }

  #text(from: number, to: number): void {
    this.#copy(from, to, this.#at);
    this.#at += to - from;
  }

  /** What is so short is sooner copied than handed over to be copied. */
  #add(part: Buffer): void {
    const [out, at] = [this.#out, this.#at];
    for (let i = 0; i < part.length; i++) out[at + i] = part[i] ?? 0;
    this.#at = at + part.length;
  }

  /** Only the first line of all is worth a larger buffer: others can wait for their turn. */
  #fits(bytes: Buffer, length: number): boolean {
    const { heads, tails } = this.#frame ?? NO_FRAME;
    const widest = length * (this.style.format === 'json' ? WIDEST : 1);
    const need = widest + heads[1].length + tails[1].length + 1;
    if (this.#at + need <= this.#out.length) return true;
    if (this.#at > 0) return false;
    this.#out = Buffer.allocUnsafe(need);
    this.#copy = copyBetween(bytes, this.#out);
    return true;
  }

  /** The same for all lines of one millisecond. */
  #frameAt(timeMs: number): Frame {
    if (this.#frame === null || timeMs !== this.#timeMs) {
      this.#timeMs = timeMs;
      this.#frame = frameOf(this.style, timeMs);
    }
    return this.#frame;
  }
}

const NOTHING = Buffer.alloc(0);
const NO_FRAME: Frame = { heads: [NOTHING, NOTHING], tails: [NOTHING, NOTHING] };

function frameOf(style: LineStyle, timeMs: number): Frame {
  const { format, timestamps, lead, instance, run, stream } = style;
  const time = new Date(timeMs).toISOString();
  if (format === 'json') {
    const head = bufferOf(`${JSON.stringify({ time, instance, run, stream }).slice(0, -1)},"message":"`);
    return { heads: [head, head], tails: [bufferOf('"}\n'), bufferOf('","partial":true}\n')] };
  }
  const head = `${lead}${timestamps ? `${time} ` : ''}`;
  return { heads: [bufferOf(head), bufferOf(head + CUT)], tails: [bufferOf('\n'), bufferOf(`${CUT}\n`)] };
}

const bufferOf = (text: string): Buffer => Buffer.from(text);

/** So much of a line that is too long that no character is torn. */
const pieceEnd = (bytes: Buffer, from: number): number => beginOfTorn(bytes, from, from + PIECE_BYTES);
