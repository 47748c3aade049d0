/** Finds what an earlier daemon has left running, so that no second copy of anything is started. */
import type { Moment } from '../base/clock.ts';
import type { InstanceId, Run } from '../base/ids.ts';
import type { Memory } from '../core/fleet/fleet.ts';
import { type Instance, newInstance } from '../core/instance/instance.ts';
import type { Plan } from '../core/plan.ts';
import type { Processes, Unrecorded } from '../ports/processes.ts';

/** Adds to the memory the runs that were begun just before the last daemon died, and that nobody had written down. */
export function recall(
  memory: Memory,
  identities: Map<Run, string>,
  plan: Plan,
  processes: Processes,
  now: Moment,
): Memory {
  const alive = new Map(memory.alive);
  for (const found of processes.unrecorded(new Set(identities.keys()))) {
    const instance = instanceOf(found, plan, now);
    // A slot has one run at a time; a second one would be a run that was being ended when its record was cut off.
    if (instance === null || alive.has(instance.id)) continue;
    alive.set(instance.id, instance);
    identities.set(found.run, found.identity);
  }
  return { ...memory, alive };
}

/** Taken for a working one: it was started to work, and nothing is known that says otherwise. */
function instanceOf({ run, pid, instance }: Unrecorded, plan: Plan, now: Moment): Instance | null {
  const [name, index] = [instance.slice(0, instance.lastIndexOf(':')), Number(instance.split(':').at(-1))];
  const program = plan.programs.find((candidate) => candidate.name === name);
  if (program === undefined) return null;
  const life = { run, program, generation: 0, because: 'start', startedAt: now } as const;
  const said = { status: '', inFlight: null, drained: false };
  return {
    ...newInstance(instance as InstanceId, index, program, { want: 'up', because: 'start' }), // from its environment
    phase: { kind: 'running', body: { life, pid, readyAt: now, said } },
    lastRun: run,
  };
}
