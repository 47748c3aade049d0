/** The threads that wait for slow disks, of one daemon. */

/** There are four for everything, and others need them too. */
const MOST = 2;

export class Flights {
  #count = 0;
  #waiting: (() => void)[] = [];

  get isFull(): boolean {
    return this.#count >= MOST;
  }

  begin(): void {
    this.#count++;
  }

  end(): void {
    if (--this.#count > 0) return;
    for (const done of this.#waiting.splice(0)) done();
  }

  /** Calls back when nothing is under way any more: within the call if that is so already. */
  whenOver(done: () => void): void {
    if (this.#count === 0) done();
    else this.#waiting.push(done);
  }
}
