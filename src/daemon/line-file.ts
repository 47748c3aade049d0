/**
 * Whole lines at the end of a file, or none of them. It is made when there is something to write, made anew when somebody
 * has taken it away, and set aside as PATH.1 when it is large enough.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from './folders.ts';

export interface LineFileOptions {
  readonly maxBytes: number;
  /** So many that were set aside are kept: PATH.1 is the newest. */
  readonly keep: number;
  /** The key of the config that says where it is. */
  readonly folder: 'state_dir' | 'log_dir';
  readonly mode: number;
}

export class LineFile {
  readonly path: string;
  readonly #options: LineFileOptions;
  #descriptor: number | null = null;

  constructor(path: string, options: LineFileOptions) {
    this.path = path;
    this.#options = options;
  }

  /** @throws where not all of it could be written: then nothing of it is there. */
  append(text: string): void {
    const bytes = Buffer.from(text);
    try {
      let descriptor = this.#opened();
      let { size } = fstatSync(descriptor);
      if (size > 0 && size + bytes.length > this.#options.maxBytes) {
        descriptor = this.#rotated();
        size = 0;
      }
      writeWhole(descriptor, endsWhole(descriptor, size) ? bytes : Buffer.concat([NEWLINE, bytes]), size);
    } catch (error) {
      this.close(); // what is wrong may be wrong with this one alone
      throw error;
    }
  }

  close(): void {
    if (this.#descriptor === null) return;
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    closeSync(descriptor);
  }

  #opened(): number {
    if (this.#descriptor !== null && !this.#isInPlace(this.#descriptor)) this.close();
    if (this.#descriptor !== null) return this.#descriptor;
    const { folder, mode } = this.#options;
    const made = makeFolder(dirname(this.path), folder, folder === 'state_dir' ? 0o700 : 0o750);
    if (!made.ok) throw new Error(made.error);
    this.#descriptor = openSync(this.path, 'a+', mode);
    return this.#descriptor;
  }

  #isInPlace(descriptor: number): boolean {
    return statSync(this.path, { throwIfNoEntry: false })?.ino === fstatSync(descriptor).ino;
  }

  #rotated(): number {
    this.close();
    for (let at = this.#options.keep - 1; at >= 0; at--) {
      const from = at === 0 ? this.path : `${this.path}.${at}`;
      if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${this.path}.${at + 1}`);
    }
    return this.#opened();
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
