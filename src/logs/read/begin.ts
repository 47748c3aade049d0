/** Where the reading of a log begins, and where it ends: found from its end, so that a large one costs no more. */
import { Cutter } from './cutter.ts';
import { type Folders, isSame, piecesOf } from './generations.ts';
import { openPiece, type Piece, Plain } from './piece.ts';
import { firstAt, hasTimes, lastLines, type Sieve, timeAfter, timeBefore } from './scan.ts';
import { timeOf } from './time.ts';

export interface Wish {
  /** So many of the last ones; null: all. */
  readonly lines: number | null;
  /** Milliseconds since 1970, as are all times here. */
  readonly since: number | null;
  readonly until: number | null;
  /** Only these count; null: all. */
  readonly sieve: Sieve | null;
}

/** A byte of a file, which may have another name by now. */
export interface Mark {
  readonly dev: number;
  readonly ino: number;
  readonly offset: number;
}

export interface Begin {
  /** Null: nothing has been written yet. */
  readonly piece: Piece | null;
  readonly offset: number;
  /** Of the line before: that of lines which do not say their own. */
  readonly time: number | null;
  /** Of what was there when it was looked at. */
  readonly end: Mark | null;
  /** Times were asked for, and in some file there are none. */
  readonly isTimeless: boolean;
}

/** The part of one file that is meant. */
interface Part {
  readonly from: number;
  readonly count: number;
  /** Where it begins if what comes before it is not meant: at the first line that tells its own time. */
  readonly ownFrom: number;
  readonly isEmpty: boolean;
  /** Nothing older is meant. */
  readonly isLast: boolean;
  readonly end: number;
  /** Whether it ends there is for the file before it to say: no line of this one that comes before tells its time. */
  readonly isEndOpen: boolean;
  readonly size: number;
  readonly isTimeless: boolean;
}

/** The file is open in what comes back: whoever reads on closes it. */
export async function beginOf(path: string, wish: Wish, folders: Folders): Promise<Begin> {
  let begin: Begin = { piece: null, offset: 0, time: null, end: null, isTimeless: false };
  let isOpen = true;
  let ownFrom = 0;
  let lead = 0; // lines that are meant if what comes before them is
  let missing = wish.lines ?? Number.POSITIVE_INFINITY;
  try {
    for (const piece of piecesOf(path, folders)) {
      let part = await partOf(piece, { ...wish, missing });
      const isClosing = isOpen && part.size > 0 && part.end === part.size;
      if (isClosing && lead > 0) {
        missing -= lead;
        part = missing > 0 ? await partOf(piece, { ...wish, missing }) : ENOUGH;
      }
      if (begin.piece !== null && part.isLast && part.isEmpty) {
        piece.close();
        const offset = part === ENOUGH ? begin.offset : Math.max(begin.offset, ownFrom);
        return { ...begin, offset, isTimeless: begin.isTimeless || part.isTimeless };
      }
      ownFrom = part.ownFrom;
      begin.piece?.close();
      begin = {
        piece,
        offset: part.from,
        time: piece instanceof Plain ? timeAround(piece, part.from) : null,
        end: begin.end === null || (isOpen && part.end < part.size) ? markAt(piece, part.end) : begin.end,
        isTimeless: begin.isTimeless || part.isTimeless,
      };
      isOpen &&= part.isEndOpen || part.size === 0;
      if (isOpen) lead = part.count;
      else missing -= part.count;
      if (part.isLast || missing <= 0) return begin;
    }
    return begin;
  } catch (error) {
    begin.piece?.close();
    throw error;
  }
}

/** From a byte that was the last one at some time; from the beginning of the file where that one is gone. */
export function beginAt(path: string, mark: Mark | undefined, folders: Folders): Begin {
  const begin = { piece: null, offset: 0, time: null, end: null, isTimeless: false };
  if (mark === undefined) return begin;
  for (const piece of piecesOf(path, folders)) {
    if (isSame(piece, mark)) return { ...begin, piece, offset: mark.offset };
    piece.close();
  }
  return { ...begin, piece: openPiece(path) };
}

const markAt = ({ dev, ino }: Piece, offset: number): Mark => ({ dev, ino, offset });

interface Missing extends Wish {
  readonly missing: number;
}

function partOf(piece: Piece, wish: Missing): Part | Promise<Part> {
  const { size, mtimeMs } = piece.stats();
  if (wish.since !== null && mtimeMs < wish.since && piece.isZipped) return NOTHING_MORE;
  return piece instanceof Plain ? partOfPlain(piece, size, mtimeMs, wish) : partOfZipped(piece, wish);
}

const NOTHING_MORE: Part = {
  from: 0,
  count: 0,
  ownFrom: 0,
  isEmpty: true,
  isLast: true,
  end: 0,
  isEndOpen: true,
  size: 0,
  isTimeless: false,
};

/** As many lines as were asked for are in what comes after it. */
const ENOUGH: Part = { ...NOTHING_MORE };

function partOfPlain(piece: Plain, size: number, mtimeMs: number, wish: Missing): Part {
  const { since, until, missing, sieve } = wish;
  const isTimeless = size > 0 && (since !== null || until !== null) && !hasTimes(piece, size);
  const [ownFrom, end] = isTimeless
    ? byDate(size, mtimeMs, wish)
    : [
        since === null ? 0 : firstAt(piece, size, since),
        until === null ? size : firstAt(piece, size, until + 1),
      ];
  const from = since === null ? 0 : isTimeless ? ownFrom : wholeFrom(piece, ownFrom);
  const last =
    missing === Number.POSITIVE_INFINITY
      ? { from: Math.min(from, end), count: 0 }
      : lastLines(piece, from, end, missing, sieve);
  const isEndOpen = until !== null && end < size && timeAfter(piece, 0, end) === null;
  return {
    ...last,
    ownFrom,
    isEmpty: last.from >= end,
    isLast: !isEndOpen && (from > 0 || last.count >= missing),
    end,
    isEndOpen,
    size,
    isTimeless,
  };
}

/** Lines before the first one that tells its time belong to what came before them. */
const wholeFrom = (piece: Plain, from: number): number => (timeAfter(piece, 0, from) === null ? 0 : from);

/** Of lines that do not say when they were written it is known that they were, by the date of their file. */
function byDate(size: number, mtimeMs: number, { since, until }: Wish): [from: number, end: number] {
  if (since !== null && mtimeMs < since) return [size, size];
  return [0, until !== null && mtimeMs > until ? 0 : size];
}

/** One that is compressed is read twice where only its end is meant: so much need not be held in memory. */
async function partOfZipped(piece: Piece, wish: Missing): Promise<Part> {
  const { missing, sieve, until } = wish;
  const found = new Bounds(wish);
  for await (const lines of linesOf(piece)) {
    const meant = sieve?.(lines.map(({ bytes }) => bytes));
    for (const [index, line] of lines.entries()) found.see(line, meant?.[index] ?? true);
  }
  const { size, count, isTimeless } = found;
  // Those of an older date than is asked for are not read at all.
  const isTooNew = isTimeless && until !== null && piece.stats().mtimeMs > until;
  const [from, end] = isTimeless ? [0, isTooNew ? 0 : size] : [found.from ?? size, found.end ?? size];
  const isAll = count <= missing;
  const isEndOpen = end < size && found.isEndOpen;
  return {
    from: isAll ? from : await afterSome(piece, from, count - missing, sieve),
    count: Math.min(count, missing),
    ownFrom: isTimeless ? 0 : found.ownFrom,
    isEmpty: count === 0,
    isLast: !isEndOpen && (from > 0 || !isAll || missing === count),
    end,
    isEndOpen,
    size,
    isTimeless,
  };
}

/** Of a file that is read from its beginning to its end. */
class Bounds {
  from: number | null;
  end: number | null = null;
  isEndOpen = false;
  ownFrom = 0;
  /** Of those that are meant. */
  count = 0;
  size = 0;
  #lead = 0;
  #hasTimes = false;
  readonly #wish: Wish;

  constructor(wish: Wish) {
    this.#wish = wish;
    this.from = wish.since === null ? 0 : null;
  }

  get isTimeless(): boolean {
    return this.#isTimed && !this.#hasTimes && this.size > 0;
  }

  see({ bytes, offset, next }: Place, isMeant: boolean): void {
    const time = this.#isTimed ? timeOf(bytes) : null;
    if (time !== null) this.#seeTime(time, offset);
    if (isMeant && this.end === null) {
      if (this.from !== null) this.count += 1;
      else if (!this.#hasTimes) this.#lead += 1;
    }
    this.size = next;
  }

  get #isTimed(): boolean {
    return this.#wish.since !== null || this.#wish.until !== null;
  }

  #seeTime(time: number, offset: number): void {
    const { since, until } = this.#wish;
    if (this.from === null && since !== null && time >= since) {
      // What came before the first time belongs to the file before.
      if (!this.#hasTimes) this.count += this.#lead;
      this.from = this.#hasTimes ? offset : 0;
      this.ownFrom = offset;
    }
    if (this.end === null && until !== null && time > until) {
      this.isEndOpen = !this.#hasTimes;
      this.end = offset;
    }
    this.#hasTimes = true;
  }
}

/** Where the first line begins after so many that are meant. */
async function afterSome(piece: Piece, from: number, some: number, sieve: Sieve | null): Promise<number> {
  let left = some;
  let at = from;
  for await (const lines of linesOf(piece)) {
    const meant = sieve?.(lines.map(({ bytes }) => bytes));
    for (const [index, { offset, next }] of lines.entries()) {
      if (offset < from) continue;
      if (left === 0) return offset;
      if (meant?.[index] ?? true) left -= 1;
      at = next;
    }
  }
  return at;
}

interface Place {
  readonly bytes: Buffer;
  readonly offset: number;
  readonly next: number;
}

/** By a descriptor of its own: the piece itself is to be read later. */
async function* linesOf({ path, ino }: Piece): AsyncGenerator<Place[], void, undefined> {
  const piece = openPiece(path);
  if (piece === null) return;
  try {
    if (piece.ino !== ino) throw new Error('it is rotated again and again; try once more');
    const cutter = new Cutter();
    let [offset, read] = [0, 0];
    const placed = (cuts: ReturnType<Cutter['push']>): Place[] =>
      cuts.map(({ bytes, isTorn }) => {
        const from = offset;
        offset += bytes.length + (isTorn ? 0 : 1);
        return { bytes, offset: from, next: offset };
      });
    for (let chunk = piece.read(0); chunk !== 'nothing'; chunk = piece.read(read)) {
      if (chunk === 'later') await piece.arrival();
      else {
        read += chunk.length;
        yield placed(cutter.push(chunk));
      }
    }
    yield placed(cutter.rest());
  } finally {
    piece.close();
  }
}

function timeAround(piece: Plain, offset: number): number | null {
  return timeBefore(piece, offset) ?? timeAfter(piece, offset, piece.stats().size);
}
