/** The user's own check of each turn: a yes or a no at random, late, twice, or never, which is a no in the end. */
import type { RolloutId, Run } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { Agenda } from './agenda.ts';
import { broken } from './broken.ts';
import { isBad } from './conduct.ts';
import type { Dice } from './dice.ts';

type Judge = Extract<FleetEffect, { type: 'judge' }>;

interface Trial {
  readonly era: number;
  readonly rollout: RolloutId;
  readonly attempt: number;
  readonly run: Run;
  readonly isBad: boolean;
  answered: boolean;
}

export class Judges {
  readonly #dice: Dice;
  readonly #agenda: Agenda;
  readonly #post: (event: FleetEvent) => void;
  readonly #open = new Map<string, Trial>();
  #calm = false;
  /** So many daemons have died. */
  #era = 0;

  constructor(dice: Dice, agenda: Agenda, post: (event: FleetEvent) => void) {
    this.#dice = dice;
    this.#agenda = agenda;
    this.#post = post;
  }

  get size(): number {
    return this.#open.size;
  }

  begin({ rollout, attempt, plan, life }: Judge): void {
    const key = `${rollout} ${attempt}`;
    if (this.#open.has(key)) broken(`the check of rollout ${rollout} is asked twice as number ${attempt}`);
    const bad = isBad(life.program);
    const trial = { era: this.#era, rollout, attempt, run: life.run, isBad: bad, answered: false };
    this.#open.set(key, trial);
    const dice = this.#dice;
    if (this.#calm) this.#answer(trial, dice.int(0, 20), !trial.isBad);
    else if (dice.chance(0.1))
      this.#answer(trial, plan.timeoutMs, false); // never
    else this.#answer(trial, dice.pick(0, dice.int(0, plan.timeoutMs)), !trial.isBad && dice.chance(0.8));
  }

  /** Nobody wants to know any more; the answer may be on its way all the same. */
  end(rollout: RolloutId, attempt: number): void {
    const key = `${rollout} ${attempt}`;
    const trial = this.#open.get(key) ?? broken(`the check ${attempt} of rollout ${rollout} is not asked`);
    this.#open.delete(key);
    if (this.#calm || this.#dice.chance(0.7)) trial.answered = true;
  }

  calm(): void {
    this.#calm = true;
    for (const trial of this.#open.values()) this.#answer(trial, this.#dice.int(0, 20), !trial.isBad);
  }

  die(): void {
    this.#era++;
    this.#open.clear();
  }

  #answer(trial: Trial, inMs: number, ok: boolean): void {
    this.#agenda.after(inMs, () => {
      if (trial.answered || trial.era !== this.#era) return;
      trial.answered = true;
      const { rollout, attempt } = trial;
      this.#open.delete(`${rollout} ${attempt}`);
      const detail = ok ? 'has ended well' : 'exited with code 1';
      const event: FleetEvent = { type: 'judged', rollout, attempt, ok, detail };
      this.#post(event);
      if (this.#calm || !this.#dice.chance(0.1)) return;
      this.#agenda.after(this.#dice.int(0, 300), () => {
        if (trial.era === this.#era) this.#post({ ...event, ok: this.#dice.chance(0.5) });
      });
    });
  }
}
