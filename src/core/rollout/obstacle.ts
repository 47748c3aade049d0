/**
 * What stands in the way of the next turn. Whatever ends by itself is waited for; what only somebody can end (an
 * instance without a turn to come that was given up, a need that was stopped, a drain past its deadline) pauses.
 */
import { after, type Moment, type Mono } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import type { InstanceId } from '../../base/ids.ts';
import { type Instance, isAvailable } from '../instance/instance.ts';
import type { Phase } from '../instance/phase.ts';
import { resetAfterMs } from '../instance/settle.ts';
import { costsNothing } from './order.ts';
import type { Blocker, Need, Rollout, View } from './rollout.ts';

export interface Obstacle {
  /** For people, the same as long as it is waited for. */
  readonly why: string;
  /** Whom somebody has to see to; null: it ends by itself. */
  readonly blocker: Blocker | null;
  /** When it ends, if that is known. */
  readonly until?: Mono;
}

/** Why this instance must not be touched now; null: it may. `excused`: those that nobody waits for. */
export function obstacleFor(
  seat: Instance,
  excused: ReadonlySet<InstanceId>,
  rollout: Rollout,
  { seats, now, unmet }: View,
): Obstacle | null {
  // Nothing works there that could be lost: it need wait for nobody, and must not hold up its own cure.
  if (costsNothing(seat) || isUnproved(seat, rollout)) return null;
  const others = [...seats.values()].filter(
    (other) => other.wish.want === 'up' && !excused.has(other.id) && !drainsOn(other),
  );
  const away = others.filter((other) => !isWhole(other));
  for (const other of away) {
    const stuck = stuckOf(other);
    if (stuck !== null) return stuck;
  }
  const first = away[0];
  if (first !== undefined) return { why: waitsFor(first), blocker: null };
  return unmetNeed(unmet(rollout.target)) ?? unproved(others, rollout, now);
}

/** It is coming up with what is taken back, or was given up for this rollout: it may never come up. */
function isUnproved(seat: Instance, { turns }: Rollout): boolean {
  const turn = turns.find(({ id }) => id === seat.id);
  return turn !== undefined && turn.before.generation !== seat.generation && !isAvailable(seat);
}

/** A replacement that has crashed is to work for a good stretch first: a build that does not last is not rolled on. */
function unproved(others: readonly Instance[], { generation }: Rollout, now: Moment): Obstacle | null {
  for (const { id, generation: own, failures, phase } of others) {
    if (own !== generation || failures === 0 || phase.kind !== 'running') continue;
    const { readyAt, life } = phase.body;
    const resetMs = resetAfterMs(life.program);
    const until = after((readyAt ?? now).mono, resetMs);
    if (now.mono >= until) continue;
    return {
      why: `waits for ${id}, which has crashed, to work for ${formatDuration(resetMs)}`,
      blocker: null,
      until,
    };
  }
  return null;
}

/** A rollout has gone on without it. */
const drainsOn = ({ phase }: Instance): boolean =>
  phase.kind === 'draining' && phase.overdue && phase.onTimeout === 'skip';

/** It works, or has nothing to do. */
export const isWhole = (seat: Instance): boolean =>
  isAvailable(seat) || seat.phase.kind === 'exited' || waitsForTime(seat);

export const waitsForTime = ({ phase }: Instance): boolean =>
  phase.kind === 'waiting' && phase.what.kind === 'schedule';

/** In words that stay true on the whole way from an end to a new run: who waits is told once. */
const waitsFor = ({ id, phase }: Instance): string =>
  `waits for ${id} to be ${phase.kind === 'running' ? 'healthy' : 'ready'}`;

/** What will not come right by itself. */
function stuckOf({ id, phase }: Instance): Obstacle | null {
  switch (phase.kind) {
    case 'failed':
      return { why: `${id} ${phase.why}`, blocker: { name: id, is: 'failed' } };
    case 'waiting':
      return phase.what.kind === 'dependency' && phase.what.hopeless
        ? { why: `${id} ${hopelessNeed(phase.what)}`, blocker: { name: phase.what.on, is: 'needed' } }
        : null;
    case 'draining':
      return phase.overdue ? overdueDrain(id, phase) : null;
    default:
      return null;
  }
}

/** Nobody is touched whose replacement could not begin. */
function unmetNeed(need: Need | null): Obstacle | null {
  if (need === null) return null;
  if (need.hopeless) return { why: hopelessNeed(need), blocker: { name: need.on, is: 'needed' } };
  return { why: `waits for ${need.on} ${TO_BE[need.condition]}`, blocker: null };
}

const TO_BE: Record<Need['condition'], string> = {
  started: 'to be started',
  ready: 'to be ready',
  completed: 'to have completed',
};

export const hopelessNeed = ({ on, why }: Need): string => `waits for ${on}: ${why}`;

export function overdueDrain(id: InstanceId, { body }: Extract<Phase, { kind: 'draining' }>): Obstacle {
  const { drain } = body.life.program;
  const jobs = body.said.inFlight;
  const flight = jobs === null ? '' : `, ${jobs} ${jobs === 1 ? 'job' : 'jobs'} in flight`;
  const why = `${id} has not drained within ${formatDuration(drain.timeoutMs ?? 0)}${flight}; it drains on`;
  return { why, blocker: { name: id, is: 'draining' } };
}
