/** Randomness that can be repeated: the same seed gives the same world. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to 1 (mulberry32). */
  float(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  chance(share: number): boolean {
    return this.float() < share;
  }

  /** Both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.float() * (to - from + 1));
  }

  pick<T>(first: T, ...rest: T[]): T {
    return [first, ...rest][this.int(0, rest.length)] ?? first;
  }

  /** Each of them with an even chance. */
  some<T>(list: readonly T[]): T[] {
    return list.filter(() => this.chance(0.5));
  }
}
