/**
 * What has happened in the lives of all daemons, read from what they have written down: in blocks, one file after another,
 * so that neither much of it is in memory nor more than one of them open. What cannot be read is passed over.
 */

import { type Stats, statSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface HistoryQuery {
  /** So many lines, the newest; null: all. */
  readonly last: number | null;
  /** Milliseconds since 1970: none that is older. */
  readonly from: number | null;
}

/** What is written down of all daemons' lives, up to this moment. */
export interface Annals {
  /** The number of the last event of this life that is in there. */
  readonly written: number;
  /** Lines with their ends, some at a time. */
  blocks(query: HistoryQuery): AsyncIterable<string>;
}

/** A file as it was when it was asked for: it may have another name by the time that it is read. */
interface Leaf {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly writtenMs: number;
}

export const eventsPath = (stateDir: string): string => join(stateDir, 'events.ndjson');

/** So many files are kept beside the one that is written to. */
export const KEPT_FILES = 4;

const BLOCK_BYTES = 64 * 1024;

/** What is written when this is called, however late it is read. */
export class EventHistory {
  readonly #names: readonly string[];
  /** The oldest first. */
  readonly #leaves: readonly Leaf[];

  constructor(path: string, keep: number) {
    this.#names = [path, ...Array.from({ length: keep }, (_, i) => `${path}.${i + 1}`)];
    this.#leaves = this.#names.flatMap(leafAt).reverse();
  }

  /** Nothing is written down, or not for us to see. */
  get isEmpty(): boolean {
    return this.#leaves.length === 0;
  }

  /** Lines with their ends, some at a time. */
  async *blocks({ last, from }: HistoryQuery): AsyncGenerator<string, void, undefined> {
    const recent = this.#leaves.filter(({ writtenMs }) => from === null || writtenMs >= from);
    const begin = last === null ? { leaf: 0, offset: 0 } : await this.#beginOf(recent, last);
    for (const [at, leaf] of recent.entries()) {
      if (at < begin.leaf) continue;
      const handle = await this.#find(leaf);
      if (handle === null) continue;
      try {
        yield* linesIn(handle, at === begin.leaf ? begin.offset : 0, leaf.size, from);
      } finally {
        await handle.close();
      }
    }
  }

  /** Where the newest lines, so many, begin. */
  async #beginOf(leaves: readonly Leaf[], last: number): Promise<{ leaf: number; offset: number }> {
    let left = last;
    for (let at = leaves.length - 1; at >= 0; at--) {
      const leaf = leaves[at];
      const handle = leaf === undefined ? null : await this.#find(leaf);
      if (leaf === undefined || handle === null) continue;
      try {
        const found = await countBack(handle, leaf.size, left);
        if (found.left === 0) return { leaf: at, offset: found.offset };
        left = found.left;
      } finally {
        await handle.close();
      }
    }
    return { leaf: 0, offset: 0 };
  }

  /** By what it is, not by its name; null: it is gone. */
  async #find({ dev, ino }: Leaf): Promise<FileHandle | null> {
    for (const name of this.#names) {
      const there = await stat(name).catch(() => null);
      if (there?.ino !== ino || there.dev !== dev) continue;
      const handle = await open(name, 'r').catch(() => null);
      const opened = await handle?.stat();
      if (opened?.ino === ino && opened.dev === dev) return handle;
      await handle?.close();
    }
    return null;
  }
}

function leafAt(name: string): Leaf[] {
  const there = statsOf(name);
  if (there === null || !there.isFile()) return [];
  return [{ dev: there.dev, ino: there.ino, size: there.size, writtenMs: there.mtimeMs }];
}

/** Null: it is not there, or nobody lets us look. */
function statsOf(name: string): Stats | null {
  try {
    return statSync(name, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

async function* linesIn(
  handle: FileHandle,
  begin: number,
  end: number,
  from: number | null,
): AsyncGenerator<string, void, undefined> {
  let rest = Buffer.alloc(0);
  for (let at = begin; at < end; ) {
    const bytes = await readAt(handle, at, Math.min(BLOCK_BYTES, end - at));
    if (bytes.length === 0) return; // somebody has cut it short
    at += bytes.length;
    const whole = Buffer.concat([rest, bytes]);
    const cut = whole.lastIndexOf(NEWLINE) + 1;
    rest = whole.subarray(cut);
    const lines = whole
      .toString('utf8', 0, cut)
      .split('\n')
      .filter((line) => isWanted(line, from));
    if (lines.length > 0) yield `${lines.join('\n')}\n`;
  }
}

const NEWLINE = 0x0a;

/** Whoever was killed over a line has left a part of it, which is no event. */
function isWanted(line: string, from: number | null): boolean {
  if (!line.startsWith('{')) return false;
  try {
    const { at }: { at?: unknown } = JSON.parse(line);
    return typeof at === 'string' && (from === null || Date.parse(at) >= from);
  } catch {
    return false;
  }
}

/** Goes back over so many lines, or as many as there are: `left` are still to be gone over. */
async function countBack(
  handle: FileHandle,
  size: number,
  wanted: number,
): Promise<{ offset: number; left: number }> {
  let ends = 0;
  for (let end = size; end > 0; ) {
    const begin = Math.max(0, end - BLOCK_BYTES);
    const bytes = await readAt(handle, begin, end - begin);
    for (
      let at = bytes.lastIndexOf(NEWLINE);
      at >= 0;
      at = at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1)
    ) {
      if (ends++ === wanted) return { offset: begin + at + 1, left: 0 };
    }
    end = begin;
  }
  return { offset: 0, left: Math.max(0, wanted - ends) };
}

/** Empty where nothing is to be had. */
async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
    return buffer.subarray(0, bytesRead);
  } catch {
    return Buffer.alloc(0);
  }
}
