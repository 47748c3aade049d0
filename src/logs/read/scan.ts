/** Finds places in a file that is not compressed, from its end or by halves: most of a large one is never read. */
import { readSync } from 'node:fs';
import type { Plain } from './piece.ts';
import { timeOf } from './time.ts';

const BLOCK_BYTES = 256 * 1024;
/** A file without a time in so much of its beginning and of its end is taken for one that has none. */
const SAMPLE_BYTES = 64 * 1024;
const NEWLINE = 10;

/** Which of these lines are meant. */
export type Sieve = (lines: readonly Buffer[]) => readonly boolean[];

export interface Count {
  /** Where the first of them begins. */
  readonly from: number;
  /** How many there are: as many as were asked for, unless the file has no more. */
  readonly count: number;
}

/** The last lines between two places; one that is not ended counts, too. */
export function lastLines(file: Plain, from: number, to: number, wanted: number, sieve: Sieve | null): Count {
  if (wanted === 0 || to <= from) return { from: to, count: 0 };
  return sieve === null ? lastOfAll(file, from, to, wanted) : lastMeant(file, from, to, wanted, sieve);
}

function lastOfAll(file: Plain, from: number, to: number, wanted: number): Count {
  let count = 0;
  // The newline that ends the last line is not one that another line comes after.
  for (let end = to - 1; end > from; ) {
    const start = Math.max(from, end - BLOCK_BYTES);
    const block = blockOf(file, start, end);
    for (
      let at = block.lastIndexOf(NEWLINE);
      at >= 0;
      at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)
    ) {
      count += 1;
      if (count === wanted) return { from: start + at + 1, count };
    }
    end = start;
  }
  return { from, count: count + 1 };
}

function lastMeant(file: Plain, from: number, to: number, wanted: number, sieve: Sieve): Count {
  let found: Count = { from: to, count: 0 };
  let rest = Buffer.alloc(0); // the end of a line that begins further up
  for (let end = to; end > from; ) {
    const start = Math.max(from, end - BLOCK_BYTES);
    const block = Buffer.concat([blockOf(file, start, end), rest]);
    const first = start === from ? 0 : block.indexOf(NEWLINE) + 1;
    if (first > 0 || start === from) {
      found = countBack(block, first, start, found, wanted, sieve);
      if (found.count === wanted) return found;
      rest = block.subarray(0, first);
    } else rest = block.subarray(0, BLOCK_BYTES * 4); // of a line without end its beginning counts
    end = start;
  }
  return found;
}

/** Counts on through the whole lines of a block that is at `start` in the file. */
function countBack(
  block: Buffer,
  first: number,
  start: number,
  before: Count,
  wanted: number,
  sieve: Sieve,
): Count {
  const lines = linesIn(block, first);
  const meant = sieve(lines.map(({ bytes }) => bytes));
  let found = before;
  for (let index = lines.length - 1; index >= 0 && found.count < wanted; index -= 1) {
    if (meant[index] === true) found = { from: start + (lines[index]?.at ?? 0), count: found.count + 1 };
  }
  return found;
}

interface LineAt {
  readonly bytes: Buffer;
  readonly at: number;
}

function linesIn(block: Buffer, first: number): LineAt[] {
  const lines: LineAt[] = [];
  for (let at = first; at < block.length; ) {
    const newline = block.indexOf(NEWLINE, at);
    const end = newline < 0 ? block.length : newline;
    lines.push({ bytes: block.subarray(at, end), at });
    at = end + 1;
  }
  return lines;
}

/** Where the first line begins that says that it was written at `time` or later; `size` where none does. */
export function firstAt(file: Plain, size: number, time: number): number {
  let [low, high, answer] = [0, size, size];
  while (high - low > BLOCK_BYTES) {
    const middle = Math.floor((low + high) / 2);
    const line = firstTimed(file, middle, high, size);
    if (line === null) high = middle;
    else if (line.time >= time) [high, answer] = [middle, line.at];
    else low = line.next;
  }
  return firstTimed(file, low, answer, size, time)?.at ?? answer;
}

interface Timed {
  readonly at: number;
  readonly time: number;
  /** Where the line after it begins, or some place within it. */
  readonly next: number;
}

/** Of the lines that begin from `from` on and before `to`: the first of this time, or a later one. */
function firstTimed(
  file: Plain,
  from: number,
  to: number,
  size: number,
  least = Number.NEGATIVE_INFINITY,
): Timed | null {
  for (let at = from; at < to; ) {
    // One byte before says whether a line begins here.
    const start = Math.max(0, at - 1);
    const block = blockOf(file, start, Math.min(size, at + BLOCK_BYTES));
    if (block.length === 0) return null;
    const end = start + block.length;
    const first = at === 0 ? 0 : block.indexOf(NEWLINE) + 1;
    at = end;
    for (const { bytes, at: place } of at > 0 && first === 0 && start > 0 ? [] : linesIn(block, first)) {
      const [begin, next] = [start + place, start + place + bytes.length + 1];
      if (begin >= to) return null;
      // Cut off by the end of the block: it is looked at with the next one, if that shows more of it.
      if (next > end && end < size && place > first) {
        at = begin;
        break;
      }
      const time = timeOf(bytes);
      if (time !== null && time >= least) return { at: begin, time, next };
    }
  }
  return null;
}

/** When the line was written that ends before `offset`, as it or one shortly before it says. */
export function timeBefore(file: Plain, offset: number): number | null {
  const start = Math.max(0, offset - SAMPLE_BYTES);
  const block = blockOf(file, start, offset);
  const lines = linesIn(block, start === 0 ? 0 : block.indexOf(NEWLINE) + 1);
  for (const { bytes } of lines.reverse()) {
    const time = timeOf(bytes);
    if (time !== null) return time;
  }
  return null;
}

/** The first time that is said soon after `offset`. */
export const timeAfter = (file: Plain, offset: number, size: number): number | null =>
  firstTimed(file, offset, Math.min(size, offset + SAMPLE_BYTES), size)?.time ?? null;

export const hasTimes = (file: Plain, size: number): boolean =>
  timeAfter(file, 0, size) !== null || timeBefore(file, size) !== null;

function blockOf(file: Plain, from: number, to: number): Buffer<ArrayBuffer> {
  const block = Buffer.allocUnsafe(Math.max(0, to - from));
  let length = 0;
  while (length < block.length) {
    const read = readSync(file.descriptor, block, length, block.length - length, from + length);
    if (read === 0) break;
    length += read;
  }
  return block.subarray(0, length);
}
