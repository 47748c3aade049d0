/** Gates that wait for a run to begin: kept, refused or lost, as the dice have it. None of them is a process of a run. */
import type { Run } from '../../src/base/ids.ts';
import type { Life } from '../../src/core/instance/phase.ts';
import type { Dice } from './dice.ts';

export class Gates {
  readonly #dice: Dice;
  readonly #waiting = new Map<Run, Life>();

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** There may be too many of them, or no place for it. */
  prepare(life: Life): void {
    if (this.#dice.chance(0.8)) this.#waiting.set(life.run, life);
  }

  unprepare(run: Run): void {
    this.#waiting.delete(run);
  }

  /** Whether there is one for exactly this; it may have ended by itself. */
  open({ run, program, generation }: Life): boolean {
    const life = this.#waiting.get(run);
    this.#waiting.delete(run);
    return life?.program === program && life.generation === generation && this.#dice.chance(0.8);
  }

  die(): void {
    this.#waiting.clear();
  }
}
