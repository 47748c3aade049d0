/**
 * The transition function of a rolling restart. It looks at the program's instances as they are, moves its
 * turns on, and touches the next instance only when nothing that it knows speaks against it.
 */
import { assertNever } from '../../base/assert-never.ts';
import { type Moment, type Mono, mono } from '../../base/clock.ts';
import { again } from './again.ts';
import { endHere, turnBack } from './back.ts';
import { heldUntil, moveCanary, promoted } from './canary.ts';
import { askChecks, unasked } from './checks.ts';
import type { RolloutEffect, RolloutEvent, RolloutStep } from './event.ts';
import { intolerable, isSettled, whyFailed } from './failures.ts';
import { beginTurns, dismissExtras, replaceBy } from './gates.ts';
import { holdAfterKill, isDying, killedNow } from './kill.ts';
import { newsOf, told } from './news.ts';
import { drainedLate, overdueOf, pausedBy, pausedFor, whomToSeeTo, whyEnded } from './pause.ts';
import { isOver, ordinary, type Rollout, type Seats, type Turn, type View, withStep } from './rollout.ts';
import { AT_NEXT_RUN, failedStep, moveTurn, passed } from './turn.ts';

export function stepRollout(rollout: Rollout, event: RolloutEvent, view: View): RolloutStep {
  if (isOver(rollout)) return { rollout, effects: [] };
  const step = take(rollout, event, view);
  const asked = askChecks(step.rollout, view.seats);
  const changed = asked.rollout;
  if (changed === rollout || isSame(rollout, changed)) return { rollout, effects: step.effects };
  return {
    rollout: changed,
    effects: [...unasked(rollout, changed, event), ...step.effects, ...asked.effects],
  };
}

function take(rollout: Rollout, event: RolloutEvent, view: View): RolloutStep {
  switch (event.type) {
    case 'look':
      return advance(rollout, view);
    case 'pause':
      return {
        rollout: rollout.state === 'paused' ? rollout : pausedFor(rollout, pausedBy(event.by)),
        effects: [],
      };
    case 'resume':
      return resume(rollout, view);
    case 'promote':
      return advance(promoted(rollout), view);
    case 'revert':
      return revert(rollout, whyEnded('reverted', rollout, event), view) ?? { rollout, effects: [] };
    case 'abort': {
      const why = event.why ?? whyEnded('aborted', rollout, event);
      return told(rollout, endHere(rollout, { ...event, state: 'aborted', why }, view));
    }
    case 'judged':
      return judged(rollout, event, view);
    default:
      return assertNever(event);
  }
}

/** The moment at which it wants to look again although nothing has happened. */
export function rolloutDeadline(rollout: Rollout, now: Moment): Mono | null {
  if (isOver(rollout)) return null;
  const own = rollout.turns.flatMap(({ step }) => {
    if (step.kind === 'settling') return [step.healthyAt, step.deadline];
    return step.kind === 'starting' ? [step.deadline] : [];
  });
  // One that has passed is waited for no more: something else is missing, such as the first answer of a health check.
  const deadlines = [...own, heldUntil(rollout), rollout.notBefore?.at ?? null].filter(
    (moment): moment is Mono => moment !== null && moment > now.mono,
  );
  return deadlines.length === 0 ? null : mono(Math.min(...deadlines));
}

function advance(before: Rollout, view: View): RolloutStep {
  const { seats, now } = view;
  const turns = moveTurns(before, view);
  const drains = [...before.drains, ...drainsEnded(before.turns, turns)];
  const killed = [...before.killed, ...killedNow(before.turns, turns, seats)];
  const held = holdAfterKill(before, { ...before, turns, drains, killed }, view);
  const isFree = isWaitOver(held, now) && !turns.some((turn) => isDying(turn, seats));
  const moved = moveCanary(isFree ? { ...held, notBefore: null } : held, now);
  const plans = plansForSkipped(before, moved, seats);
  const next = follow(moved, view) ?? dismissThenJudge(moved, view);
  return { rollout: next.rollout, effects: [...newsOf(before, moved), ...plans, ...next.effects] };
}

/** One after the other: what one has come to decides how far the next may go. */
function moveTurns(before: Rollout, { seats, now }: View): readonly Turn[] {
  let current = before;
  before.turns.forEach((turn, i) => {
    const moved = moveTurn(turn, current, seats, now);
    if (moved !== turn) current = { ...current, turns: current.turns.with(i, moved) };
  });
  return current.turns;
}

/** How long those drained that have come to their end in this look, in milliseconds. */
const drainsEnded = (before: readonly Turn[], turns: readonly Turn[]): number[] =>
  turns.flatMap(({ step }, i) => {
    const was = before[i]?.step.kind;
    const ended = (was === 'draining' || was === 'leaving') && step.kind !== was;
    return ended && 'drainMs' in step && step.drainMs !== null ? [step.drainMs] : [];
  });

const isWaitOver = ({ notBefore }: Rollout, now: Moment): boolean =>
  notBefore !== null && now.mono >= notBefore.at;

/** What the one ahead of it has come to; null: nothing that ends this one. */
function follow(rollout: Rollout, view: View): RolloutStep | null {
  const { ahead } = view;
  if (rollout.after === null || (ahead !== null && !isOver(ahead))) return null;
  if (ahead === null || ahead.state === 'succeeded') {
    return dismissThenJudge({ ...rollout, after: null, startedAt: view.now }, view);
  }
  const why = `rollout ${ahead.id} of ${ahead.program}, which came before it, ${ENDED[ahead.state] ?? ahead.state}`;
  return told(rollout, endHere(rollout, { state: 'aborted', why }, view));
}

const ENDED: Partial<Record<Rollout['state'], string>> = {
  failed: 'failed',
  aborted: 'was aborted',
  reverted: 'was reverted',
};

function dismissThenJudge(rollout: Rollout, view: View): RolloutStep {
  if (intolerable(rollout) !== null) return judge(rollout, view);
  const dismissed = told(rollout, dismissExtras(rollout, view));
  const next = judge(dismissed.rollout, view);
  return { rollout: next.rollout, effects: [...dismissed.effects, ...next.effects] };
}

/** What the turns, as they stand, mean for the whole. */
function judge(rollout: Rollout, view: View): RolloutStep {
  const failed = intolerable(rollout);
  if (failed === null && rollout.turns.every(isSettled) && !hasExtras(rollout, view.seats)) {
    return { rollout: { ...rollout, ...outcomeOf(rollout), blocker: null, endedAt: view.now }, effects: [] };
  }
  if (rollout.state !== 'running') return { rollout: drainedLate(rollout, view.seats), effects: [] };
  if (failed !== null) return fail(rollout, failed, view);
  const overdue = rollout.turns.flatMap((turn) => overdueOf(turn, view.seats) ?? [])[0];
  if (overdue !== undefined) return { rollout: pausedFor(rollout, overdue), effects: [] };
  return told(rollout, beginTurns(rollout, view));
}

/** That nothing speaks against it is no success where nothing was done. */
function outcomeOf(rollout: Rollout): Pick<Rollout, 'state' | 'reason'> {
  if (rollout.reverting !== null) return { state: 'reverted', reason: rollout.reverting.why };
  const turns = ordinary(rollout);
  if (turns.length === 0 || turns.some(({ step }) => step.kind === 'done'))
    return { state: 'succeeded', reason: null };
  const failed = turns.find(({ step }) => step.kind === 'failed');
  if (failed !== undefined) return { state: 'failed', reason: whyFailed(rollout, failed) };
  const isTaken = turns.every(({ step }) => step.kind === 'skipped' && step.why === AT_NEXT_RUN);
  return isTaken
    ? { state: 'succeeded', reason: null }
    : { state: 'aborted', reason: 'nothing of it is left to be restarted' };
}

/** Some are still there, to be dismissed: one that runs to its end is settled before. */
const hasExtras = ({ turns }: Rollout, seats: Seats): boolean =>
  turns.some(({ id, extra }) => {
    const seat = seats.get(id);
    return extra && seat?.leaving === true && seat.wish.want === 'up';
  });

function fail(rollout: Rollout, turn: Turn, view: View): RolloutStep {
  const why = whyFailed(rollout, turn);
  const { onFailure } = rollout.target.rollout;
  if (onFailure === 'pause' || rollout.reverting !== null) {
    return { rollout: pausedFor(rollout, { why, blocker: whomToSeeTo(turn, view.seats) }), effects: [] };
  }
  if (onFailure === 'abort') return told(rollout, endHere(rollout, { state: 'failed', why }, view));
  const nowhere = `${why}; there is no other revision to go back to`;
  return (
    revert(rollout, why, view) ?? told(rollout, endHere(rollout, { state: 'failed', why: nowhere }, view))
  );
}

/** Null: there is nothing to go back to. */
function revert(rollout: Rollout, why: string, view: View): RolloutStep | null {
  if (rollout.reverting !== null) return null;
  const plan = view.back();
  if (plan === null) return null;
  const back = told(rollout, turnBack(rollout, why, plan, view));
  const next = advance(back.rollout, view);
  return { rollout: next.rollout, effects: [...back.effects, ...next.effects] };
}

function judged(
  rollout: Rollout,
  { attempt, ok, detail }: Extract<RolloutEvent, { type: 'judged' }>,
  view: View,
): RolloutStep {
  const turn = rollout.turns.find(({ step }) => step.kind === 'checking' && step.attempt === attempt);
  if (turn?.step.kind !== 'checking') return { rollout, effects: [] }; // nobody waits for it any more
  const { now } = view;
  const step = ok
    ? passed(turn.step, turn.extra, now)
    : { ...failedStep(turn.step, `did not pass the check: ${detail}`, now), refused: true as const };
  const decided = withStep(rollout, turn.id, step);
  const next = advance(decided, view);
  return { rollout: next.rollout, effects: [...newsOf(rollout, decided), ...next.effects] };
}

/** Whoever was stopped before its turn came takes on the plan for its next start. */
function plansForSkipped(before: Rollout, rollout: Rollout, seats: Seats): RolloutEffect[] {
  return rollout.turns.flatMap((turn, i) => {
    const seat = seats.get(turn.id);
    const skippedNow = turn.step.kind === 'skipped' && before.turns[i]?.step.kind === 'pending';
    // Who leaves and stays after all is as those whose turn has not come.
    return skippedNow && seat?.wish.want === 'down' && !seat.leaving ? [replaceBy(rollout, seat)] : [];
  });
}

/** A look that finds nothing new is no change: nothing is recorded, nobody is told. */
const isSame = (a: Rollout, b: Rollout): boolean =>
  a.state === b.state &&
  a.reason === b.reason &&
  a.canary === b.canary &&
  a.notBefore === b.notBefore &&
  a.after === b.after &&
  a.turns.length === b.turns.length &&
  a.turns.every((turn, i) => turn === b.turns[i]);

/** Turns that failed are taken again, drains that were too long get their time anew. */
function resume(rollout: Rollout, view: View): RolloutStep {
  const { seats, now } = view;
  const turns = rollout.turns.map(
    (turn): Turn =>
      turn.step.kind === 'failed'
        ? { ...turn, step: again(turn.step, rollout, seats.get(turn.id), now) }
        : turn,
  );
  const running: Rollout = { ...rollout, state: 'running', reason: null, blocker: null, turns };
  const overdue = turns.filter((turn) => overdueOf(turn, seats) !== null);
  // A drain that gets its time anew is overdue until the instance has heard of it; the look that follows goes on.
  if (overdue.length > 0) {
    const grants = overdue.map(({ id }) => ({ type: 'grant', id }) as const);
    return told(rollout, { rollout: running, effects: grants });
  }
  const next = advance(running, view);
  return { rollout: next.rollout, effects: [...newsOf(rollout, running), ...next.effects] };
}
