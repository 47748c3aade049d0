/** How long the drains of a rollout took, all of them together. */
import type { RolloutStatus } from '../protocol/status.ts';

export interface Drains {
  readonly count: number;
  readonly median_ms: number | null;
  readonly longest_ms: number | null;
}

export function drainsOf({ turns }: Pick<RolloutStatus, 'turns'>): Drains {
  const lengths = turns
    .map(({ drain_ms }) => drain_ms ?? null)
    .filter((ms) => ms !== null)
    .sort((a, b) => a - b);
  const [low, high] = [lengths[Math.ceil(lengths.length / 2) - 1], lengths[Math.floor(lengths.length / 2)]];
  if (low === undefined || high === undefined) return { count: 0, median_ms: null, longest_ms: null };
  return {
    count: lengths.length,
    median_ms: Math.round((low + high) / 2),
    longest_ms: lengths.at(-1) ?? null,
  };
}
