/**
 * One event being taken: every change of the fleet goes through here, and leaves its effects. What it means for others
 * is only noted (`touched`, `rested`); step.ts draws the consequences.
 */
import { assertNever } from '../../base/assert-never.ts';
import type { Moment, Mono } from '../../base/clock.ts';
import { type InstanceId, type ProgramName, type RolloutId, run } from '../../base/ids.ts';
import type { InstanceEffect } from '../instance/effect.ts';
import type { InstanceEvent } from '../instance/event.ts';
import { hookOf } from '../instance/hook.ts';
import { type Instance, isAtRest, isAvailable, newInstance } from '../instance/instance.ts';
import { deadlineOf, lifeOf } from '../instance/phase.ts';
import { type Context, step } from '../instance/step.ts';
import { watchChanges } from '../instance/watch-changes.ts';
import type { ProgramPlan } from '../plan.ts';
import type { RolloutEffect, RolloutEvent } from '../rollout/event.ts';
import { isOver, type Rollout } from '../rollout/rollout.ts';
import { rolloutDeadline, stepRollout } from '../rollout/step.ts';
import { lookAhead, nextRunOf } from './ahead.ts';
import type { FleetEffect, News } from './effect.ts';
import type { TimerName } from './event.ts';
import { type Fleet, place, rolloutUnderWay, stayingOf, unseat } from './fleet.ts';
import type { Verdicts } from './needs.ts';
import { reasonOf } from './reason.ts';
import { noteWhole } from './remember.ts';
import { rolloutNews } from './rollout-news.ts';
import { neededOf, planAfter, unmetOf, viewOf } from './view.ts';

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
    const { instance, effects } = step(before, event, this.#context(id));
    if (instance === before && effects.length === 0) return;
    this.#put(before, instance);
    for (const effect of effects) this.#perform(effect, instance);
    this.#followHooks(before, instance, event);
    for (const effect of watchChanges(before.phase, instance.phase))
      this.effects.push({ ...effect, instance });
    this.effects.push(...lookAhead(this.fleet, instance, this.#context(id)));
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
    const { rollout, effects } = stepRollout(before, event, viewOf(this.fleet, before, this.now));
    for (const effect of effects) if (effect.type === 'turn') this.announce(effect);
    this.keepRollout(rollout, before);
    if (rollout.reverting !== null && before.reverting === null) this.#goBackTo(rollout.target);
    for (const effect of effects) this.#performForRollout(rollout, effect);
    const isReplaced = event.type === 'abort' && event.keep !== undefined;
    if (isOver(rollout) && !isOver(before)) this.#concludeRollout(rollout, isReplaced);
  }

  keepRollout(rollout: Rollout, before: Rollout | undefined): void {
    if (rollout === before) return;
    this.fleet.rollouts.set(rollout.id, rollout);
    if (rollout.generation > (this.fleet.generations.get(rollout.program) ?? 0)) {
      this.fleet.generations.set(rollout.program, rollout.generation);
    }
    this.touch(rollout.program);
    this.effects.push({ type: 'record', what: { kind: 'rollout', rollout } });
    const news = rolloutNews(rollout, before);
    if (news !== null) this.announce(news);
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

  #performForRollout(rollout: Rollout, effect: RolloutEffect): void {
    switch (effect.type) {
      case 'replace':
      case 'grant':
        this.toInstance(effect.id, effect);
        break;
      case 'add':
        this.#addExtra(effect);
        break;
      case 'leave': {
        const { id, because, onTimeout } = effect;
        this.toInstance(id, { type: 'stop', because, how: 'drain', onTimeout });
        break;
      }
      case 'judge': {
        const { id, attempt, plan } = effect;
        const instance = this.fleet.instances.get(id);
        const life = instance === undefined ? null : lifeOf(instance.phase);
        if (instance === undefined || life === null) break; // it would not be judged if it did not live
        this.effects.push({ type: 'judge', rollout: rollout.id, attempt, plan, life, instance });
        break;
      }
      case 'unjudge':
        this.effects.push({ type: 'unjudge', rollout: rollout.id, attempt: effect.attempt });
        break;
      case 'turn': // told already
        break;
      default:
        assertNever(effect);
    }
  }

  /** It goes when its rollout is over, or when somebody stops it. */
  #addExtra({ id, because, program, generation }: Extract<RolloutEffect, { type: 'add' }>): void {
    if (this.fleet.instances.has(id)) {
      this.toInstance(id, {
        type: 'replace',
        because,
        program,
        generation,
        onTimeout: program.drain.onTimeout,
      });
      return;
    }
    const index = Number(id.slice(id.lastIndexOf(':') + 1));
    const fresh = newInstance(id, index, program, { want: 'down', because });
    this.place({ ...fresh, generation, leaving: true });
    this.toInstance(id, { type: 'start', because });
  }

  /** What follows for the program, and for the rollout that waits for this one. */
  #concludeRollout(rollout: Rollout, isReplaced: boolean): void {
    if (rollout.state === 'succeeded' || rollout.state === 'reverted') noteWhole(this, rollout.program);
    // Another one takes its place; and who shuts down has judged nothing: the file's word holds.
    else if (!isReplaced && this.fleet.mode.kind === 'running') {
      const plan = planAfter(rollout);
      if (plan !== null) this.#goBackTo(plan);
    }
    for (const other of this.fleet.rollouts.values()) {
      if (other.after === rollout.id && !isOver(other)) this.toRollout(other.id, { type: 'look' });
    }
  }

  /** Whatever the config file says. */
  #goBackTo(back: ProgramPlan): void {
    const { name } = back;
    const filed = this.fleet.programs.get(name);
    if (filed === undefined) return;
    // How many there are, and whether they start by themselves, is no part of what is taken back.
    const { instances, autostart } = filed;
    const plan = { ...back, instances, autostart };
    this.fleet.programs.set(name, plan);
    this.effects.push({ type: 'record', what: { kind: 'program', program: name, plan } });
  }

  #context(id: InstanceId): Context {
    return {
      now: this.now,
      nextRun: nextRunOf(this.fleet, id),
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
    if (this.fleet.reserved.delete(instance.id)) return; // it was given out before
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
    if (
      program.essential &&
      phase.kind === 'failed' &&
      before.phase.kind !== 'failed' &&
      !this.#isOnTrial(instance)
    ) {
      this.fault ??= `${id}, which is essential, ${phase.why}`;
    }
  }

  /** A build that is tried out: as long as others of the program work, that is for its rollout to judge. */
  #isOnTrial({ id, program, generation, leaving }: Instance): boolean {
    const rollout = rolloutUnderWay(this.fleet, program.name);
    const turn = rollout?.generation === generation ? rollout.turns.find((one) => one.id === id) : undefined;
    const isTried = leaving || (turn !== undefined && turn.step.kind !== 'skipped');
    return (
      isTried && stayingOf(this.fleet, program.name).some((other) => other.id !== id && isAvailable(other))
    );
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
