/** Drains that end in a kill: who was killed, and for how long nobody is touched after that. */
import { after } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import type { InstanceId } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import type { Rollout, Seats, Turn, View } from './rollout.ts';

/** The retried job of whoever is killed is not to meet the next turn: from the kill on, and counted from its end. */
export function holdAfterKill(before: Rollout, rollout: Rollout, { seats, now }: View): Rollout {
  const { afterKillHoldMs } = rollout.target.rollout;
  if (afterKillHoldMs === 0) return rollout;
  const at = after(now.mono, afterKillHoldMs);
  const whyFor = ({ id }: Turn): string =>
    `waits ${formatDuration(afterKillHoldMs)} from the end of ${id}, which was killed before it had drained`;
  const gone = before.turns.find((turn, i) => wasKilled(turn, rollout.turns[i], seats.get(turn.id)));
  if (gone !== undefined) return { ...rollout, notBefore: { at, why: whyFor(gone) } };
  const dying = rollout.turns.find((turn) => isDying(turn, seats));
  if (dying === undefined || rollout.notBefore?.why === whyFor(dying)) return rollout;
  return { ...rollout, notBefore: { at, why: whyFor(dying) } };
}

export const isDying = ({ id, step }: Turn, seats: Seats): boolean =>
  step.kind === 'draining' && seats.get(id)?.phase.kind === 'killing';

/** Its drain has come to an end in this look, and that was a kill. */
function wasKilled({ step }: Turn, now: Turn | undefined, seat: Instance | undefined): boolean {
  if (step.kind !== 'draining' || now?.step.kind === 'draining') return false;
  return seat?.lastExit?.killed === true && seat.lastExit.run === step.oldRun;
}

export const killedNow = (before: readonly Turn[], turns: readonly Turn[], seats: Seats): InstanceId[] =>
  before.filter((turn, i) => wasKilled(turn, turns[i], seats.get(turn.id))).map(({ id }) => id);
