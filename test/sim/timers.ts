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
  readonly #fleet: Fleet;
  readonly #post: (event: FleetEvent) => void;
  readonly #armed = new Map<string, Armed>();
  /** What the stopwatch of this daemon says at the world's beginning. */
  #zero = 0;
  /** So many daemons have died. */
  #era = 0;

  constructor(dice: Dice, agenda: Agenda, fleet: Fleet, post: (event: FleetEvent) => void) {
    this.#dice = dice;
    this.#agenda = agenda;
    this.#fleet = fleet;
    this.#post = post;
  }

  get size(): number {
    return this.#armed.size;
  }

  /** On the stopwatch of the daemon that lives now. */
  get mono(): number {
    return this.#agenda.now + this.#zero;
  }

  /** All of them go with the daemon; the stopwatch of the next begins anew. */
  die(): void {
    this.#armed.clear();
    this.#era++;
  }

  raise(): void {
    this.#zero = this.#dice.int(0, 50) - this.#agenda.now;
  }

  arm(timer: TimerName, at: number): void {
    const armed: Armed = { at, rung: false };
    this.#armed.set(nameOf(timer), armed);
    const late = this.#dice.pick(0, 0, 0, this.#dice.int(1, 20));
    const ringsAnyway = this.#dice.chance(0.1);
    const era = this.#era;
    const ring = (): void => {
      if (era !== this.#era) return;
      const holds = this.#armed.get(nameOf(timer)) === armed;
      armed.rung = true;
      if (holds || ringsAnyway) this.#post({ type: 'due', timer });
    };
    this.#agenda.at(at - this.#zero + late, ring, this.#isForEver(timer));
  }

  /** One that works is watched over for as long as it does, and ages: that is never over. */
  #isForEver(timer: TimerName): boolean {
    return timer.of === 'instance' && this.#fleet.instances.get(timer.id)?.phase.kind === 'running';
  }

  disarm(timer: TimerName): void {
    this.#armed.delete(nameOf(timer));
  }

  /** The loop takes an event: a timer whose time has come is armed no longer, whichever one has rung. */
  taken(event: FleetEvent): void {
    if (event.type !== 'due') return;
    const armed = this.#armed.get(nameOf(event.timer));
    if (armed?.rung || (armed && armed.at <= this.mono)) this.#armed.delete(nameOf(event.timer));
  }

  /** Exactly what waits until some moment has a timer, and that timer has that moment. */
  check(fleet: Fleet): void {
    for (const { id, phase } of fleet.instances.values())
      this.#one({ of: 'instance', id }, deadlineOf(phase));
    for (const rollout of fleet.rollouts.values()) this.#rollout(rollout);
    this.#one({ of: 'shutdown' }, fleet.mode.kind === 'shutting_down' ? fleet.mode.deadline : null);
  }

  /** The first moment that is still to come; or one that has come, and is about to ring. */
  #rollout(rollout: Rollout): void {
    const timer = { of: 'rollout', id: rollout.id } as const;
    const moments = momentsOf(rollout);
    const ahead = moments.filter((at) => at > this.mono);
    const armed = this.#armed.get(nameOf(timer))?.at ?? null;
    const isAboutToRing = armed !== null && armed <= this.mono && moments.includes(armed);
    if (!isAboutToRing) this.#one(timer, ahead.length === 0 ? null : Math.min(...ahead));
  }

  #one(timer: TimerName, deadline: number | null): void {
    const at = this.#armed.get(nameOf(timer))?.at ?? null;
    if (at !== deadline)
      broken(`the timer of ${nameOf(timer)} is armed for ${at}, its deadline is ${deadline}`);
  }
}

const nameOf = (timer: TimerName): string => ('id' in timer ? `${timer.of} ${timer.id}` : timer.of);

export function momentsOf(rollout: Rollout): number[] {
  if (isOver(rollout)) return [];
  const { canary, notBefore } = rollout;
  const until = canary.kind === 'held' && canary.until !== null ? [canary.until] : [];
  const held = notBefore === null ? [] : [notBefore.at];
  const turns = rollout.turns.flatMap(({ step }) => {
    if (step.kind !== 'starting' && step.kind !== 'settling') return [];
    const { deadline } = step;
    const healthyAt = step.kind === 'settling' ? step.healthyAt : null;
    return [...(deadline === null ? [] : [deadline]), ...(healthyAt === null ? [] : [healthyAt])];
  });
  return [...until, ...held, ...turns];
}
