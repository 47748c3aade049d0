/** How many instances programs have where that is not what the config says, or none: what has no row is not forgotten. */
import type { ProgramName } from '../base/ids.ts';
import { type Fleet, seatsOf } from '../core/fleet/fleet.ts';
import { selectsProgram } from '../core/fleet/select.ts';
import type { Plan } from '../core/plan.ts';
import type { ProgramCount } from '../protocol/status.ts';
import { Refused } from './refuse.ts';

interface Parts {
  readonly fleet: Fleet;
  plan(): Plan;
}

/** Of the programs that the selectors mean; none given: of all. */
export function countsOf({ fleet, plan }: Parts, selectors: readonly string[]): ProgramCount[] {
  const { groups } = plan();
  const isMeant = (name: ProgramName): boolean =>
    selectors.length === 0 || selectors.some((selector) => selectsProgram(selector, name, groups));
  return [...fleet.programs.values()].flatMap(({ name, instances: configured }) => {
    const instances = fleet.counts.get(name) ?? configured;
    const isUsual = instances === configured && instances > 0;
    return isUsual || !isMeant(name) ? [] : [{ program: name, instances, configured }];
  });
}

/** Whether it means programs that there are, and that have no instance. */
export const meansEmpty = (parts: Parts, selector: string): boolean => emptyOf(parts, selector) !== undefined;

/** @throws Refused where the selector, which matches no instance, means a program that has none. */
export function refuseEmpty(parts: Parts, selector: string): void {
  const count = emptyOf(parts, selector);
  if (count === undefined) return;
  const { program, configured } = count;
  const why = configured === 0 ? 'the config has 0 of it' : 'an operator has scaled it to 0';
  const next = configured === 0 ? 'give it some' : 'give it what the config has';
  throw new Refused(
    'no_match',
    `${program} has no instances: ${why}`,
    `${next}: "tsup-visor scale ${program}=${Math.max(1, configured)}"`,
  );
}

function emptyOf(parts: Parts, selector: string): ProgramCount | undefined {
  // The name comes from the fleet's own programs.
  return countsOf(parts, [selector]).find(
    ({ program, instances }) => instances === 0 && seatsOf(parts.fleet, program as ProgramName).size === 0,
  );
}
