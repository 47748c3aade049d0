/**
 * Output into the daemon's own stdout, line by line, each under the name of its instance: for containers. Another thread
 * waits for whoever reads there.
 */
import { write } from 'node:fs';
import { constants } from 'node:os';
import type { Plumbing } from '../ports/plumbing.ts';
import { INHERITED } from '../ports/processes.ts';
import { type Dressed, LineFormat, type LineStyle, PIECE_BYTES } from './format.ts';
import { parcel } from './parcel.ts';
import type { Loss, Sink } from './sink.ts';
import type { Spool } from './spool.ts';
import { codeOf } from './system-words.ts';

const STDOUT = 1;
const NEWLINE = 10;
const NOTHING = -constants.errno.EAGAIN;
/** For a reader that is in no hurry. */
const RETRY_MS = 10;
const COLOURS = [36, 35, 34, 32, 33, 96];

export class StdoutSink implements Sink {
  readonly #spool: Spool;
  readonly #plumbing: Plumbing;
  #format: LineFormat;
  #isPrinting = false;
  #isEnding = false;
  #isClosed = false;
  #waiting: (() => void)[] = [];
  /** It is another thread's affair, always: nobody knows how long it takes. */
  readonly isSlow = true;
  readonly heldMs = 0;
  readonly loss: Loss = { droppedBytes: 0, why: null };

  constructor(spool: Spool, style: LineStyle, plumbing: Plumbing) {
    this.#spool = spool;
    this.#plumbing = plumbing;
    this.#format = new LineFormat(style);
  }

  /** Nothing of what becomes of a file has a meaning here. */
  follow(): void {}
  prepare(): void {}

  /** Of what ends from now on. @throws what the system says */
  restyle(style: LineStyle): void {
    this.#spool.mark({ path: INHERITED, style });
    this.#format = new LineFormat(style);
  }

  /** Into the spool, and no further: whoever reads stdout may take any time. */
  take(pipe: number, most: number): number {
    const got = this.#spool.take(pipe, most, this.#plumbing);
    return got === 0 && this.#spool.heldBytes > 0 ? NOTHING : got;
  }

  takeAside(pipe: number, most: number, done: (got: number) => void): void {
    const got = this.#spool.take(pipe, most, this.#plumbing);
    if (got === 0) this.#isEnding = true;
    this.#print(() => done(got));
  }

  /** Nobody goes on with the line that has no end yet. */
  finish(): void {
    this.#isEnding = true;
    this.#print(() => {});
  }

  setAside(): void {
    this.#spool.setAside();
  }

  close(): void {
    this.#isClosed = true;
    this.#spool.close();
  }

  remove(): void {
    this.#isClosed = true;
    this.#spool.remove();
  }

  /** Calls back when no whole line is held any more. */
  #print(done: () => void): void {
    this.#waiting.push(done);
    if (!this.#isPrinting) this.#printNext();
  }

  #printNext(): void {
    const lines = this.#isClosed ? null : this.#next(this.#isEnding);
    this.#isPrinting = lines !== null;
    if (lines === null) {
      this.#isEnding = false;
      for (const done of this.#waiting.splice(0)) done();
      return;
    }
    const { bytes, release } = parcel(lines.output);
    writeOut(bytes, () => {
      release();
      if (!this.#isClosed) this.#spool.pass(lines.to, lines.mood);
      this.#printNext();
    });
  }

  /** Null: there is no whole line. */
  #next(isEnding: boolean): Dressed | null {
    const { heldBytes, mood } = this.#spool;
    if (heldBytes === 0) return null;
    const bytes = this.#spool.read();
    if (!isEnding && bytes.length <= PIECE_BYTES && !bytes.includes(NEWLINE)) return null;
    const dressed = this.#format.dress(bytes, 0, {
      timeMs: Date.now(),
      mood,
      room: Number.POSITIVE_INFINITY,
      isEnding: isEnding && bytes.length === heldBytes,
    });
    return dressed.to === 0 ? null : dressed;
  }
}

/** What nobody reads any more goes nowhere. */
function writeOut(bytes: Buffer, done: () => void): void {
  write(STDOUT, bytes, 0, bytes.length, null, (error, written) => {
    if (codeOf(error) === 'EAGAIN') setTimeout(() => writeOut(bytes, done), RETRY_MS);
    else if (error !== null || written === bytes.length) done();
    else writeOut(bytes.subarray(written), done);
  });
}

/** The name of an instance as `logs` has it, in a colour of its own where a terminal shows it. */
export function leadOf(instance: string): string {
  const lead = `${instance} |`;
  if (process.stdout.isTTY !== true || process.env.NO_COLOR) return `${lead} `;
  const number = [...instance].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  return `\x1b[${COLOURS[number % COLOURS.length] ?? 36}m${lead}\x1b[39m `;
}
