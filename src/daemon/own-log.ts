/** The daemon's own log: a line a happening, gathered and written once a turn of the loop. */
import { join } from 'node:path';
import type { OwnLogPlan } from '../core/plan.ts';
import type { LogChange } from '../logs/captures.ts';
import type { Handling } from '../logs/log-file.ts';
import { LineFile } from './line-file.ts';

/** `warn`: something does not work as it should. `error`: somebody has to see to it. */
export type Level = 'info' | 'warn' | 'error';

export class OwnLog {
  /** Told once when it cannot be written, and once when it can be again. */
  changed: (change: LogChange) => void = () => {};
  readonly #file: LineFile;
  readonly #echo: ((text: string) => void) | null;
  #format: OwnLogPlan['format'];
  #lines: string[] = [];
  /** Lines that could not be written, and why. */
  #lost = 0;
  #lostBytes = 0;
  #failure: string | null = null;

  /** `echo`: gets each line as well, for a daemon that has a terminal. */
  constructor(logDir: string, plan: OwnLogPlan, echo: ((text: string) => void) | null) {
    this.#file = new LineFile(join(logDir, 'daemon.log'), plan, { folder: 'log_dir', mode: 0o640 });
    this.#format = plan.format;
    this.#echo = echo;
  }

  get path(): string {
    return this.#file.path;
  }

  /** What is to be known of its lines by whoever reads them. */
  get format(): 'timestamps' | 'json' {
    return this.#format === 'json' ? 'json' : 'timestamps';
  }

  /** Has what else is to go to the same file led there, now and whenever it is another one. */
  accompany(lead: (path: string) => void): void {
    this.#file.opened = () => lead(this.path);
    this.#file.opened();
  }

  /** From the next line on. */
  follow(plan: OwnLogPlan): void {
    this.#file.kept = plan;
    this.#format = plan.format;
  }

  say(text: string, level: Level = 'info'): void {
    this.#lines.push(this.#lineOf(text, level));
    this.#echo?.(text);
  }

  /** For what comes outside a turn of the loop. */
  sayNow(text: string, level: Level = 'info'): void {
    this.say(text, level);
    this.flush();
  }

  /** What is wrong with it, as long as that is so. */
  get trouble(): string | null {
    const { path, stuckFor, uncompressedFor } = this.#file;
    if (this.#failure !== null)
      return `cannot write ${path}: ${this.#failure}; ${linesOf(this.#lost)} missing in it`;
    if (stuckFor !== null) return `cannot put ${path} aside, so it grows on: ${stuckFor}`;
    return uncompressedFor === null
      ? null
      : `cannot compress what was put aside of ${path}: ${uncompressedFor}`;
  }

  /** Never throws: a full disk costs lines, which are counted, and nothing else. */
  flush(): void {
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    const [lost, before] = [this.#lost, this.#failure];
    const confession = lost > 0 ? this.#lineOf(`${linesOf(lost)} missing here: ${before}`, 'warn') : '';
    try {
      this.#file.append(confession + lines.join(''));
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error), lines);
      return;
    }
    if (before !== null) this.#isWell(lost);
  }

  #isWell(lines: number): void {
    const droppedBytes = this.#lostBytes;
    this.#lost = 0;
    this.#lostBytes = 0;
    this.#failure = null;
    const sentence = `${this.path} can be written to again; ${linesOf(lines)} missing in it`;
    this.changed({ path: this.path, state: 'well', why: null, droppedBytes, sentence });
  }

  #fail(failure: string, lines: readonly string[]): void {
    const isNew = this.#failure === null;
    this.#lost += lines.length;
    this.#lostBytes += lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
    this.#failure = failure;
    if (!isNew) return;
    const sentence = `cannot write ${this.path}: ${failure}; what the daemon has to say is dropped and counted`;
    this.changed({ path: this.path, state: 'failing', why: failure, droppedBytes: 0, sentence });
  }

  /** Puts what was written so far aside. */
  rotate(): Handling {
    this.flush();
    return this.#file.rotate();
  }

  /** Somebody has put it aside: what comes goes to what is at its path then. */
  reopen(): void {
    this.flush();
    this.#file.close();
  }

  close(): void {
    this.#file.end();
  }

  #lineOf(text: string, level: Level): string {
    const time = new Date().toISOString();
    if (this.#format === 'json') return `${JSON.stringify({ time, level, message: text })}\n`;
    return `${time} ${level} ${text.replaceAll('\n', '\n  ')}\n`;
  }
}

const linesOf = (count: number): string => (count === 1 ? '1 line is' : `${count} lines are`);
