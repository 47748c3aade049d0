/**
 * What the next daemon has to know, as a log of `key = value` lines in which the last one of a key counts.
 * A line is written whole or not at all: a torn last line is what a crash leaves, and is passed over.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';

/** Values are JSON; null deletes the key. */
export type Journalled = Record<string, unknown> | readonly unknown[] | string | number | boolean | null;

const COMPACT_FROM_BYTES = 1024 * 1024;

export class Journal {
  readonly #path: string;
  readonly #warn: (text: string) => void;
  readonly #values: Map<string, string>;
  #fd: number;
  #bytes = 0;
  #pending: string[] = [];
  /** As it was last written as a whole. */
  #compactBytes = 0;
  /** Lines that could not be written, because the disk was full say; written anew as a whole once it goes again. */
  #behind = false;
  #closed = false;

  /** @throws when the file can be neither read nor created. */
  constructor(path: string, warn: (text: string) => void) {
    this.#path = path;
    this.#warn = warn;
    this.#values = readValues(path, warn);
    this.#fd = this.#rewrite();
  }

  get<T>(key: string, read: (value: unknown) => T | null): T | null {
    const text = this.#values.get(key);
    return text === undefined ? null : read(JSON.parse(text));
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** As it is written. */
  text(key: string): string | undefined {
    return this.#values.get(key);
  }

  /** Everything whose key begins so. */
  *under(prefix: string): Iterable<readonly [key: string, value: unknown]> {
    for (const [key, text] of this.#values) {
      if (key.startsWith(prefix)) yield [key.slice(prefix.length), JSON.parse(text)];
    }
  }

  /** Gathers a change; `flush` writes it. What is so already is not written again. */
  put(key: string, value: Journalled): void {
    const text = JSON.stringify(value);
    if (value === null ? !this.#values.has(key) : this.#values.get(key) === text) return;
    if (value === null) this.#values.delete(key);
    else this.#values.set(key, text);
    this.#pending.push(line(key, text));
  }

  /** One write for all that has gathered. Never throws: a full disk must not stop the daemon. */
  flush(): void {
    // Once closed, the number of the descriptor may be that of another file.
    if (this.#closed || (this.#pending.length === 0 && !this.#behind)) return;
    const text = this.#pending.join('');
    this.#pending = [];
    try {
      if (this.#behind || this.#bytes + text.length > this.#limit()) this.#replace();
      else this.#append(text);
    } catch (error) {
      if (!this.#behind)
        this.#warn(`cannot write ${this.#path}: ${reason(error)}; it is tried again at the next change`);
      this.#behind = true;
    }
  }

  /** As `flush`, but does not try again what could not be written: that is for when there is time. */
  secure(): void {
    if (!this.#behind) this.flush();
  }

  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    closeSync(this.#fd);
  }

  #append(text: string): void {
    const bytes = Buffer.from(text);
    if (writeSync(this.#fd, bytes) < bytes.length) throw new Error('no space left on the device');
    this.#bytes += bytes.length;
  }

  #replace(): void {
    const fd = this.#rewrite();
    closeSync(this.#fd);
    this.#fd = fd;
    this.#behind = false;
  }

  /** Writes what counts into a new file and moves it into place. */
  #rewrite(): number {
    const text = [...this.#values].map(([key, value]) => line(key, value)).join('');
    const fresh = `${this.#path}.new`;
    rmSync(fresh, { force: true }); // what a crash has left may have any mode
    const fd = openSync(fresh, 'wx', 0o600);
    try {
      const bytes = Buffer.from(text);
      if (writeSync(fd, bytes) < bytes.length) throw new Error('no space left on the device');
      fsyncSync(fd);
      renameSync(fresh, this.#path);
      this.#bytes = bytes.length;
      this.#compactBytes = bytes.length;
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Grown by as much again as counted, so that writing it anew stays rare however much that is. */
  #limit(): number {
    return Math.max(COMPACT_FROM_BYTES, 2 * this.#compactBytes);
  }
}

const line = (key: string, json: string): string => `${JSON.stringify(key)}\t${json}\n`;

function readValues(path: string, warn: (text: string) => void): Map<string, string> {
  const values = new Map<string, string>();
  if (!existsSync(path)) return values;
  let spoilt = 0;
  const lines = readFileSync(path, 'utf8').split('\n');
  for (const text of lines.slice(0, -1)) {
    const entry = readLine(text);
    if (entry === null) spoilt++;
    else if (entry.value === 'null') values.delete(entry.key);
    else values.set(entry.key, entry.value);
  }
  if (spoilt > 0) warn(`${path}: ${spoilt} unreadable lines were passed over`);
  return values;
}

function readLine(text: string): { key: string; value: string } | null {
  const [key, value] = text.split('\t');
  if (key === undefined || value === undefined) return null;
  try {
    const name: unknown = JSON.parse(key);
    JSON.parse(value);
    return typeof name === 'string' ? { key: name, value } : null;
  } catch {
    return null;
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
