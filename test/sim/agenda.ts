/** The virtual clock: what is to happen, in the order of its time, and of its entry where times are equal. */
interface Entry {
  readonly at: number;
  readonly order: number;
  /** It goes on for ever, and nobody waits for it. */
  readonly background: boolean;
  readonly act: () => void;
}

export class Agenda {
  now = 0;
  /** What is still to happen and does not go on for ever. */
  ahead = 0;
  readonly #heap: Entry[] = [];
  #order = 0;

  after(ms: number, act: () => void, background = false): void {
    this.at(this.now + ms, act, background);
  }

  at(ms: number, act: () => void, background = false): void {
    const heap = this.#heap;
    heap.push({ at: Math.max(ms, this.now), order: this.#order++, act, background });
    if (!background) this.ahead++;
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#sooner(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  /** Does what comes next, if that is not later than `limit`. */
  next(limit = Number.POSITIVE_INFINITY): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.at > limit) return false;
    this.#removeFirst();
    if (!first.background) this.ahead--;
    this.now = first.at;
    first.act();
    return true;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    this.#swap(0, heap.length - 1);
    heap.pop();
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      let least = i;
      if (this.#sooner(left, least)) least = left;
      if (this.#sooner(left + 1, least)) least = left + 1;
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #sooner(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a === undefined || b === undefined) return false;
    return a.at === b.at ? a.order < b.order : a.at < b.at;
  }

  #swap(i: number, j: number): void {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a === undefined || b === undefined) return;
    this.#heap[i] = b;
    this.#heap[j] = a;
  }
}
