/** Those who have much to move get turns of the loop, one after another, and whoever asks the daemon something gets in between. */

/** As much of a turn of the loop is theirs. */
const TURN_MS = 1;

export class Turns {
  /** A set would make a new table every few turns. */
  readonly #queue: (() => void)[] = [];
  #turn: NodeJS.Immediate | null = null;

  /** To be asked for again by whoever has more. */
  add(act: () => void): void {
    this.#queue.push(act);
    this.#turn ??= setImmediate(this.#take);
  }

  remove(act: () => void): void {
    const at = this.#queue.indexOf(act);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  readonly #take = (): void => {
    const end = performance.now() + TURN_MS;
    // Whoever asks again meanwhile comes after all others.
    do this.#queue.shift()?.();
    while (this.#queue.length > 0 && performance.now() < end);
    this.#turn = this.#queue.length === 0 ? null : setImmediate(this.#take);
  };
}
