/**
 * Whole lines at the end of a file of the daemon's own, or none of them. It is made when there is something to write, made
 * anew when somebody has taken it away, and put aside as PATH.1 when it is large or old enough.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { LogSettings } from '../core/plan.ts';
import { Compressor } from '../logs/compressor.ts';
import type { Handling } from '../logs/log-file.ts';
import { putAside } from '../logs/rotation.ts';
import { wordsFor } from '../logs/system-words.ts';
import { makeFolder } from './folders.ts';

export type Kept = Pick<LogSettings, 'maxBytes' | 'keep' | 'maxAgeMs' | 'compress'>;

export interface LineFileOptions {
  /** The key of the config that says where it is. */
  readonly folder: 'state_dir' | 'log_dir';
  readonly mode: number;
}

const TRY_EVERY_MS = 1000;

export class LineFile {
  readonly path: string;
  /** Told of each file that is open from then on. */
  opened: () => void = () => {};
  /** What becomes of it from now on. */
  kept: Kept;
  readonly #options: LineFileOptions;
  #descriptor: number | null = null;
  /** What is open ends with a line, as we have written it. */
  #isWhole = false;
  readonly #compressor = new Compressor((_, why) => {
    this.#uncompressed = why;
  });
  #uncompressed: string | null = null;
  /** Why it cannot be put aside, and so grows on. */
  #stuck: { readonly why: string; readonly tryAt: number } | null = null;

  constructor(path: string, kept: Kept, options: LineFileOptions) {
    this.path = path;
    this.kept = kept;
    this.#options = options;
  }

  get stuckFor(): string | null {
    return this.#stuck?.why ?? null;
  }

  /** Why what was put aside last stays as it is. */
  get uncompressedFor(): string | null {
    return this.#uncompressed;
  }

  /** @throws where not all of it could be written: then nothing of it is there. */
  append(text: string): void {
    const bytes = Buffer.from(text);
    try {
      let stats = this.#look();
      if (this.#isDue(stats, bytes.length) && this.#putAside()) stats = this.#look();
      const descriptor = this.#opened();
      const isWhole = this.#isWhole || endsWhole(descriptor, stats.size);
      writeWhole(descriptor, isWhole ? bytes : Buffer.concat([NEWLINE, bytes]), stats.size);
      this.#isWhole = true;
    } catch (error) {
      this.close(); // what is wrong may be wrong with this one alone
      throw error;
    }
  }

  /** Puts it aside now, whatever its size. */
  rotate(): Handling {
    this.#stuck = null;
    if ((statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) === 0) return 'nothing';
    return this.#putAside() ? 'done' : 'failed';
  }

  /** It is opened again with the next line; nothing is compressed any more. */
  end(): void {
    this.close();
    this.#compressor.close();
  }

  /** It is opened again with the next line. */
  close(): void {
    if (this.#descriptor === null) return;
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    this.#isWhole = false;
    closeSync(descriptor);
  }

  #look(): Stats {
    if (this.#descriptor !== null) {
      const stats = fstatSync(this.#descriptor);
      const there = statSync(this.path, { throwIfNoEntry: false });
      if (there?.ino === stats.ino && there.dev === stats.dev) return stats;
      this.close();
    }
    return fstatSync(this.#opened());
  }

  #opened(): number {
    if (this.#descriptor !== null) return this.#descriptor;
    const { folder, mode } = this.#options;
    const made = makeFolder(dirname(this.path), folder, folder === 'state_dir' ? 0o700 : 0o750);
    if (!made.ok) throw new Error(made.error);
    const descriptor = openSync(this.path, 'a+', mode);
    this.#descriptor = descriptor;
    this.opened();
    return descriptor;
  }

  #isDue({ size, birthtimeMs, mtimeMs }: Stats, more: number): boolean {
    if (size === 0 || performance.now() < (this.#stuck?.tryAt ?? 0)) return false;
    const { maxBytes, maxAgeMs } = this.kept;
    if (maxBytes !== null && size + more > maxBytes) return true;
    // Not every file system knows when a file was made: then it is as old as what was last written.
    return maxAgeMs !== null && Date.now() - (birthtimeMs > 0 ? birthtimeMs : mtimeMs) >= maxAgeMs;
  }

  #putAside(): boolean {
    try {
      putAside(this.path, this.kept.keep);
    } catch (error) {
      this.#stuck = { why: wordsFor(error), tryAt: performance.now() + TRY_EVERY_MS };
      return false;
    }
    this.close();
    this.#stuck = null;
    this.#uncompressed = null;
    this.#compressor.look(this.path, this.kept.compress && this.kept.keep > 0);
    return true;
  }
}

const NEWLINE = Buffer.from('\n');
const last = Buffer.alloc(1);

/** Whoever was killed over a line has left a part of it. */
function endsWhole(descriptor: number, size: number): boolean {
  return size === 0 || readSync(descriptor, last, 0, 1, size - 1) === 0 || last[0] === NEWLINE[0];
}

function writeWhole(descriptor: number, bytes: Buffer, size: number): void {
  let done = 0;
  try {
    while (done < bytes.length) {
      const more = writeSync(descriptor, bytes, done);
      if (more === 0) throw new Error('nothing more can be written');
      done += more;
    }
  } catch (error) {
    if (done > 0) ftruncateSync(descriptor, size);
    throw error;
  }
}
