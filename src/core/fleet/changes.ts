/**
 * One event being taken: every change of the fleet goes through here, and leaves its effects. What it means for others
 * is only noted (`touched`, `rested`); step.ts draws the consequences.
 */
import type { Moment, Mono } from '../../base/clock.ts';
import { type InstanceId, type ProgramName, type RolloutId, run } from '../../base/ids.ts';
import type { InstanceEffect } from '../instance/effect.ts';
import type { InstanceEvent } from '../instance/event.ts';
import { hookOf } from '../instance/hook.ts';
import { type Instance, isAtRest } from '../instance/instance.ts';
import { deadlineOf, lifeOf } from '../instance/phase.ts';
import { type Context, step } from '../instance/step.ts';
import { watchChanges } from '../instance/watch-changes.ts';
import type { ProgramPlan } from '../plan.ts';
import { isActive, isOver, type Rollout } from '../rollout/rollout.ts';
import { type RolloutEvent, rolloutDeadline, stepRollout } from '../rollout/step.ts';
import type { FleetEffect, News } from './effect.ts';
import type { TimerName } from './event.ts';
import { type Fleet, place, rolloutUnderWay, seatsOf, stayingOf, unseat } from './fleet.ts';
import { firstUnmet, type Needed, type Verdicts } from './needs.ts';
import { reasonOf } from './reason.ts';

export class Changes {
  readonly fleet: Fleet;
  readonly now: Moment;
  readonly effects: FleetEffect[] = [];
  /** Programs of which something has changed, with the verdicts about them from before. */
  readonly touched = new Map<ProgramName, Verdicts | undefined>();
  /** Instances that have come to rest, or are wanted again. */
  readonly rested = new Set<InstanceId>();
  /** Instances that are to go, and may. */
  readonly leavers = new Set<InstanceId>();
  /** What has been given up and must not be. */
  fault: string | null = null;

  constructor(fleet: Fleet, now: Moment) {
    this.fleet = fleet;
    this.now = now;
  }

  toInstance(id: InstanceId, event: InstanceEvent): void {
    const before = this.fleet.instances.get(id);
    if (before === undefined) return;
    const { instance, effects } = step(before, event, this.#context());
    if (instance === before && effects.length === 0) return;
    this.#put(before, instance);
    for (const effect of effects) this.#perform(effect, instance);
    this.#followHooks(before, instance, event);
    for (const effect of watchChanges(before.phase, instance.phase))
      this.effects.push({ ...effect, instance });
    this.#announcePhase(before, instance);
    this.rearm({ of: 'instance', id }, deadlineOf(instance.phase));
    this.#noteEnd(before, instance);
  }

  /** A new seat, or one whose place in the fleet has changed. */
  place(instance: Instance): void {
    place(this.fleet, instance);
    if (instance.leaving && isAtRest(instance)) this.leavers.add(instance.id);
    this.touch(instance.program.name);
    this.effects.push({ type: 'record', what: { kind: 'instance', instance } });
  }

  remove(instance: Instance): void {
    unseat(this.fleet, instance);
    this.touch(instance.program.name);
    this.effects.push({ type: 'record', what: { kind: 'removed', id: instance.id } });
  }

  toRollout(id: RolloutId, event: RolloutEvent): void {
    const before = this.fleet.rollouts.get(id);
    if (before === undefined) return;
    const seats = seatsOf(this.fleet, before.program);
    const { rollout, effects } = stepRollout(before, event, seats, this.now, () =>
      unmetOf(this.fleet, before.target),
    );
    for (const effect of effects) if (effect.type === 'turn') this.announce(effect);
    this.keepRollout(rollout, before);
    for (const effect of effects) if (effect.type !== 'turn') this.toInstance(effect.id, effect);
  }

  keepRollout(rollout: Rollout, before: Rollout | undefined): void {
    if (rollout === before) return;
    this.fleet.rollouts.set(rollout.id, rollout);
    this.touch(rollout.program);
    this.effects.push({ type: 'record', what: { kind: 'rollout', rollout } });
    if (rollout.state !== before?.state || rollout.reason !== before.reason) {
      const { id, program, state, reason } = rollout;
      this.announce({ type: 'rollout', rollout: id, program, state, reason });
    }
    this.rearm({ of: 'rollout', id: rollout.id }, rolloutDeadline(rollout, this.now));
    if (isOver(rollout)) this.#forgetOldRollouts();
  }

  announce(what: News): void {
    this.effects.push({ type: 'announce', what });
  }

  rearm(timer: TimerName, at: Mono | null): void {
    const { armed } = this.fleet;
    const key = keyOf(timer);
    if ((armed.get(key) ?? null) === at) return;
    if (at === null) armed.delete(key);
    else armed.set(key, at);
    this.effects.push(at === null ? { type: 'disarm', timer } : { type: 'arm', timer, at });
  }

  /** It has rung, and is armed no more; one that was cancelled too late says nothing about the next. */
  rung(timer: TimerName): void {
    const key = keyOf(timer);
    const at = this.fleet.armed.get(key);
    if (at !== undefined && this.now.mono >= at) this.fleet.armed.delete(key);
  }

  verdictsOf(name: ProgramName): Verdicts {
    return this.fleet.needs.verdictsOf(name, () => neededOf(this.fleet, name));
  }

  touch(name: ProgramName): void {
    const before = this.fleet.needs.doubt(name);
    if (!this.touched.has(name) || this.touched.get(name) === undefined) this.touched.set(name, before);
  }

  #context(): Context {
    return {
      now: this.now,
      nextRun: this.fleet.nextRun,
      gate: (program) => unmetOf(this.fleet, program),
    };
  }

  #put(before: Instance, instance: Instance): void {
    const { id, program } = instance;
    this.fleet.instances.set(id, instance);
    this.#trackRun(before, instance);
    this.fleet.needs.moved(id, before.phase, instance.phase);
    if (isWorn(instance)) this.fleet.worn.add(id);
    else if (isWorn(before)) this.fleet.worn.delete(id);
    this.touch(program.name);
    this.effects.push({ type: 'record', what: { kind: 'instance', instance } });
  }

  #perform(effect: InstanceEffect, instance: Instance): void {
    const { id, program } = instance;
    if (effect.type === 'announce') this.announce({ ...effect.what, id, program: program.name });
    else this.effects.push({ ...effect, instance });
  }

  #trackRun(before: Instance, instance: Instance): void {
    const old = lifeOf(before.phase)?.run;
    const present = lifeOf(instance.phase)?.run;
    if (old === present) return;
    if (old !== undefined) this.fleet.runs.delete(old);
    if (present === undefined) return;
    this.fleet.runs.set(present, instance.id);
    this.fleet.nextRun = run(present + 1);
  }

  /** A hook is begun with the phase that wants it, and ended with it unless it has ended by itself. */
  #followHooks(before: Instance, instance: Instance, event: InstanceEvent): void {
    const [was, is] = [hookOf(before.phase), hookOf(instance.phase)];
    if (was?.hook === is?.hook && was?.life.run === is?.life.run) return;
    if (was !== null && event.type !== 'hooked') {
      this.effects.push({ type: 'unhook', run: was.life.run, instance });
    }
    const plan = is?.life.program.hooks[is.hook];
    if (is && plan) this.effects.push({ type: 'hook', life: is.life, hook: is.hook, plan, instance });
  }

  #announcePhase(before: Instance, instance: Instance): void {
    const from = before.phase.kind;
    const to = instance.phase.kind;
    if (from === to) return;
    const because = reasonOf(instance);
    const { id, program } = instance;
    const run = lifeOf(instance.phase)?.run ?? null;
    this.announce({ type: 'phase', id, program: program.name, run, from, to, because });
  }

  #noteEnd(before: Instance, instance: Instance): void {
    const { id, program, phase, wish } = instance;
    if (instance.leaving && isAtRest(instance)) this.leavers.add(id);
    if (isAtRest(instance) || (wish.want === 'up' && before.wish.want === 'down')) this.rested.add(id);
    if (program.essential && phase.kind === 'failed' && before.phase.kind !== 'failed') {
      this.fault ??= `${id}, which is essential, ${phase.why}`;
    }
  }

  /** A fleet lives for years and rolls many times a day: of those that are over only the last are kept. */
  #forgetOldRollouts(): void {
    const over = [...this.fleet.rollouts.values()].filter(isOver);
    for (const { id } of over.slice(0, -ROLLOUTS_KEPT)) this.fleet.rollouts.delete(id);
  }
}

const isWorn = ({ phase }: Instance): boolean => phase.kind === 'running' && phase.worn !== null;

export const keyOf = (timer: TimerName): string => ('id' in timer ? `${timer.of} ${timer.id}` : timer.of);

/** Those that are over. */
const ROLLOUTS_KEPT = 20;

/** What others may need to know of a program. */
export function neededOf(fleet: Fleet, name: ProgramName): Needed {
  const turns = rolloutUnderWay(fleet, name)?.turns.filter(isActive) ?? [];
  return { name, seats: stayingOf(fleet, name), turning: new Set(turns.map(({ id }) => id)) };
}

/** What a program waits for now, in words that are true now; null: for nothing. */
export const unmetOf = (fleet: Fleet, program: ProgramPlan): ReturnType<typeof firstUnmet> =>
  firstUnmet(program, (name) => fleet.needs.verdictsOf(name, () => neededOf(fleet, name)));
