/** Ctrl-C while a rehearsal is under way. */

/** One may come twice, from the terminal and from whoever started us (npm does that): soon after another it is not one more. */
const ECHO_MS = 200;

export class Interrupts {
  /** How often somebody wanted it to end. */
  count = 0;
  #last = Number.NEGATIVE_INFINITY;
  readonly #listeners = new Set<() => void>();

  /** Returns what ends it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  take(at = performance.now()): void {
    const isEcho = at - this.#last < ECHO_MS;
    this.#last = at;
    if (isEcho) return;
    this.count++;
    for (const listener of this.#listeners) listener();
  }
}
