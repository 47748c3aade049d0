/**
 * The transition function of the fleet. What one instance means for another goes through a queue of its own:
 * an instance changes, and the rollout of its program is told to look.
 */
import { assertNever } from '../../base/assert-never.ts';
import { after, type Moment, type Mono } from '../../base/clock.ts';
import { type InstanceId, type ProgramName, type RolloutId, rolloutId, run } from '../../base/ids.ts';
import type { InstanceEvent } from '../instance/event.ts';
import { type Instance, isAtRest } from '../instance/instance.ts';
import { deadlineOf, lifeOf } from '../instance/phase.ts';
import { step } from '../instance/step.ts';
import { isOver, type Rollout } from '../rollout/rollout.ts';
import { type RolloutEvent, rolloutDeadline, stepRollout } from '../rollout/step.ts';
import type { FleetEffect, News } from './effect.ts';
import type { FleetEvent, TimerName } from './event.ts';
import { type Fleet, rolloutUnderWay, seatsOf } from './fleet.ts';

export function stepFleet(fleet: Fleet, event: FleetEvent, now: Moment): FleetEffect[] {
  const turn = new FleetStep(fleet, now);
  turn.take(event);
  return turn.finish();
}

/** One event being taken: what it has caused so far, and what is still queued. */
class FleetStep {
  readonly #fleet: Fleet;
  readonly #now: Moment;
  readonly #effects: FleetEffect[] = [];
  /** Programs whose rollout has something to look at. */
  readonly #looks = new Set<ProgramName>();

  constructor(fleet: Fleet, now: Moment) {
    this.#fleet = fleet;
    this.#now = now;
  }

  take(event: FleetEvent): void {
    switch (event.type) {
      case 'spawned':
      case 'spawn_failed':
      case 'exited':
      case 'tree':
      case 'notified': {
        const id = this.#fleet.runs.get(event.run);
        if (id !== undefined) this.#toInstance(id, event); // else: an earlier run's, and dropped here
        break;
      }
      case 'start':
        this.#start(event);
        break;
      case 'stop':
        this.#each(event.ids, () => ({
          type: 'stop',
          because: event.because ?? 'operator',
          how: event.how,
        }));
        break;
      case 'restart':
        this.#restart(event);
        break;
      case 'begin_rollout':
        this.#beginRollout(event);
        break;
      case 'take_plan':
        this.#takePlan(event);
        break;
      case 'steer_rollout':
        this.#toRollout(event.id, event.command === 'abort' ? ABORT : { type: event.command });
        break;
      case 'shutdown':
        this.#shutDown(event);
        break;
      case 'due':
        this.#due(event.timer);
        break;
      default:
        assertNever(event);
    }
  }

  /** Works off what the event has queued, and says what is to be done. */
  finish(): FleetEffect[] {
    for (const program of this.#looks) {
      this.#looks.delete(program);
      for (const rollout of this.#fleet.rollouts.values()) {
        if (rollout.program === program && !isOver(rollout)) this.#toRollout(rollout.id, { type: 'look' });
      }
    }
    this.#endWhenDown();
    return this.#effects;
  }

  #start({ ids, because }: Extract<FleetEvent, { type: 'start' }>): void {
    if (this.#fleet.mode.kind !== 'running') return; // going down: nothing is begun any more
    this.#each(ids, () => ({ type: 'start', because }));
  }

  #restart({ ids, programs }: Extract<FleetEvent, { type: 'restart' }>): void {
    if (this.#fleet.mode.kind !== 'running') return;
    const plans = new Map(programs.map((program) => [program.name, program]));
    this.#each(ids, (instance): InstanceEvent[] => {
      const { name } = instance.program;
      // A rollout's target is not changed under it.
      const given = rolloutUnderWay(this.#fleet, name) === undefined ? plans.get(name) : undefined;
      const program = given ?? instance.program;
      const { generation } = instance;
      const replace = {
        type: 'replace',
        because: 'operator',
        program,
        generation,
        onTimeout: 'stop',
      } as const;
      const start = { type: 'start', because: 'operator', program } as const;
      return instance.wish.want === 'down' ? [start] : [replace];
    });
  }

  #beginRollout({ program, ids, maxParallel }: Extract<FleetEvent, { type: 'begin_rollout' }>): void {
    if (this.#fleet.mode.kind !== 'running') return;
    if (rolloutUnderWay(this.#fleet, program.name) !== undefined) return; // one at a time: they would undo each other
    const id = this.#fleet.nextRollout;
    const generation = (this.#fleet.generations.get(program.name) ?? 0) + 1;
    this.#fleet.nextRollout = rolloutId(id + 1);
    this.#fleet.generations.set(program.name, generation);
    const turns = ids.flatMap((seat) => {
      const instance = this.#fleet.instances.get(seat);
      if (instance === undefined) return [];
      const before = { program: instance.program, generation: instance.generation };
      return [{ id: seat, before, step: { kind: 'pending' } as const }];
    });
    const rollout: Rollout = {
      id,
      program: program.name,
      state: 'running',
      reason: null,
      target: program,
      generation,
      maxParallel,
      startedAt: this.#now,
      endedAt: null,
      turns,
    };
    this.#keepRollout(rollout, undefined);
    this.#adoptPlan(ids, program, generation);
    this.#toRollout(id, { type: 'look' });
  }

  #takePlan({ program, ids }: Extract<FleetEvent, { type: 'take_plan' }>): void {
    this.#adoptPlan(ids, program, this.#fleet.generations.get(program.name) ?? 0);
  }

  /** Who is down takes on the plan for its next start. */
  #adoptPlan(ids: readonly InstanceId[], program: Rollout['target'], generation: number): void {
    this.#each(ids, (instance): InstanceEvent[] =>
      instance.wish.want === 'down'
        ? [{ type: 'replace', because: 'operator', program, generation, onTimeout: 'stop' }]
        : [],
    );
  }

  #shutDown({ how, timeoutMs }: Extract<FleetEvent, { type: 'shutdown' }>): void {
    const { mode } = this.#fleet;
    if (mode.kind === 'down') return;
    const before = mode.kind === 'running' ? null : mode.deadline;
    const deadline = timeoutMs === null ? before : after(this.#now.mono, timeoutMs);
    this.#fleet.mode = {
      kind: 'shutting_down',
      since: mode.kind === 'running' ? this.#now : mode.since,
      deadline,
    };
    if (mode.kind === 'running') this.#announce({ type: 'shutting_down' });
    this.#rearm({ of: 'shutdown' }, before, deadline);
    this.#each([...this.#fleet.instances.keys()], (instance): InstanceEvent[] =>
      instance.wish.want === 'down' && isAtRest(instance) ? [] : [{ type: 'stop', because: 'shutdown', how }],
    );
    // After the stops: an abort starts again what it finds down although it is wanted.
    for (const rollout of this.#fleet.rollouts.values()) {
      if (!isOver(rollout)) this.#toRollout(rollout.id, { type: 'abort', why: 'the daemon was shut down' });
    }
  }

  #due(timer: TimerName): void {
    if (timer.of === 'instance') this.#toInstance(timer.id, { type: 'due' });
    else if (timer.of === 'rollout') this.#toRollout(timer.id, { type: 'look' });
    else this.#shutdownDue();
  }

  /** The shutdown as a whole has taken too long: no drain is waited for any more. */
  #shutdownDue(): void {
    const { mode } = this.#fleet;
    if (mode.kind !== 'shutting_down' || mode.deadline === null || this.#now.mono < mode.deadline) return;
    this.#fleet.mode = { ...mode, deadline: null };
    this.#each([...this.#fleet.instances.keys()], () => ({ type: 'stop', because: 'shutdown', how: 'now' }));
  }

  #each(
    ids: readonly InstanceId[],
    events: (instance: Instance) => InstanceEvent | readonly InstanceEvent[],
  ): void {
    for (const id of ids) {
      const instance = this.#fleet.instances.get(id);
      if (instance === undefined) continue;
      for (const event of [events(instance)].flat()) this.#toInstance(id, event);
    }
  }

  #toInstance(id: InstanceId, event: InstanceEvent): void {
    const before = this.#fleet.instances.get(id);
    if (before === undefined) return;
    const { instance, effects } = step(before, event, { now: this.#now, nextRun: this.#fleet.nextRun });
    if (instance === before) return;
    this.#fleet.instances.set(id, instance);
    this.#trackRun(before, instance);
    this.#effects.push({ type: 'record', what: { kind: 'instance', instance } });
    for (const effect of effects) {
      if (effect.type === 'announce') {
        this.#announce({ ...effect.what, id, program: instance.program.name });
      } else this.#effects.push({ ...effect, instance });
    }
    this.#announcePhase(before, instance);
    const at = deadlineOf(instance.phase);
    // A timer that has just rung is armed no more, though the next deadline may be at that very moment.
    const armed = event.type === 'due' && at !== null ? null : deadlineOf(before.phase);
    this.#rearm({ of: 'instance', id }, armed, at);
    this.#looks.add(instance.program.name);
  }

  #trackRun(before: Instance, instance: Instance): void {
    const old = lifeOf(before.phase)?.run;
    const present = lifeOf(instance.phase)?.run;
    if (old === present) return;
    if (old !== undefined) this.#fleet.runs.delete(old);
    if (present === undefined) return;
    this.#fleet.runs.set(present, instance.id);
    this.#fleet.nextRun = run(present + 1);
  }

  #announcePhase(before: Instance, instance: Instance): void {
    const from = before.phase.kind;
    const to = instance.phase.kind;
    if (from === to) return;
    const because = reasonOf(instance);
    const { id, program } = instance;
    this.#announce({
      type: 'phase',
      id,
      program: program.name,
      run: lifeOf(instance.phase)?.run ?? null,
      from,
      to,
      because,
    });
  }

  #toRollout(id: RolloutId, event: RolloutEvent): void {
    const before = this.#fleet.rollouts.get(id);
    if (before === undefined) return;
    const { rollout, effects } = stepRollout(before, event, seatsOf(this.#fleet, before.program), this.#now);
    for (const effect of effects) if (effect.type === 'turn') this.#announce(effect);
    this.#keepRollout(rollout, before);
    for (const effect of effects) if (effect.type !== 'turn') this.#toInstance(effect.id, effect);
  }

  #keepRollout(rollout: Rollout, before: Rollout | undefined): void {
    if (rollout === before) return;
    this.#fleet.rollouts.set(rollout.id, rollout);
    this.#effects.push({ type: 'record', what: { kind: 'rollout', rollout } });
    if (rollout.state !== before?.state || rollout.reason !== before.reason) {
      const { id, program, state, reason } = rollout;
      this.#announce({ type: 'rollout', rollout: id, program, state, reason });
    }
    const armed = before === undefined ? null : rolloutDeadline(before);
    this.#rearm({ of: 'rollout', id: rollout.id }, armed, rolloutDeadline(rollout));
    if (isOver(rollout)) this.#forgetOldRollouts();
  }

  /** A fleet lives for years and rolls many times a day: of those that are over only the last are kept. */
  #forgetOldRollouts(): void {
    const over = [...this.#fleet.rollouts.values()].filter(isOver);
    for (const { id } of over.slice(0, -ROLLOUTS_KEPT)) this.#fleet.rollouts.delete(id);
  }

  #rearm(timer: TimerName, before: Mono | null, at: Mono | null): void {
    if (before === at) return;
    this.#effects.push(at === null ? { type: 'disarm', timer } : { type: 'arm', timer, at });
  }

  #announce(what: News): void {
    this.#effects.push({ type: 'announce', what });
  }

  #endWhenDown(): void {
    const { mode } = this.#fleet;
    if (mode.kind !== 'shutting_down') return;
    for (const instance of this.#fleet.instances.values()) if (!isAtRest(instance)) return;
    this.#rearm({ of: 'shutdown' }, mode.deadline, null);
    this.#fleet.mode = { kind: 'down' };
    this.#effects.push({ type: 'finish' });
  }
}

/** Those that are over. */
const ROLLOUTS_KEPT = 20;

const ABORT: RolloutEvent = { type: 'abort', why: null };

/** Why an instance is where it is: its phase knows, or its run, and where there is none, the wish does. */
export function reasonOf(instance: Instance): Instance['wish']['because'] {
  const { phase } = instance;
  if ('ending' in phase) return phase.ending.because;
  if ('because' in phase) return phase.because;
  return lifeOf(phase)?.because ?? instance.wish.because;
}
