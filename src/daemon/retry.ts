/** Tries again until it goes, ever more seldom, and keeps nobody alive for it. */

const FIRST_MS = 500;
const MOST_MS = 15_000;

export class Retry {
  readonly #act: () => boolean;
  #timer: NodeJS.Timeout | undefined;
  #waitMs = FIRST_MS;

  /** `act`: true once it went. */
  constructor(act: () => boolean) {
    this.#act = act;
  }

  /** Again from the first, short wait. */
  start(): void {
    this.stop();
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waitMs = FIRST_MS;
  }

  #arm(): void {
    this.#timer = setTimeout(() => {
      this.#waitMs = Math.min(2 * this.#waitMs, MOST_MS);
      if (!this.#act()) this.#arm();
    }, this.#waitMs);
    this.#timer.unref();
  }
}
