/** One file of a log, open: it stays the same one however it is moved about, and is read from some byte on. */
import { closeSync, constants, createReadStream, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import type { Readable } from 'node:stream';

/** What is read in one go. */
export const CHUNK_BYTES = 64 * 1024;

/** Nothing there; or not yet: it is on its way. */
export type Chunk = Buffer | 'nothing' | 'later';

export interface Piece {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  readonly isZipped: boolean;
  /** As it is now: of a compressed file that of the compressed bytes. */
  stats(): Stats;
  /** What comes after `from`, which must be where the last reading of it ended, if it is compressed. */
  read(from: number): Chunk;
  /** Resolves when what was on its way has come. */
  arrival(): Promise<void>;
  close(): void;
}

/** Null where there is none. @throws what else the system says, and of what is no file. */
export function openPiece(path: string): Piece | null {
  // One that is no file (a FIFO, a terminal) is not ours to read; opening it must not hold us up.
  const descriptor = openIfThere(path);
  if (descriptor === null) return null;
  const stats = fstatSync(descriptor);
  if (stats.isFile())
    return path.endsWith('.gz') ? new Zipped(path, descriptor, stats) : new Plain(path, descriptor, stats);
  closeSync(descriptor);
  if (stats.isCharacterDevice()) return null; // such as /dev/null: nothing is kept there
  throw new Error('it is not a file');
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

export class Plain implements Piece {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  readonly isZipped = false;
  readonly descriptor: number;
  #isOpen = true;

  constructor(path: string, descriptor: number, { dev, ino }: Stats) {
    this.path = path;
    this.dev = dev;
    this.ino = ino;
    this.descriptor = descriptor;
  }

  stats(): Stats {
    return fstatSync(this.descriptor);
  }

  read(from: number): Chunk {
    const length = Math.min(CHUNK_BYTES, this.stats().size - from);
    if (length <= 0) return 'nothing';
    const chunk = Buffer.allocUnsafe(length);
    const read = readSync(this.descriptor, chunk, 0, length, from);
    return read === 0 ? 'nothing' : chunk.subarray(0, read);
  }

  arrival = async (): Promise<void> => {};

  close(): void {
    if (this.#isOpen) closeSync(this.descriptor);
    this.#isOpen = false;
  }
}

/** Compressed: it can only be read from its beginning. */
class Zipped implements Piece {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  readonly isZipped = true;
  readonly #stats: Stats;
  readonly #file: Readable;
  #text: Readable | null = null;
  #hasEnded = false;
  #isClosed = false;
  #arrived = (): void => {};
  #arrival: Promise<void> = this.#next();
  /** How much of it has been read, and what was read too far. */
  #at = 0;
  #rest: Buffer | null = null;

  constructor(path: string, descriptor: number, stats: Stats) {
    this.path = path;
    this.dev = stats.dev;
    this.ino = stats.ino;
    this.#stats = stats;
    this.#file = createReadStream(path, { fd: descriptor, start: 0 });
    void this.#begin();
  }

  stats(): Stats {
    return this.#stats;
  }

  read(from: number): Chunk {
    for (;;) {
      const chunk = this.#rest ?? this.#pull();
      this.#rest = null;
      if (!Buffer.isBuffer(chunk)) return this.#hasEnded ? 'nothing' : 'later';
      const skipped = Math.min(chunk.length, Math.max(0, from - this.#at));
      this.#at += skipped;
      const part = chunk.subarray(skipped);
      if (part.length === 0) continue;
      const taken = part.subarray(0, CHUNK_BYTES);
      if (taken.length < part.length) this.#rest = part.subarray(CHUNK_BYTES);
      this.#at += taken.length;
      return taken;
    }
  }

  arrival(): Promise<void> {
    return this.#hasEnded || this.#rest !== null ? Promise.resolve() : this.#arrival;
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  #pull(): Buffer | null {
    const chunk: unknown = this.#text?.read();
    return Buffer.isBuffer(chunk) ? chunk : null;
  }

  /** The library is loaded by whoever needs it alone. */
  async #begin(): Promise<void> {
    const { createGunzip } = await import('node:zlib');
    if (this.#isClosed) return;
    this.#text = this.#file.pipe(createGunzip({ chunkSize: CHUNK_BYTES }));
    // One that is damaged or torn is read as far as it can be.
    this.#file.on('error', () => this.#end());
    this.#text
      .on('error', () => this.#end())
      .on('end', () => this.#end())
      .on('readable', () => {
        const arrived = this.#arrived;
        this.#arrival = this.#next();
        arrived();
      });
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#text?.destroy();
    this.#file.destroy();
    this.#arrived();
  }
}
