/** Timers that ring late, and now and then although they were cancelled. */
import type { FleetEvent, TimerName } from '../../src/core/fleet/event.ts';
import type { Fleet } from '../../src/core/fleet/fleet.ts';
import { deadlineOf } from '../../src/core/instance/phase.ts';
import { isOver, type Rollout } from '../../src/core/rollout/rollout.ts';
import type { Agenda } from './agenda.ts';
import { broken } from './broken.ts';
import type { Dice } from './dice.ts';

interface Armed {
  readonly at: number;
  /** It has rung, and the loop has not come to it yet. */
  rung: boolean;
}

export class Timers {
  readonly #dice: Dice;
  readonly #agenda: Agenda;
  readonly #post: (event: FleetEvent) => void;
  readonly #armed = new Map<string, Armed>();

  constructor(dice: Dice, agenda: Agenda, post: (event: FleetEvent) => void) {
    this.#dice = dice;
    this.#agenda = agenda;
    this.#post = post;
  }

  get size(): number {
    return this.#armed.size;
  }

  arm(timer: TimerName, at: number): void {
    const armed: Armed = { at, rung: false };
    this.#armed.set(nameOf(timer), armed);
    const late = this.#dice.pick(0, 0, 0, this.#dice.int(1, 20));
    const ringsAnyway = this.#dice.chance(0.1);
    this.#agenda.at(at + late, () => {
      const holds = this.#armed.get(nameOf(timer)) === armed;
      armed.rung = true;
      if (holds || ringsAnyway) this.#post({ type: 'due', timer });
    });
  }

  disarm(timer: TimerName): void {
    this.#armed.delete(nameOf(timer));
  }

  /** The loop takes an event: a timer that has rung is armed no longer. */
  taken(event: FleetEvent): void {
    if (event.type === 'due' && this.#armed.get(nameOf(event.timer))?.rung)
      this.#armed.delete(nameOf(event.timer));
  }

  /** Exactly what waits until some moment has a timer, and that timer has that moment. */
  check(fleet: Fleet): void {
    for (const { id, phase } of fleet.instances.values())
      this.#one({ of: 'instance', id }, deadlineOf(phase));
    for (const rollout of fleet.rollouts.values()) {
      this.#one({ of: 'rollout', id: rollout.id }, earliest(rollout));
    }
    this.#one({ of: 'shutdown' }, fleet.mode.kind === 'shutting_down' ? fleet.mode.deadline : null);
  }

  #one(timer: TimerName, deadline: number | null): void {
    const at = this.#armed.get(nameOf(timer))?.at ?? null;
    if (at !== deadline)
      broken(`the timer of ${nameOf(timer)} is armed for ${at}, its deadline is ${deadline}`);
  }
}

const nameOf = (timer: TimerName): string => ('id' in timer ? `${timer.of} ${timer.id}` : timer.of);

function earliest(rollout: Rollout): number | null {
  let moment: number | null = null;
  for (const { step } of isOver(rollout) ? [] : rollout.turns) {
    if (step.kind !== 'starting' && step.kind !== 'settling') continue;
    for (const at of [step.deadline, step.kind === 'settling' ? step.healthyAt : null]) {
      if (at !== null && (moment === null || at < moment)) moment = at;
    }
  }
  return moment;
}
