/** The threads that wait for slow disks, or for whoever reads stdout, of one daemon. */

/** There are four threads for everything, and others need them too. */
export const FOR_DISKS = 2;
export const FOR_STDOUT = 1;

export class Flights {
  readonly #most: number;
  readonly #queue: (() => void)[] = [];
  #count = 0;
  #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Whoever wants a thread now stands at the end of the queue. */
  get isFull(): boolean {
    return this.#count >= this.#most || this.#queue.length > 0;
  }

  /** Calls back when it is that one's turn: it may begin then. */
  wait(act: () => void): void {
    this.#queue.push(act);
  }

  leave(act: () => void): void {
    const at = this.#queue.indexOf(act);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  begin(): void {
    this.#count++;
  }

  end(): void {
    this.#count--;
    while (this.#count < this.#most && this.#queue.length > 0) this.#queue.shift()?.();
    if (this.#count > 0) return;
    for (const done of this.#waiting.splice(0)) done();
  }

  /** Calls back when nothing is under way any more: within the call if that is so already. */
  whenOver(done: () => void): void {
    if (this.#count === 0) done();
    else this.#waiting.push(done);
  }
}
