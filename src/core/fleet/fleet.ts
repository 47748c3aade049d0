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
import type { Plan } from '../plan.ts';
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
  /** Rollouts that have ended, for those who ask. */
  readonly rollouts: readonly Rollout[];
}

export const NO_MEMORY: Memory = {
  nextRun: 1,
  nextRollout: 1,
  generations: new Map(),
  stopped: new Set(),
  rollouts: [],
};

/** A fleet at rest; `start` brings up what is wished for. */
export function createFleet(plan: Plan, memory: Memory): Fleet {
  const fleet: Fleet = {
    instances: new Map(),
    rollouts: new Map(memory.rollouts.map((rollout) => [rollout.id, rollout])),
    runs: new Map(),
    generations: new Map(memory.generations),
    nextRun: run(memory.nextRun),
    nextRollout: rolloutId(memory.nextRollout),
    mode: { kind: 'running' },
  };
  for (const program of plan.programs) {
    for (let index = 0; index < program.instances; index++) {
      const id = instanceId(program.name, index);
      const stopped = memory.stopped.has(id);
      const wish = { want: 'down', because: stopped ? 'operator' : 'start' } as const;
      const generation = fleet.generations.get(program.name) ?? 0;
      fleet.instances.set(id, { ...newInstance(id, index, program, wish), generation });
    }
  }
  return fleet;
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
