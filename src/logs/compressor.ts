/**
 * Compresses what was put aside, one file at a time and by other threads. PATH.1 is PATH.1.gz when that is whole: then
 * the plain one goes. Meanwhile it may be moved on to another number, so it is known by its inode.
 */
import { existsSync, renameSync, statSync } from 'node:fs';
import { type FileHandle, open, readdir, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { isGoing, removeSoon, standingStill } from './rotation.ts';
import { wordsFor } from './system-words.ts';
import { areTwins, COMPRESSED } from './twins.ts';

const UNFINISHED = `${COMPRESSED}.tmp`;
const BYTES_AT_ONCE = 256 * 1024;
/** More than anybody can have asked for. */
const MOST = 10_000;

export class Compressor {
  readonly #failed: (path: string, why: string) => void;
  /** Whether it is to be compressed, too. */
  readonly #waiting = new Map<string, boolean>();
  readonly #swept = new Set<string>();
  readonly #end = new AbortController();
  #isAtWork = false;

  constructor(failed: (path: string, why: string) => void) {
    this.#failed = failed;
  }

  /** This file has been put aside: when it is its turn, what lies there is compressed, if that is wanted. */
  look(path: string, isWanted: boolean): void {
    if (this.#swept.has(path) && !isWanted) return;
    this.#waiting.set(path, isWanted);
    if (!this.#isAtWork) void this.#work();
  }

  /** What is not finished is begun anew by the next daemon. */
  close(): void {
    this.#waiting.clear();
    this.#end.abort();
  }

  async #work(): Promise<void> {
    this.#isAtWork = true;
    for (const [path, isWanted] of this.#waiting) {
      this.#waiting.delete(path);
      try {
        if (!this.#swept.has(path)) await sweep(path);
        this.#swept.add(path);
        if (isWanted) await compressAll(path, this.#end.signal);
      } catch (error) {
        if (!this.#end.signal.aborted) this.#failed(path, wordsFor(error));
      }
    }
    this.#isAtWork = false;
  }
}

/** Removes what an earlier daemon was about to remove, or has not finished. */
async function sweep(path: string): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  for (const other of await readdir(folder)) {
    const rest = other.startsWith(name) ? other.slice(name.length) : '';
    if (rest === UNFINISHED || isGoing(rest)) await unlink(join(folder, other)).catch(() => {});
  }
  await standingStill(path);
  removeTwins(path);
}

/** What is there as a whole in both forms: whoever compressed it was killed before the plain one went. */
function removeTwins(path: string): void {
  for (let n = 1; n < MOST; n++) {
    const plain = `${path}.${n}`;
    const [isPlain, isPacked] = [existsSync(plain), existsSync(plain + COMPRESSED)];
    if (isPlain && isPacked && areTwins(plain)) removeSoon(plain);
    if (!isPlain && !isPacked) return;
  }
}

/** The newest first: they are kept for longest. */
async function compressAll(path: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    await standingStill(path);
    const n = plainOne(path);
    if (n === null) return;
    signal.throwIfAborted();
    await compress(path, n, signal);
  }
}

/** Null: all are compressed. What there is of another file in that form stays as it is. */
function plainOne(path: string): number | null {
  for (let n = 1; n < MOST; n++) {
    const [isPlain, isPacked] = [existsSync(`${path}.${n}`), existsSync(`${path}.${n}${COMPRESSED}`)];
    if (isPlain && !isPacked) return n;
    if (!isPlain && !isPacked) return null;
  }
  return null;
}

async function compress(path: string, n: number, signal: AbortSignal): Promise<void> {
  const unfinished = path + UNFINISHED;
  const plain = await open(`${path}.${n}`);
  try {
    const ino = await pack(plain, unfinished, signal);
    await standingStill(path);
    settle(path, n, ino, unfinished);
  } finally {
    await plain.close();
    await unlink(unfinished).catch(() => {}); // it is there if something went wrong
  }
}

/** As whoever reads the plain one may read it, and of the same date. Returns which file that was. */
async function pack(plain: FileHandle, to: string, signal: AbortSignal): Promise<number> {
  const { ino, mode, uid, gid, atime, mtime } = await plain.stat();
  await unlink(to).catch(() => {});
  const target = await open(to, 'wx', mode & 0o777);
  try {
    if (process.geteuid?.() === 0) await target.chown(uid, gid);
    const source = plain.createReadStream({ autoClose: false, start: 0, highWaterMark: BYTES_AT_ONCE });
    const gzip = createGzip({ level: constants.Z_DEFAULT_COMPRESSION, chunkSize: BYTES_AT_ONCE });
    await pipeline(
      source,
      gzip,
      async (packed) => {
        for await (const chunk of packed) await target.appendFile(chunk);
      },
      { signal },
    );
    await target.sync(); // the plain one goes when this is there
  } finally {
    await target.close();
  }
  await utimes(to, atime, mtime);
  return ino;
}

/** In one turn of the loop, so that nothing is moved on meanwhile. */
function settle(path: string, from: number, ino: number, unfinished: string): void {
  for (let n = from; n < MOST; n++) {
    const plain = `${path}.${n}`;
    const there = statSync(plain, { throwIfNoEntry: false });
    if (there?.ino === ino) {
      if (existsSync(plain + COMPRESSED)) return; // somebody else’s, under the same number
      renameSync(unfinished, plain + COMPRESSED);
      removeSoon(plain);
      return;
    }
    if (there === undefined && !existsSync(plain + COMPRESSED)) return; // it was one too many meanwhile
  }
}
