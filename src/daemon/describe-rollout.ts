/** A rollout as the wire shows it. */
import { after, type Moment, type Mono } from '../base/clock.ts';
import type { InstanceId, Revision } from '../base/ids.ts';
import { wordOf } from '../core/rollout/news.ts';
import { isActive, isLate, type Rollout, type Turn, type TurnStep } from '../core/rollout/rollout.ts';
import type { RolloutStatus, TurnStatus } from '../protocol/status.ts';
import { date, dateText } from './describe.ts';

/** What is known of it beside what it is. */
export interface RolloutView {
  /** Of the instance's drain; null: it has none, or does not drain. */
  drainDeadline(id: InstanceId): Mono | null;
  /** When it is over, if all goes as it has gone so far. */
  expectedEnd(rollout: Rollout): Mono | null;
}

const BLIND: RolloutView = { drainDeadline: () => null, expectedEnd: () => null };

export function describeRollout(rollout: Rollout, now: Moment, view: RolloutView = BLIND): RolloutStatus {
  const { endedAt, cause } = rollout;
  const turns = rollout.turns.filter(({ extra }) => !extra);
  const expected = view.expectedEnd(rollout);
  return {
    id: rollout.id,
    program: rollout.program,
    state: rollout.state,
    done: turns.filter(({ step }) => step.kind === 'done').length,
    total: turns.length,
    failures: rollout.turns.filter(({ step }) => step.kind === 'failed').length,
    current: rollout.turns.filter((turn) => isActive(turn) || isLate(turn)).map(({ id }) => id),
    reason: rollout.reason,
    blocker: rollout.blocker,
    max_parallel: rollout.maxParallel,
    canary: describeCanary(rollout, now),
    drains_ms: rollout.drains.map(Math.round),
    killed: rollout.killed,
    after: rollout.after,
    reverting: rollout.reverting?.why ?? null,
    reverted_revision: rollout.reverting?.revision ?? null,
    cause: { kind: cause.kind, by: cause.by, words: cause.words, of: cause.of },
    started_at: dateText(rollout.startedAt.wall),
    ended_at: endedAt === null ? null : dateText(endedAt.wall),
    expected_end: expected === null ? null : date(expected, now),
    revision: rollout.target.revision,
    from_revision: fromRevision(turns),
    turns: rollout.turns.map((turn) => describeTurn(turn, rollout, now, view)),
  };
}

function describeCanary({ canary, target }: Rollout, now: Moment): RolloutStatus['canary'] {
  if (canary.kind === 'none') return null;
  const until = canary.kind === 'held' && canary.until !== null ? date(canary.until, now) : null;
  return { count: canary.count, state: canary.kind, until, hold_ms: target.rollout.canaryHoldMs };
}

/** What most of them had before. */
export const fromRevision = (turns: readonly Turn[]): Revision | null =>
  mostOf(turns.map(({ before }) => before.program.revision));

/** The one that comes most often, the first of those where several do. */
export function mostOf<T>(values: readonly T[]): T | null {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  return most?.[0] ?? null;
}

function describeTurn(turn: Turn, rollout: Rollout, now: Moment, view: RolloutView): TurnStatus {
  const { id, extra, step } = turn;
  const deadline = deadlineOf(turn, rollout, view);
  const drainMs = 'drainMs' in step ? step.drainMs : null;
  return {
    instance: id,
    extra,
    step: wordOf(turn),
    ...(isLate(turn) ? { late: true as const } : {}),
    elapsed_ms: elapsed(step, rollout.endedAt ?? now),
    drain_ms: drainMs === null ? null : Math.round(drainMs),
    deadline: deadline === null || rollout.endedAt !== null ? null : date(deadline, now),
    ...('why' in step ? { why: step.why } : {}),
  };
}

/** A turn that was cut short by the end of its rollout has taken until then. */
function elapsed(step: TurnStep, until: Moment): number | null {
  if ('tookMs' in step) return Math.round(step.tookMs);
  return 'since' in step ? Math.max(0, Math.round(until.mono - step.since.mono)) : null;
}

function deadlineOf({ id, step }: Turn, { target }: Rollout, view: RolloutView): Mono | null {
  switch (step.kind) {
    case 'draining':
    case 'leaving':
      return view.drainDeadline(id);
    case 'starting':
      return step.deadline;
    case 'settling':
      return step.healthyAt ?? step.deadline;
    case 'checking': {
      const { check } = target.rollout;
      return check === null ? null : after(step.since.mono, check.timeoutMs);
    }
    default:
      return null;
  }
}
