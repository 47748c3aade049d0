/** What the config file says that the daemon has not taken up: a reload would, and so would the next daemon. */
import { comparePlans, compareSupervisor } from '../config/compare.ts';
import { type Fleet, rolloutUnderWay } from '../core/fleet/fleet.ts';
import type { Plan } from '../core/plan.ts';
import type { KeptPlans } from './kept-plans.ts';

/** In short: `worker: command`. What a rollout under way has set aside, or went back from, the next daemon leaves aside as well. */
export function unasked(running: Plan, fresh: Plan, kept: KeptPlans, fleet: Fleet): string[] {
  const before = new Map(running.programs.map((program) => [program.name, program]));
  const after = new Set(fresh.programs.map(({ name }) => name));
  const gone = [...before.keys()].filter((name) => !after.has(name)).map((name) => `${name} is gone`);
  const changed = fresh.programs.flatMap((program) => {
    const old = before.get(program.name);
    if (old === undefined) return [`${program.name} is new`];
    if (kept.covers(program) || rolloutUnderWay(fleet, program.name) !== undefined) return [];
    return comparePlans(old, program).map(({ key }) => `${program.name}: ${key}`);
  });
  return [...compareSupervisor(running, fresh).map(({ key }) => key), ...changed, ...gone];
}
