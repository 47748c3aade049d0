/** The files that one log consists of: PATH, and what was rotated, PATH.1 the newest, compressed or not. */
import { closeSync, openSync, readdirSync, readSync, type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { openPiece, type Piece, Plain } from './piece.ts';

/** The date that a compressed file has been given may be cut by so much. */
const SAME_TIME_MS = 1.5;

const HEAD_BYTES = 512;
/** So much of a compressed file has that in it. */
const PACKED_BYTES = 16 * 1024;

/** The numbers of rotated files, the newest first; a folder is read once for all who ask the same one. */
export class Folders {
  readonly #names = new Map<string, readonly string[]>();

  numbersOf(path: string): number[] {
    const prefix = `${basename(path)}.`;
    const found = this.#namesIn(dirname(path)).flatMap((name) =>
      name.startsWith(prefix) ? (/^(\d{1,6})(?:\.gz)?$/.exec(name.slice(prefix.length))?.[1] ?? []) : [],
    );
    const numbers = [...new Set(found.map(Number))].sort((a, b) => a - b);
    // Somebody may be rotating just now: the oldest moves on.
    const last = numbers.at(-1) ?? 0;
    return [...numbers, last + 1, last + 2];
  }

  #namesIn(folder: string): readonly string[] {
    const names = this.#names.get(folder) ?? namesIn(folder);
    this.#names.set(folder, names);
    return names;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** From the newest to the oldest, each opened when it is asked for; closing them is the caller's. */
export function* piecesOf(path: string, folders: Folders): Generator<Piece, void, undefined> {
  let last: Known | undefined;
  const seen = new Set<number>();
  for (const name of [path, ...folders.numbersOf(path).map((number) => `${path}.${number}`)]) {
    const piece = openPiece(name) ?? openPiece(`${name}.gz`);
    if (piece === null) continue;
    // What was rotated, or compressed, meanwhile is met again under its next name.
    if (
      seen.has(piece.ino) ||
      (last !== undefined && isZippedOf({ name: piece.path, stats: piece.stats() }, last))
    )
      piece.close();
    else {
      seen.add(piece.ino);
      last = knownOf(piece);
      yield piece;
    }
  }
}

export interface Successor {
  readonly piece: Piece;
  /** What was read before is there no more: this may be something else. */
  readonly isStrange: boolean;
  /** What came between may be gone, too. */
  readonly isGap: boolean;
}

/** What was written after `piece`, which has been moved away; null: nothing yet. */
export function successorOf(piece: Piece, path: string): Successor | null {
  const names = [path, ...new Folders().numbersOf(path).map((number) => `${path}.${number}`)];
  const files = names.flatMap((name) => {
    const found = fileAt(name) ?? fileAt(`${name}.gz`);
    return found === null ? [] : [found];
  });
  const own = files.findIndex(({ stats }) => isSame(stats, piece));
  const was = knownOf(piece);
  const known = own >= 0 ? own : files.findIndex((file) => isZippedOf(file, was));
  const isNewer = ({ name, stats }: File) => name === path || stats.mtimeMs >= was.stats.mtimeMs;
  const newer = known >= 0 ? files.slice(0, known) : files.filter(isNewer);
  const next = newer.at(-1);
  const opened = next === undefined ? null : openPiece(next.name);
  if (opened === null || next === undefined) return null;
  const isStrange = known < 0;
  if (opened.ino === next.stats.ino)
    return { piece: opened, isStrange, isGap: isStrange && files.length > 1 };
  opened.close(); // rotated meanwhile: it is found at the next look
  return null;
}

interface File {
  readonly name: string;
  readonly stats: Stats;
}

function fileAt(name: string): File | null {
  const stats = statSync(name, { throwIfNoEntry: false });
  return stats?.isFile() ? { name, stats } : null;
}

export const isSame = (one: Pick<Stats, 'dev' | 'ino'>, other: Pick<Stats, 'dev' | 'ino'>): boolean =>
  one.ino === other.ino && one.dev === other.dev;

/** What a file is known by when it has become another one by compression. */
interface Known {
  readonly stats: Stats;
  /** Its first bytes; none of one that is compressed already. */
  readonly head: Buffer;
}

function knownOf(piece: Piece): Known {
  const head = Buffer.alloc(HEAD_BYTES);
  const length = piece instanceof Plain ? readSync(piece.descriptor, head, 0, HEAD_BYTES, 0) : 0;
  return { stats: piece.stats(), head: head.subarray(0, length) };
}

/**
 * Whether it is what that file, which was plain, has become: of its date, of its length when it is unpacked, and with
 * the same beginning. Files that are put aside within a moment may have the first two in common.
 */
function isZippedOf({ name, stats }: File, plain: Known): boolean {
  if (!name.endsWith('.gz') || Math.abs(stats.mtimeMs - plain.stats.mtimeMs) > SAME_TIME_MS) return false;
  return lengthIn(name, stats.size) === plain.stats.size % 2 ** 32 && headIn(name).equals(plain.head);
}

/** The first bytes of what is compressed; none where they cannot be read. */
function headIn(zipped: string): Buffer {
  try {
    const descriptor = openSync(zipped, 'r');
    try {
      const packed = Buffer.alloc(PACKED_BYTES);
      const length = readSync(descriptor, packed, 0, PACKED_BYTES, 0);
      const options = { finishFlush: constants.Z_SYNC_FLUSH };
      return gunzipSync(packed.subarray(0, length), options).subarray(0, HEAD_BYTES);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return Buffer.alloc(0);
  }
}

/** The last four bytes say how long it is without compression, modulo 2^32 (RFC 1952); null where it cannot be read. */
function lengthIn(zipped: string, size: number): number | null {
  try {
    const descriptor = openSync(zipped, 'r');
    try {
      const last = Buffer.alloc(4);
      return readSync(descriptor, last, 0, 4, size - 4) === 4 ? last.readUInt32LE() : null;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
}
