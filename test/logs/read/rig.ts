/** A log in a folder of its own, written and rotated as the daemon and others do it, and readers on it. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach } from 'vitest';
import { beginOf, type Wish } from '../../../src/logs/read/begin.ts';
import { Folders } from '../../../src/logs/read/generations.ts';
import { type Line, Reader, type ReaderOptions } from '../../../src/logs/read/reader.ts';

const ALL: Wish = { lines: null, since: null, until: null, sieve: null };

export class Log {
  readonly folder = mkdtempSync(join(tmpdir(), 'reader-'));
  readonly path = join(this.folder, 'worker-0.log');
  readonly #readers: Reader[] = [];

  write(text: string | Buffer): void {
    appendFileSync(this.path, text);
  }

  /** PATH.1 is the newest of what was before. */
  rotate(keep = 1000): void {
    let last = 1;
    while (this.#at(last) !== undefined) last += 1;
    for (let number = last - 1; number > 0; number -= 1) {
      const from = this.#at(number) ?? '';
      if (number >= keep) rmSync(from);
      else renameSync(from, `${this.path}.${number + 1}${from.endsWith('.gz') ? '.gz' : ''}`);
    }
    renameSync(this.path, `${this.path}.1`);
  }

  compress(number: number): void {
    const plain = `${this.path}.${number}`;
    if (!existsSync(plain)) return;
    const { atimeMs, mtimeMs } = statSync(plain);
    writeFileSync(`${plain}.gz.tmp`, gzipSync(readFileSync(plain)));
    utimesSync(`${plain}.gz.tmp`, atimeMs / 1000, mtimeMs / 1000);
    renameSync(`${plain}.gz.tmp`, `${plain}.gz`);
    rmSync(plain);
  }

  async reader(wish: Partial<Wish> = {}, options: Partial<ReaderOptions> = {}): Promise<Reader> {
    const begin = await beginOf(this.path, { ...ALL, ...wish }, new Folders());
    const { until = null, sieve = null } = wish;
    const reader = new Reader({
      path: this.path,
      begin,
      follow: false,
      isTimed: true,
      until,
      sieve,
      ...options,
    });
    this.#readers.push(reader);
    return reader;
  }

  /** What `logs` shows of it. */
  async lines(wish: Partial<Wish> = {}): Promise<string[]> {
    const reader = await this.reader(wish);
    const lines = await rest(reader);
    const last = reader.rest();
    reader.close();
    return [...lines, ...(last === null ? [] : [last])].map(({ bytes }) => bytes.toString());
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #at(number: number): string | undefined {
    return [`${this.path}.${number}`, `${this.path}.${number}.gz`].find((path) => existsSync(path));
  }
}

/** All that it has for now. */
export async function rest(reader: Reader): Promise<Line[]> {
  const lines: Line[] = [];
  for (;;) {
    const next = reader.next();
    if (next === 'nothing') return lines;
    if (next === 'later') await reader.arrival();
    else lines.push(next);
  }
}

export const texts = async (reader: Reader): Promise<string[]> =>
  (await rest(reader)).map(({ bytes }) => bytes.toString());

export function useLogs(): () => Log {
  const logs: Log[] = [];
  afterEach(() => {
    for (const log of logs.splice(0)) log.close();
  });
  return () => {
    const log = new Log();
    logs.push(log);
    return log;
  };
}
