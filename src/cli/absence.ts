/** A daemon that does not answer while it is being watched: for how long it is waited for, and when that is said. */
import type { NoDaemonError } from '../client/errors.ts';

/** One that is replaced by the next, or started again by systemd, is away for a second or a few. */
const AWAY_MS = 10_000;
/** What is over sooner is not worth a word. */
const SAY_AFTER_MS = 300;

export class Absence {
  readonly #said: (isAway: boolean) => void;
  readonly #now: () => number;
  #since: number | undefined;
  #isSaid = false;

  constructor(said: (isAway: boolean) => void, now: () => number = () => performance.now()) {
    this.#said = said;
    this.#now = now;
  }

  /** Throws what says so when it has been away for too long. */
  lost(error: NoDaemonError): void {
    this.#since ??= this.#now();
    const away = this.#now() - this.#since;
    if (away >= AWAY_MS) throw error;
    if (away >= SAY_AFTER_MS && !this.#isSaid) this.#say(true);
  }

  found(): void {
    this.#since = undefined;
    if (this.#isSaid) this.#say(false);
  }

  #say(isAway: boolean): void {
    this.#isSaid = isAway;
    this.#said(isAway);
  }
}
