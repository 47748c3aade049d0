/** The daemon's own log: a line a happening, gathered and written once a turn of the loop. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export class OwnLog {
  readonly path: string;
  readonly #echo: ((text: string) => void) | null;
  #fd: number | null = null;
  #lines: string[] = [];
  /** Lines that could not be written. */
  #lost = 0;

  /** `echo`: gets each line as well, for a daemon that has a terminal. */
  constructor(logDir: string, echo: ((text: string) => void) | null) {
    this.path = join(logDir, 'daemon.log');
    this.#echo = echo;
  }

  say(text: string): void {
    this.#lines.push(`${new Date().toISOString()} ${text}\n`);
    this.#echo?.(text);
  }

  /** Never throws: a full disk costs lines, which are counted, and nothing else. */
  flush(): void {
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    const confession =
      this.#lost > 0 ? `${new Date().toISOString()} ${this.#lost} lines could not be written\n` : '';
    try {
      this.#fd ??= openSync(this.path, 'a', 0o640);
      writeSync(this.#fd, confession + lines.join(''));
      this.#lost = 0;
    } catch {
      this.#lost += lines.length;
      this.close();
    }
  }

  close(): void {
    if (this.#fd === null) return;
    const fd = this.#fd;
    this.#fd = null;
    closeSync(fd);
  }
}
