/** What works without something that it depends on: that ends nobody, but is to be known. */
import type { ProgramName } from '../base/ids.ts';
import { type Fleet, stayingOf } from '../core/fleet/fleet.ts';
import { neededOf, unmetOf } from '../core/fleet/view.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { DependencyCondition } from '../core/plan.ts';
import type { Lack } from './message.ts';

export function lackOf(fleet: Fleet, { phase }: Instance): Lack | null {
  return phase.kind === 'running' ? unmetOf(fleet, phase.body.life.program) : null;
}

/** A sentence for each program that works on, as it was wished, without one of these. */
export function missing(fleet: Fleet, gone: readonly ProgramName[]): string[] {
  return [...fleet.programs.values()].flatMap(({ name, dependsOn }) => {
    const works = stayingOf(fleet, name).some(({ wish, phase }) => wish.want === 'up' && 'body' in phase);
    const missed = works ? gone.filter((on) => isMissed(fleet, on, dependsOn[on])) : [];
    return missed.map(
      (on) => `${name} works on without ${on}, which it depends on; its next start waits for that`,
    );
  });
}

const isMissed = (fleet: Fleet, on: ProgramName, condition: DependencyCondition | undefined): boolean =>
  condition !== undefined && !fleet.needs.verdictsOf(on, () => neededOf(fleet, on))[condition].ok;
