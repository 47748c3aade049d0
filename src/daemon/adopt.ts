/** Finds what an earlier daemon has left running, so that no second copy of anything is started. */
import type { Moment } from '../base/clock.ts';
import type { InstanceId, Run } from '../base/ids.ts';
import type { Fleet, Memory } from '../core/fleet/fleet.ts';
import { type Instance, newInstance } from '../core/instance/instance.ts';
import type { Plan } from '../core/plan.ts';
import type { Processes, Unrecorded } from '../ports/processes.ts';

/** Adds to the memory the runs that were begun just before the last daemon died, and that nobody had written down. */
export function recall(
  memory: Memory,
  identities: Map<Run, string>,
  plan: Plan,
  processes: Pick<Processes, 'unrecorded'>,
  now: Moment,
): Memory {
  const alive = new Map(memory.alive);
  for (const found of processes.unrecorded(new Set(identities.keys()))) {
    const instance = instanceOf(found, plan, memory, now);
    if (instance === null) continue;
    // A slot has one run at a time, and the next begins when nothing is left of the last: so the newer one is alive.
    if (found.run < (alive.get(instance.id)?.lastRun ?? 0)) continue;
    alive.set(instance.id, instance);
    identities.set(found.run, found.identity);
  }
  return { ...memory, alive };
}

/** Taken for a working one: it was started to work, and nothing is known that says otherwise. */
function instanceOf(
  { run, pid, instance }: Unrecorded,
  plan: Plan,
  { generations }: Memory,
  now: Moment,
): Instance | null {
  const [name, index] = [instance.slice(0, instance.lastIndexOf(':')), Number(instance.split(':').at(-1))];
  const program = plan.programs.find((candidate) => candidate.name === name);
  if (program === undefined) return null;
  const generation = generations.get(program.name) ?? 0;
  const life = { run, program, generation, because: 'start', startedAt: now } as const;
  const said = { status: '', inFlight: null, drained: false };
  return {
    ...newInstance(instance as InstanceId, index, program, { want: 'up', because: 'start' }), // from its environment
    generation,
    phase: { kind: 'running', body: { life, pid, readyAt: now, said } },
    lastRun: run,
  };
}

/** What still runs although the config does not have it any more: it may finish its jobs. */
export function* strangersTo(plan: Plan, fleet: Fleet): Iterable<InstanceId> {
  const counts = new Map(plan.programs.map(({ name, instances }) => [name, instances]));
  for (const { id, index, program } of fleet.instances.values()) {
    if (index >= (counts.get(program.name) ?? 0)) yield id;
  }
}
