/** So many turns first, and then a hold: by time, or until somebody promotes it. */
import { after, type Moment, type Mono } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import { type Canary, isActive, ordinary, type Rollout } from './rollout.ts';

/** Where the canary stands, now that the turns are as they are. */
export function moveCanary(rollout: Rollout, now: Moment): Rollout {
  const { canary } = rollout;
  if (canary.kind === 'held' && canary.until !== null && now.mono >= canary.until) return promoted(rollout);
  if (canary.kind !== 'first') return rollout;
  const turns = ordinary(rollout);
  if (!turns.some(({ step }) => step.kind === 'pending')) return promoted(rollout); // nothing is left to be held
  const done = turns.filter(({ step }) => step.kind === 'done');
  if (done.length < canary.count || turns.some(isActive)) return rollout;
  const holdMs = rollout.target.rollout.canaryHoldMs;
  if (holdMs === 0) return promoted(rollout);
  const until = holdMs === null ? null : after(now.mono, holdMs);
  return { ...rollout, canary: { kind: 'held', count: canary.count, since: now, until } };
}

export function promoted(rollout: Rollout): Rollout {
  const { canary } = rollout;
  if (canary.kind === 'none' || canary.kind === 'promoted') return rollout;
  return { ...rollout, canary: { kind: 'promoted', count: canary.count } };
}

/** How many more turns may be begun before the hold. */
export function roomBeforeHold(rollout: Rollout): number {
  const { canary } = rollout;
  if (canary.kind === 'held') return 0;
  if (canary.kind !== 'first') return Number.POSITIVE_INFINITY;
  const begun = ordinary(rollout).filter(({ step }) => step.kind !== 'pending' && step.kind !== 'skipped');
  return canary.count - begun.length;
}

/** No failure is allowed for as long as this is so. */
export const isOnTrial = ({ kind }: Canary): boolean => kind === 'first' || kind === 'held';

export function whyHeld({ canary, target }: Rollout): string | null {
  if (canary.kind !== 'held') return null;
  const of = `after the canary of ${canary.count}`;
  if (canary.until === null) return `held ${of} until it is promoted`;
  return `held ${of} for ${formatDuration(target.rollout.canaryHoldMs ?? canary.until - canary.since.mono)}`;
}

export const heldUntil = ({ canary }: Rollout): Mono | null => (canary.kind === 'held' ? canary.until : null);
