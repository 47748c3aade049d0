/**
 * The fleet as it stands: every instance, every rollout, and the counters that never go back.
 * It is the one value that changes in place: `stepFleet` owns it, and nothing else may write to it. (A copy of
 * a map of 500 entries at each of the thousands of events of a start is what kept the daemon's memory up.)
 */
import type { Moment, Mono } from '../../base/clock.ts';
import {
  type InstanceId,
  instanceId,
  type ProgramName,
  type RolloutId,
  type Run,
  rolloutId,
  run,
} from '../../base/ids.ts';
import { type Instance, newInstance } from '../instance/instance.ts';
import { lifeOf } from '../instance/phase.ts';
import type { Plan, ProgramPlan } from '../plan.ts';
import type { Rollout } from '../rollout/rollout.ts';
import { Needs } from './needs.ts';
import { Programs } from './programs.ts';
import { extrasOf, restoreRollouts } from './resume.ts';
import type { PastPlan } from './revisions.ts';
import { StopOrder } from './stop-order.ts';

export interface Fleet {
  readonly instances: Map<InstanceId, Instance>;
  readonly rollouts: Map<RolloutId, Rollout>;
  /** Whose run it is. What is not in here belongs to an earlier run, and is dropped. */
  readonly runs: Map<Run, InstanceId>;
  /** The plan of each program as the config had it last. Its number of instances is the config's word. */
  readonly programs: Programs;
  /** The operator's word on how many there are, where he has given it. */
  readonly counts: Map<ProgramName, number>;
  /** The ids of each program's instances, in the order of their numbers. */
  readonly seats: Map<ProgramName, InstanceId[]>;
  readonly needs: Needs;
  readonly stopOrder: StopOrder;
  /** Those that are to be replaced when their turn comes. */
  readonly worn: Set<InstanceId>;
  /** For when each timer is set. */
  readonly armed: Map<string, Mono>;
  /** Of each program: how many rollouts it has seen. */
  readonly generations: Map<ProgramName, number>;
  /** Of each program: the plans that it has had, the newest last. */
  readonly revisions: Map<ProgramName, readonly PastPlan[]>;
  /** Of each program: one that kept it from being whole when somebody looked last, so that not all are looked at each time. */
  readonly notWhole: Map<ProgramName, InstanceId>;
  nextRun: Run;
  /** The numbers of the runs that are got ready while the ones before them end. */
  readonly reserved: Map<InstanceId, Run>;
  nextRollout: RolloutId;
  /** The whole of a shutdown that nobody gave another limit, in milliseconds. */
  shutdownTimeoutMs: number | null;
  mode: Mode;
}

export type Mode =
  | { readonly kind: 'running' }
  | {
      readonly kind: 'shutting_down';
      readonly since: Moment;
      readonly deadline: Mono | null;
      /** What made it, other than the operator. */
      readonly fault: string | null;
    }
  | { readonly kind: 'down'; readonly fault: string | null };

/** What a daemon knows from the one before it. */
export interface Memory {
  /** Where no run has this number or a higher one. */
  readonly nextRun: number;
  readonly nextRollout: number;
  readonly generations: ReadonlyMap<ProgramName, number>;
  /** What the operator has stopped and not started since. */
  readonly stopped: ReadonlySet<InstanceId>;
  /** Instances whose run may have outlived the daemon, as they were recorded; whether they have, the hands find out. */
  readonly alive: ReadonlyMap<InstanceId, Instance>;
  /** How many there are of a program by the operator's word. */
  readonly counts: ReadonlyMap<ProgramName, number>;
  /** What had run to completion, and is not to be run again because a daemon died. */
  readonly completed: ReadonlyMap<InstanceId, Completed>;
  /** Rollouts that were not over, with the dates of their deadlines. */
  readonly rollouts: readonly Rollout[];
  readonly revisions: ReadonlyMap<ProgramName, readonly PastPlan[]>;
}

export type Completed = Pick<Instance, 'restarts' | 'lastRun' | 'lastExit'>;

export const NO_MEMORY: Memory = {
  nextRun: 1,
  nextRollout: 1,
  generations: new Map(),
  stopped: new Set(),
  alive: new Map(),
  counts: new Map(),
  completed: new Map(),
  rollouts: [],
  revisions: new Map(),
};

/** A fleet at rest; `start` brings up what is wished for. */
export function createFleet(plan: Plan, memory: Memory): Fleet {
  const fleet: Fleet = {
    instances: new Map(),
    rollouts: new Map(),
    runs: new Map(),
    programs: new Programs(plan.programs.map((program) => [program.name, program])),
    counts: new Map(),
    seats: new Map(),
    needs: new Needs(),
    stopOrder: new StopOrder(),
    worn: new Set(),
    armed: new Map(),
    generations: new Map(memory.generations),
    revisions: new Map(memory.revisions),
    notWhole: new Map(),
    nextRun: firstFreeRun(memory),
    reserved: new Map(),
    nextRollout: rolloutId(memory.nextRollout),
    shutdownTimeoutMs: plan.shutdownTimeoutMs,
    mode: { kind: 'running' },
  };
  for (const program of plan.programs) {
    const count = memory.counts.get(program.name);
    if (count !== undefined) fleet.counts.set(program.name, count);
    for (let index = 0; index < (count ?? program.instances); index++) seat(fleet, program, index, memory);
  }
  const extras = extrasOf(memory.rollouts);
  for (const instance of memory.alive.values()) {
    if (fleet.instances.has(instance.id)) continue;
    place(fleet, extras.has(instance.id) ? { ...instance, leaving: true } : leftOver(fleet, instance));
  }
  restoreRollouts(fleet, memory.rollouts);
  return fleet;
}

/** One that is there for a run of its schedule finishes that. What is not in the plan any more is not wished for. */
function leftOver({ programs }: Fleet, instance: Instance): Instance {
  const program = programs.get(instance.program.name);
  const isExtra = instance.leaving && instance.wish.want === 'up' && program?.schedule != null;
  return isExtra
    ? { ...instance, program }
    : { ...instance, leaving: true, wish: { want: 'down', because: 'reload' } };
}

/** A process that bears a number proves that it was given out, whatever could be written down. */
function firstFreeRun({ nextRun, alive }: Memory): Run {
  const taken = [...alive.values()].map(({ lastRun }) => (lastRun ?? 0) + 1);
  return run(taken.reduce((a, b) => Math.max(a, b), nextRun));
}

function seat(fleet: Fleet, program: ProgramPlan, index: number, memory: Memory): void {
  const id = instanceId(program.name, index);
  const alive = memory.alive.get(id);
  if (alive !== undefined) {
    // A shutdown may have come after the stop; the stop holds all the same.
    const stays = alive.wish.want === 'down' && memory.stopped.has(id);
    const wish: Instance['wish'] = stays ? { want: 'down', because: 'operator' } : alive.wish;
    place(fleet, { ...alive, program, wish, leaving: false });
    return;
  }
  const because = memory.stopped.has(id) ? 'operator' : 'start';
  const generation = fleet.generations.get(program.name) ?? 0;
  const fresh = { ...newInstance(id, index, program, { want: 'down', because }), generation };
  const completed = memory.completed.get(id);
  place(fleet, completed === undefined ? fresh : { ...fresh, ...completed, ...AS_COMPLETED });
}

const AS_COMPLETED = { wish: { want: 'up', because: 'start' }, phase: { kind: 'exited' } } as const;

/** Puts an instance where it belongs; its run, if it has one, is known from now on. */
export function place(fleet: Fleet, instance: Instance): void {
  const { id, program } = instance;
  const ids = fleet.seats.get(program.name) ?? [];
  if (!fleet.instances.has(id)) fleet.seats.set(program.name, [...ids, id]);
  fleet.instances.set(id, instance);
  const run = lifeOf(instance.phase)?.run;
  if (run !== undefined) fleet.runs.set(run, id);
}

/** Only what is at rest may go. */
export function unseat(fleet: Fleet, { id, program }: Instance): void {
  fleet.instances.delete(id);
  const rest = (fleet.seats.get(program.name) ?? []).filter((other) => other !== id);
  if (rest.length === 0) fleet.seats.delete(program.name);
  else fleet.seats.set(program.name, rest);
}

/** All instances of a program, in the order of their numbers. */
export function seatsOf(fleet: Fleet, program: ProgramName): Map<InstanceId, Instance> {
  const seats = new Map<InstanceId, Instance>();
  for (const id of fleet.seats.get(program) ?? []) {
    const instance = fleet.instances.get(id);
    if (instance !== undefined) seats.set(id, instance);
  }
  return seats;
}

/** All instances: programs in the order of the config, each by its numbers, and what is on its way out last. */
export function inOrderOf(fleet: Fleet): Instance[] {
  const names = new Set([...fleet.programs.keys(), ...fleet.seats.keys()]);
  return [...names].flatMap((name) => [...seatsOf(fleet, name).values()].sort((a, b) => a.index - b.index));
}

/** Those that are there to stay. */
export const stayingOf = (fleet: Fleet, program: ProgramName): Instance[] =>
  [...seatsOf(fleet, program).values()].filter(({ leaving }) => !leaving);

/** The rollout of a program that is not over, if there is one. */
export function rolloutUnderWay(fleet: Fleet, program: ProgramName): Rollout | undefined {
  return [...fleet.rollouts.values()].find(
    (rollout) => rollout.program === program && (rollout.state === 'running' || rollout.state === 'paused'),
  );
}
