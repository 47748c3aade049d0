/** Which rollout is in the way of a request that wants these programs for itself. */
import type { ProgramName } from '../../base/ids.ts';
import type { Rollout } from '../rollout/rollout.ts';
import { type Fleet, rolloutUnderWay } from './fleet.ts';

export function conflictWith(fleet: Fleet, programs: readonly ProgramName[]): Rollout | null {
  for (const program of programs) {
    const rollout = rolloutUnderWay(fleet, program);
    if (rollout !== undefined) return rollout;
  }
  return null;
}
