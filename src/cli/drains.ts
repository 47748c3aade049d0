/** How long the drains of a rollout took, all of them together. */
import type { RolloutStatus } from '../protocol/status.ts';

export interface Drains {
  readonly count: number;
  readonly median_ms: number | null;
  readonly longest_ms: number | null;
}

/** Of extra instances and of tries that failed, too; from a daemon that does not tell those, what its turns tell. */
export function drainsOf({ drains_ms, turns }: Pick<RolloutStatus, 'drains_ms' | 'turns'>): Drains {
  const known = drains_ms ?? turns.map(({ drain_ms }) => drain_ms).filter((ms) => ms !== null);
  const lengths = known.toSorted((a, b) => a - b);
  const [low, high] = [lengths[Math.ceil(lengths.length / 2) - 1], lengths[Math.floor(lengths.length / 2)]];
  if (low === undefined || high === undefined) return { count: 0, median_ms: null, longest_ms: null };
  return {
    count: lengths.length,
    median_ms: Math.round((low + high) / 2),
    longest_ms: lengths.at(-1) ?? null,
  };
}
