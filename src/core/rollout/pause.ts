/** What a rollout is paused or ended for, in words that name who asked, and whom somebody has to see to. */
import { formatDuration } from '../../base/duration.ts';
import { type Obstacle, overdueDrain } from './obstacle.ts';
import type { Blocker, Rollout, Seats, Turn } from './rollout.ts';

/** By whom and why: in the words of whoever asked; otherwise what it was paused for is what it was ended for. */
export function whyEnded(
  how: 'aborted' | 'reverted',
  rollout: Rollout,
  { by, words }: { readonly by?: string | null; readonly words?: string },
): string {
  const why = words ?? causeOf(rollout);
  return why === null ? `${how} by ${whoIs(by)}` : `${how} by ${whoIs(by)}: ${why}`;
}

/** What it was paused for, if that was not somebody's wish. */
const causeOf = ({ state, reason, blocker }: Rollout): string | null =>
  state === 'paused' && blocker !== null ? reason : null;

const whoIs = (by: string | null | undefined): string => by ?? 'the operator';

export const pausedBy = (by: string | null | undefined): Obstacle => ({
  why: `paused by ${whoIs(by)}`,
  blocker: null,
});

/** One that waits for what will not come is not to be looked at itself. */
export function whomToSeeTo({ id }: Turn, seats: Seats): Blocker {
  const phase = seats.get(id)?.phase;
  const isNeeded = phase?.kind === 'waiting' && phase.what.kind === 'dependency';
  return isNeeded ? { name: phase.what.on, is: 'needed' } : { name: id, is: 'failed' };
}

export const pausedFor = (rollout: Rollout, { why, blocker }: Obstacle): Rollout => ({
  ...rollout,
  state: 'paused',
  reason: why,
  blocker,
});

export function overdueOf({ id, step }: Turn, seats: Seats): Obstacle | null {
  const phase = seats.get(id)?.phase;
  const waits = step.kind === 'draining' || step.kind === 'leaving';
  const isOverdue = waits && phase?.kind === 'draining' && phase.overdue && phase.onTimeout !== 'skip';
  return isOverdue ? overdueDrain(id, phase) : null;
}

/** It was paused for a drain that took too long, and has come to its end since: nobody is to end that any more. */
export function drainedLate(rollout: Rollout, seats: Seats): Rollout {
  const { blocker, turns } = rollout;
  if (blocker?.is !== 'draining') return rollout;
  const turn = turns.find(({ id }) => id === blocker.name);
  const phase = [...seats.values()].find(({ id }) => id === blocker.name)?.phase;
  if (phase?.kind === 'draining' && phase.overdue) return rollout;
  const drainMs = turn !== undefined && 'drainMs' in turn.step ? turn.step.drainMs : null;
  const took = drainMs === null ? '' : `, after ${formatDuration(drainMs)}`;
  return {
    ...rollout,
    reason: `${blocker.name} has drained meanwhile${took}: later than it may`,
    blocker: null,
  };
}
