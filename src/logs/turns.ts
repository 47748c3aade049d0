/** Those who have much to move get turns of the loop, one after another, and whoever asks the daemon something gets in between. */

/** As much of a turn of the loop is theirs. */
const TURN_MS = 4;

export class Turns {
  readonly #queue = new Set<() => void>();
  #turn: NodeJS.Immediate | null = null;

  /** Once; whoever has more asks again. */
  add(act: () => void): void {
    this.#queue.add(act);
    this.#turn ??= setImmediate(() => this.#take());
  }

  remove(act: () => void): void {
    this.#queue.delete(act);
  }

  #take(): void {
    const end = performance.now() + TURN_MS;
    // Whoever asks again meanwhile is met again: in the order of a set, after all others.
    for (const act of this.#queue) {
      this.#queue.delete(act);
      act();
      if (performance.now() >= end) break;
    }
    this.#turn = this.#queue.size === 0 ? null : setImmediate(() => this.#take());
  }
}
