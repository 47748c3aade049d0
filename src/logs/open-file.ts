/** Opens a log file where it is, or makes it anew, its folder included. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './system-words.ts';

export interface OpenFile {
  readonly descriptor: number;
  readonly dev: number;
  readonly ino: number;
  /** By the wall clock. */
  bornAtMs: number;
}

// Without O_APPEND, which splice(2) refuses; O_NONBLOCK: a FIFO that nobody reads must not hold us up.
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;

/** @throws in the words of the system, or in ours where it is not to be written to. */
export function openFile(path: string): OpenFile {
  const descriptor = openIn(path);
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return { descriptor, dev: stats.dev, ino: stats.ino, bornAtMs: birthOf(stats) };
  closeSync(descriptor);
  throw new Error('it is not a file');
}

/** Nobody has put another in its place, or moved it away. */
export function isStillAt(path: string, { dev, ino }: Pick<OpenFile, 'dev' | 'ino'>): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  return there !== undefined && there.ino === ino && there.dev === dev;
}

/** Of the same mode and the same owner, as far as that is ours to give. */
export function makeLike({ descriptor }: OpenFile, { mode, uid, gid }: Stats): void {
  const own = fstatSync(descriptor);
  try {
    if (own.uid !== uid || own.gid !== gid) fchownSync(descriptor, uid, gid);
    if (own.mode !== mode) fchmodSync(descriptor, mode);
  } catch {
    // It is still to be written to.
  }
}

/** Not every file system knows it: then it is known since the last time that it was written to. */
const birthOf = ({ birthtimeMs, mtimeMs }: Stats): number => (birthtimeMs > 0 ? birthtimeMs : mtimeMs);

function openIn(path: string): number {
  try {
    return openHere(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE });
    return openHere(path);
  }
}

function openHere(path: string): number {
  try {
    return openSync(path, FLAGS, FILE_MODE);
  } catch (error) {
    if (codeOf(error) !== 'ELOOP') throw error;
    const link = lstatSync(path);
    if (!isTrusted(link)) throw new Error('it is a symbolic link of another user');
    return openSync(path, FLAGS & ~constants.O_NOFOLLOW, FILE_MODE);
  }
}

/** What a program could put there, in a folder of its own, must not make root write anywhere else. */
function isTrusted({ uid }: Stats): boolean {
  const own = process.geteuid?.();
  return own === undefined || own !== 0 || uid === 0;
}
