/** How long to wait after so many failures, and when to give up. */
import type { Run } from '../../base/ids.ts';
import type { BackoffPlan } from '../plan.ts';

/**
 * Milliseconds before the next try after the `failures`-th consecutive failure (from 1): geometric, capped,
 * spread by the jitter so that instances which fell together do not rise together.
 */
export function backoffDelay(plan: BackoffPlan, failures: number, run: Run): number {
  const grown = plan.initialMs * plan.factor ** Math.max(0, failures - 1);
  const capped = Math.min(grown, plan.maxMs);
  return Math.round(capped * (1 + plan.jitter * spread(run)));
}

export const givesUp = (plan: BackoffPlan, failures: number): boolean =>
  plan.giveUpAfter !== null && failures >= plan.giveUpAfter;

/** From -1 to 1, evenly over runs. A run number is never used again, so it serves instead of randomness, which core has none of. */
function spread(run: Run): number {
  const mixed = Math.imul(run ^ (run >>> 15), 0x2c1b3c6d) ^ 0x297a2d39;
  const again = Math.imul(mixed ^ (mixed >>> 12), 0x85ebca6b);
  return ((again >>> 0) / 0xffffffff) * 2 - 1;
}
