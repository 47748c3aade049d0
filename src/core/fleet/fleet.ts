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

export interface Fleet {
  readonly instances: Map<InstanceId, Instance>;
  readonly rollouts: Map<RolloutId, Rollout>;
  /** Whose run it is. What is not in here belongs to an earlier run, and is dropped. */
  readonly runs: Map<Run, InstanceId>;
  /** Of each program: how many rollouts it has seen. */
  readonly generations: Map<ProgramName, number>;
  nextRun: Run;
  nextRollout: RolloutId;
  mode: Mode;
}

export type Mode =
  | { readonly kind: 'running' }
  | { readonly kind: 'shutting_down'; readonly since: Moment; readonly deadline: Mono | null }
  | { readonly kind: 'down' };

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
}

export const NO_MEMORY: Memory = {
  nextRun: 1,
  nextRollout: 1,
  generations: new Map(),
  stopped: new Set(),
  alive: new Map(),
};

/** A fleet at rest; `start` brings up what is wished for. */
export function createFleet(plan: Plan, memory: Memory): Fleet {
  const fleet: Fleet = {
    instances: new Map(),
    rollouts: new Map(),
    runs: new Map(),
    generations: new Map(memory.generations),
    nextRun: firstFreeRun(memory),
    nextRollout: rolloutId(memory.nextRollout),
    mode: { kind: 'running' },
  };
  for (const program of plan.programs) {
    for (let index = 0; index < program.instances; index++) seat(fleet, program, index, memory);
  }
  for (const instance of memory.alive.values()) {
    // Not in the plan any more: it is let go in its own time, like everything that is not wished for.
    if (!fleet.instances.has(instance.id))
      place(fleet, { ...instance, wish: { want: 'down', because: 'reload' } });
  }
  return fleet;
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
    place(fleet, { ...alive, program, wish: stays ? { want: 'down', because: 'operator' } : alive.wish });
    return;
  }
  const because = memory.stopped.has(id) ? 'operator' : 'start';
  const generation = fleet.generations.get(program.name) ?? 0;
  place(fleet, { ...newInstance(id, index, program, { want: 'down', because }), generation });
}

function place(fleet: Fleet, instance: Instance): void {
  fleet.instances.set(instance.id, instance);
  const run = lifeOf(instance.phase)?.run;
  if (run !== undefined) fleet.runs.set(run, instance.id);
}

/** All instances of a program, in the order of their numbers. */
export function seatsOf(fleet: Fleet, program: ProgramName): Map<InstanceId, Instance> {
  const seats = new Map<InstanceId, Instance>();
  for (const [id, instance] of fleet.instances) {
    if (instance.program.name === program) seats.set(id, instance);
  }
  return seats;
}

/** The rollout of a program that is not over, if there is one. */
export function rolloutUnderWay(fleet: Fleet, program: ProgramName): Rollout | undefined {
  return [...fleet.rollouts.values()].find(
    (rollout) => rollout.program === program && (rollout.state === 'running' || rollout.state === 'paused'),
  );
}
