/** What is wrong with a file that cannot be written to: told once, tried again at times, and told when it is over. */
import { wordsFor } from './system-words.ts';

const TRY_EVERY_MS = 1000;
/** What was full has room again when so much has found its place, or all there is. */
const WELL_AFTER_BYTES = 1024 * 1024;

interface Fault {
  readonly why: string;
  tryAt: number;
  /** Written since it was last tried. */
  writtenBytes: number;
}

export class WriteFault {
  readonly #failing: (why: string) => void;
  readonly #well: (droppedBytes: number) => void;
  #fault: Fault | null = null;
  /** Of what was to be written, since it was last known to be well. */
  droppedBytes = 0;

  constructor(failing: (why: string) => void, well: (droppedBytes: number) => void) {
    this.#failing = failing;
    this.#well = well;
  }

  /** Why nothing can be written now; null: it can. */
  get why(): string | null {
    return this.#fault?.why ?? null;
  }

  /** It could not be written to a moment ago: for so long it is not tried again. 0: it may be. */
  restMs(now: number): number {
    return this.#fault === null ? 0 : Math.max(0, this.#fault.tryAt - now);
  }

  wentWrong(error: unknown, now: number): void {
    const tryAt = now + TRY_EVERY_MS;
    if (this.#fault !== null) {
      Object.assign(this.#fault, { tryAt, writtenBytes: 0 });
      return;
    }
    const why = wordsFor(error);
    this.#fault = { why, tryAt, writtenBytes: 0 };
    this.#failing(why);
  }

  /** So many bytes have found their place; not above 0: there were none. */
  wentWell(written: number): void {
    const fault = this.#fault;
    if (fault === null) return;
    // What is nearly full takes a little, and then no more: that is not well yet.
    fault.writtenBytes += Math.max(0, written);
    if (fault.writtenBytes === 0 || (written > 0 && fault.writtenBytes < WELL_AFTER_BYTES)) return;
    this.#fault = null;
    this.#well(this.droppedBytes);
    this.droppedBytes = 0;
  }

  /** So many bytes of what was to be written are gone. */
  dropped(bytes: number): void {
    this.droppedBytes += bytes;
  }
}
