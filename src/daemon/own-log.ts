/** The daemon's own log: a line a happening, gathered and written once a turn of the loop. */
import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from './folders.ts';

export class OwnLog {
  readonly path: string;
  readonly #echo: ((text: string) => void) | null;
  #fd: number | null = null;
  #lines: string[] = [];
  /** Lines that could not be written, and why. */
  #lost = 0;
  #failure: string | null = null;

  /** `echo`: gets each line as well, for a daemon that has a terminal. */
  constructor(logDir: string, echo: ((text: string) => void) | null) {
    this.path = join(logDir, 'daemon.log');
    this.#echo = echo;
  }

  say(text: string): void {
    this.#lines.push(`${new Date().toISOString()} ${text}\n`);
    this.#echo?.(text);
  }

  /** For what comes outside a turn of the loop. */
  sayNow(text: string): void {
    this.say(text);
    this.flush();
  }

  /** What is missing in it, as long as no more can be written. */
  get trouble(): string | null {
    return this.#failure === null
      ? null
      : `cannot write ${this.path}: ${this.#failure}; ${linesOf(this.#lost)} missing in it`;
  }

  /** Never throws: a full disk costs lines, which are counted, and nothing else. */
  flush(): void {
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    const confession =
      this.#lost > 0
        ? `${new Date().toISOString()} ${linesOf(this.#lost)} missing here: ${this.#failure}\n`
        : '';
    try {
      const fd = this.#open();
      const bytes = Buffer.from(confession + lines.join(''));
      if (writeSync(fd, bytes) < bytes.length) throw new Error('no space left on the device');
      this.#lost = 0;
      this.#failure = null;
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
      this.#lost += lines.length;
      this.close();
    }
  }

  /** The file at its path, which may have been moved away or removed, with its folder. */
  #open(): number {
    if (this.#fd !== null && !this.#isInPlace(this.#fd)) this.close();
    if (this.#fd !== null) return this.#fd;
    const made = makeFolder(dirname(this.path), 'log_dir', 0o750);
    if (!made.ok) throw new Error(made.error);
    this.#fd = openSync(this.path, 'a', 0o640);
    return this.#fd;
  }

  #isInPlace(fd: number): boolean {
    return statSync(this.path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
  }

  close(): void {
    if (this.#fd === null) return;
    const fd = this.#fd;
    this.#fd = null;
    closeSync(fd);
  }
}

const linesOf = (count: number): string => (count === 1 ? '1 line is' : `${count} lines are`);
