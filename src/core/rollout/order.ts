/** In which order a rollout takes its instances. */
import type { Instance } from '../instance/instance.ts';
import { isAvailable } from '../instance/instance.ts';
import { bodyOf } from '../instance/phase.ts';
import type { RolloutPlan } from '../plan.ts';

/** Those that do no work come first whatever the order: replacing them costs nobody anything. */
export function inOrder(instances: readonly Instance[], order: RolloutPlan['order']): Instance[] {
  const rank = RANKS[order];
  return instances.toSorted(
    (a, b) => Number(isAvailable(a)) - Number(isAvailable(b)) || rank(a) - rank(b) || a.index - b.index,
  );
}

const RANKS: Record<RolloutPlan['order'], (instance: Instance) => number> = {
  index: (instance) => instance.index,
  oldest: (instance) => bodyOf(instance.phase)?.life.startedAt.mono ?? 0,
  // Whoever never reported comes after those known to be idle and among the busy ones by its number.
  idle_first: (instance) => bodyOf(instance.phase)?.said.inFlight ?? 1,
};
