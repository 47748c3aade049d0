/** The end of a file, and what is added to it afterwards. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { pause } from './pause.ts';

export interface Tail {
  readonly lines: readonly string[];
  /** Where the reading stopped, in bytes: behind the last whole line. */
  readonly end: number;
}

const BLOCK_BYTES = 64 * 1024;
/** So much of a file is looked at for its last lines, and so much is read in one go when following. */
const MAX_BYTES = 8 * 1024 * 1024;
export const FOLLOW_EVERY_MS = 200;

/** The last `count` lines. A file that is not there is empty: its instance has not written yet. */
export function lastLines(path: string, count: number): Tail {
  return withFile(path, { lines: [], end: 0 }, (file, size) => {
    let text = Buffer.alloc(0);
    let from = size;
    while (from > 0 && newlines(text) <= count && text.length < MAX_BYTES) {
      const length = Math.min(BLOCK_BYTES, from);
      from -= length;
      text = Buffer.concat([read(file, from, length), text]);
    }
    const rows = text.toString('utf8').split('\n');
    // A line without its end belongs to what is still to come, but is shown when nobody waits for that.
    if (rows.at(-1) === '') rows.pop();
    return { lines: count === 0 ? [] : rows.slice(-count), end: size };
  });
}

/** Calls back with new lines, file by file, until the signal fires; what there is then is told as well. */
export async function followFiles(
  paths: readonly string[],
  offsets: readonly number[],
  print: (at: number, lines: readonly string[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const followers = paths.map((path, at) => new Follower(path, offsets[at] ?? 0));
  const look = (how: 'more' | 'all'): void =>
    followers.forEach((follower, at) => {
      const lines = follower[how]();
      if (lines.length > 0) print(at, lines);
    });
  while (!signal.aborted) {
    look('more');
    await pause(FOLLOW_EVERY_MS, signal);
  }
  look('all');
}

/** One file, from some place on. One that was replaced is read from its start. */
export class Follower {
  private readonly path: string;
  private offset: number;
  private inode: number | undefined;
  private rest = Buffer.alloc(0);

  constructor(path: string, offset: number) {
    this.path = path;
    this.offset = offset;
    this.inode = statSync(path, { throwIfNoEntry: false })?.ino;
  }

  /** The whole lines that have been added; where that is a great deal, the next of them. */
  more(): string[] {
    const text = Buffer.concat([this.rest, this.read()]);
    const end = text.lastIndexOf(10);
    this.rest = text.subarray(end + 1);
    return end < 0 ? [] : text.subarray(0, end).toString('utf8').split('\n');
  }

  /** All that there is, with a last line that nobody has ended. */
  all(): string[] {
    const lines: string[] = [];
    // As long as the file is now: somebody may go on writing.
    const until = statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
    for (let before = -1; before < this.offset && this.offset < until; ) {
      before = this.offset;
      lines.push(...this.more());
    }
    if (this.rest.length > 0) lines.push(this.rest.toString('utf8'));
    this.rest = Buffer.alloc(0);
    return lines;
  }

  private read(): Buffer {
    return withFile(this.path, Buffer.alloc(0), (file, size) => {
      const { ino } = fstatSync(file);
      if (ino !== this.inode || size < this.offset) {
        this.inode = ino;
        this.offset = 0;
      }
      const part = read(file, this.offset, Math.min(MAX_BYTES, size - this.offset));
      this.offset += part.length;
      return part;
    });
  }
}

function withFile<T>(path: string, absent: T, use: (file: number, size: number) => T): T {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return absent;
    throw error;
  }
  try {
    return use(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

function read(file: number, from: number, length: number): Buffer<ArrayBuffer> {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(file, buffer, 0, length, from));
}

function newlines(text: Buffer): number {
  let count = 0;
  for (let at = text.indexOf(10); at !== -1; at = text.indexOf(10, at + 1)) count += 1;
  return count;
}
