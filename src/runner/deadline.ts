/** The time that draining may take: begins with the wish, can be put off, and is over once. */
import { after } from './timer.ts';

export class Deadline {
  readonly #isOver: () => void;
  #notBefore = Number.NEGATIVE_INFINITY;
  /** By `performance.now()`; null while it does not run. */
  #at: number | null = null;
  #takeBack: () => void = () => {};

  constructor(isOver: () => void) {
    this.#isOver = isOver;
  }

  begin(ms: number): void {
    this.#arm(performance.now() + ms);
  }

  /** It is no sooner than so many milliseconds from now, also if it has not begun yet. */
  extend(ms: number): void {
    this.#notBefore = Math.max(this.#notBefore, performance.now() + ms);
    if (this.#at !== null) this.#arm(this.#at);
  }

  end(): void {
    this.#takeBack();
    this.#at = null;
  }

  #arm(at: number): void {
    this.end();
    this.#at = Math.max(at, this.#notBefore);
    if (this.#at === Number.POSITIVE_INFINITY) return;
    this.#takeBack = after(this.#at - performance.now(), () => {
      this.end();
      this.#isOver();
    });
  }
}
