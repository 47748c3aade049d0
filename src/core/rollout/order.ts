/** In which order a rollout takes its instances. */
import type { Instance } from '../instance/instance.ts';
import { isAvailable } from '../instance/instance.ts';
import { bodyOf } from '../instance/phase.ts';
import type { RolloutPlan } from '../plan.ts';

/** Those that do no work come first whatever the order: replacing them costs nobody anything, and may be their cure. */
export function inOrder(instances: readonly Instance[], order: RolloutPlan['order']): Instance[] {
  const rank = RANKS[order];
  return instances.toSorted(
    (a, b) => STANDINGS[standing(a)] - STANDINGS[standing(b)] || rank(a) - rank(b) || a.index - b.index,
  );
}

const RANKS: Record<RolloutPlan['order'], (instance: Instance) => number> = {
  index: (instance) => instance.index,
  oldest: (instance) => bodyOf(instance.phase)?.life.startedAt.mono ?? 0,
  // Whoever never reported comes after those known to be idle and among the busy ones by its number.
  idle_first: (instance) => bodyOf(instance.phase)?.said.inFlight ?? 1,
};

/** Not even a job can have begun there. */
export const costsNothing = (seat: Instance): boolean => {
  const is = standing(seat);
  return is === 'empty' || is === 'broken';
};

/** `empty`: without a process. `broken`: with one that ends, or that is of no use as it is. `coming`: about to work. */
type Standing = 'empty' | 'broken' | 'coming' | 'works';

const STANDINGS: Record<Standing, number> = { empty: 0, broken: 1, coming: 2, works: 3 };

function standing(seat: Instance): Standing {
  const { phase } = seat;
  if (isAvailable(seat)) return 'works';
  if (EMPTY.has(phase.kind)) return 'empty';
  // One that is ending anyway, for whatever reason, is replaced once and not twice.
  if (phase.kind === 'running' || 'ending' in phase) return 'broken';
  // It would wait for its readiness for ever.
  if (phase.kind === 'starting' && phase.readyBy === null && !phase.hook) return 'broken';
  return 'coming';
}

const EMPTY: ReadonlySet<Instance['phase']['kind']> = new Set([
  'stopped',
  'waiting',
  'backoff',
  'exited',
  'failed',
]);
