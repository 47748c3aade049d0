/**
 * The transition function of a rolling restart. It looks at the program's instances as they are, moves its
 * turns on, and touches the next instance only when nothing that it knows speaks against it.
 */
import { assertNever } from '../../base/assert-never.ts';
import { type Moment, type Mono, mono } from '../../base/clock.ts';
import type { InstanceId, RolloutId } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import { lifeOf, type OnTimeout, type Phase } from '../instance/phase.ts';
import type { ProgramPlan } from '../plan.ts';
import { isWhole, type Obstacle, obstacleFor, overdueDrain, type Unmet } from './obstacle.ts';
import { inOrder } from './order.ts';
import { type Blocker, isActive, isOver, type Rollout, type Seats, type Turn } from './rollout.ts';
import { moveTurn, startingStep } from './turn.ts';

export type RolloutEvent =
  /** Something about its instances may have changed, or its deadline may have come. */
  | { readonly type: 'look' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** `why`: null when the operator asked for it. */
  | { readonly type: 'abort'; readonly why: string | null };

export type RolloutEffect =
  | {
      readonly type: 'replace';
      readonly id: InstanceId;
      readonly because: `rollout ${number}`;
      readonly program: ProgramPlan;
      readonly generation: number;
      readonly onTimeout: OnTimeout;
    }
  | { readonly type: 'grant'; readonly id: InstanceId }
  | {
      readonly type: 'turn';
      readonly rollout: RolloutId;
      readonly id: InstanceId;
      readonly step: Turn['step']['kind'];
    };

export interface RolloutStep {
  readonly rollout: Rollout;
  readonly effects: readonly RolloutEffect[];
}

export function stepRollout(
  rollout: Rollout,
  event: RolloutEvent,
  seats: Seats,
  now: Moment,
  unmet: Unmet = () => null,
): RolloutStep {
  if (isOver(rollout)) return { rollout, effects: [] };
  switch (event.type) {
    case 'look':
      return advance(rollout, seats, now, unmet);
    case 'pause':
      return { rollout: rollout.state === 'paused' ? rollout : pausedFor(rollout, BY_OPERATOR), effects: [] };
    case 'resume':
      return resume(rollout, seats, now, unmet);
    case 'abort':
      return abort(rollout, event.why, seats, now);
    default:
      return assertNever(event);
  }
}

/** The moment at which it wants to look again although nothing has happened. */
export function rolloutDeadline(rollout: Rollout, now: Moment): Mono | null {
  const deadlines = rollout.turns.flatMap(({ step }) => {
    const own = step.kind === 'settling' ? [step.healthyAt, step.deadline] : [];
    const all = step.kind === 'starting' ? [step.deadline] : own;
    // One that has passed is waited for no more: something else is missing, such as the first answer of a health check.
    return all.filter((moment): moment is Mono => moment !== null && moment > now.mono);
  });
  if (isOver(rollout) || deadlines.length === 0) return null;
  return mono(Math.min(...deadlines));
}

function advance(rollout: Rollout, seats: Seats, now: Moment, unmet: Unmet): RolloutStep {
  const turns = rollout.turns.map((turn) => moveTurn(turn, rollout, seats, now));
  const judged = judge({ ...rollout, turns }, seats, now);
  const begun =
    judged.state === 'running' ? beginTurns(judged, seats, now, unmet) : { rollout: judged, effects: [] };
  if (sameAs(rollout, begun.rollout)) return { rollout, effects: [] };
  const news = newsOf(rollout, begun.rollout);
  return {
    rollout: begun.rollout,
    effects: [...news, ...planForSkipped(rollout, judged, seats), ...begun.effects],
  };
}

/** Whoever was stopped before its turn came takes on the plan for its next start. */
function planForSkipped(before: Rollout, rollout: Rollout, seats: Seats): RolloutEffect[] {
  return rollout.turns.flatMap((turn, i) => {
    const seat = seats.get(turn.id);
    const skippedNow = turn.step.kind === 'skipped' && before.turns[i]?.step.kind === 'pending';
    return skippedNow && seat?.wish.want === 'down' ? [replaceBy(rollout, seat)] : [];
  });
}

function newsOf(before: Rollout, rollout: Rollout): RolloutEffect[] {
  return rollout.turns.flatMap((turn, i) => {
    const step = turn.step.kind;
    return before.turns[i]?.step.kind === step
      ? []
      : [{ type: 'turn', rollout: rollout.id, id: turn.id, step } as const];
  });
}

/** A look that finds nothing new is no change: nothing is recorded, nobody is told. */
const sameAs = (a: Rollout, b: Rollout): boolean =>
  a.state === b.state && a.reason === b.reason && a.turns.every((turn, i) => turn === b.turns[i]);

/** What the turns, as they stand, mean for the whole. */
function judge(rollout: Rollout, seats: Seats, now: Moment): Rollout {
  if (rollout.turns.every(({ step }) => step.kind === 'done' || step.kind === 'skipped')) {
    return { ...rollout, state: 'succeeded', reason: null, blocker: null, endedAt: now };
  }
  if (rollout.state !== 'running') return rollout;
  const failed = rollout.turns.find(({ step }) => step.kind === 'failed');
  if (failed?.step.kind === 'failed') {
    const why = `${failed.id} ${failed.step.why}`;
    return pausedFor(rollout, { why, blocker: whomToSeeTo(failed, seats) });
  }
  const overdue = rollout.turns.flatMap((turn) => overdueOf(turn, seats) ?? [])[0];
  return overdue ? pausedFor(rollout, overdue) : rollout;
}

/** One that waits for what will not come is not to be looked at itself. */
function whomToSeeTo({ id }: Turn, seats: Seats): Blocker {
  const phase = seats.get(id)?.phase;
  const isNeeded = phase?.kind === 'waiting' && phase.what.kind === 'dependency';
  return isNeeded ? { name: phase.what.on, is: 'needed' } : { name: id, is: 'failed' };
}

const BY_OPERATOR: Obstacle = { why: 'paused by the operator', blocker: null };

const pausedFor = (rollout: Rollout, { why, blocker }: Obstacle): Rollout => ({
  ...rollout,
  state: 'paused',
  reason: why,
  blocker,
});

function overdueOf({ id, step }: Turn, seats: Seats): Obstacle | null {
  const phase = seats.get(id)?.phase;
  const isOverdue = step.kind === 'draining' && phase?.kind === 'draining' && phase.overdue;
  return isOverdue ? overdueDrain(id, phase) : null;
}

function beginTurns(rollout: Rollout, seats: Seats, now: Moment, unmet: Unmet): RolloutStep {
  const effects: RolloutEffect[] = [];
  let current: Rollout = { ...rollout, reason: null };
  for (const seat of pendingInOrder(rollout, seats)) {
    if (current.turns.filter(isActive).length >= rollout.maxParallel) break;
    const turning = new Set(current.turns.filter(isActive).map(({ id }) => id));
    const obstacle = obstacleFor(seat, turning, seats, unmet);
    if (obstacle !== null) {
      current = heldUp(current, obstacle);
      break;
    }
    current = withTurn(current, seat.id, { kind: 'draining', since: now, oldRun: seat.lastRun });
    effects.push(replaceBy(rollout, seat));
  }
  return { rollout: current, effects };
}

function pendingInOrder(rollout: Rollout, seats: Seats): Instance[] {
  const pending = rollout.turns.flatMap((turn) => {
    const seat = seats.get(turn.id);
    return turn.step.kind === 'pending' && seat ? [seat] : [];
  });
  return inOrder(pending, rollout.target.rollout.order);
}

const heldUp = (rollout: Rollout, obstacle: Obstacle): Rollout =>
  obstacle.blocker === null ? { ...rollout, reason: obstacle.why } : pausedFor(rollout, obstacle);

function replaceBy(rollout: Rollout, seat: Instance): RolloutEffect {
  return {
    type: 'replace',
    id: seat.id,
    because: `rollout ${rollout.id}`,
    program: rollout.target,
    generation: rollout.generation,
    // As its run was promised: another rule holds for the next one.
    onTimeout: (lifeOf(seat.phase)?.program ?? rollout.target).drain.onTimeout,
  };
}

/** Turns that failed are taken again, drains that were too long get their time anew. */
function resume(rollout: Rollout, seats: Seats, now: Moment, unmet: Unmet): RolloutStep {
  const turns = rollout.turns.map(
    (turn): Turn =>
      turn.step.kind === 'failed' ? { ...turn, step: again(rollout, seats.get(turn.id), now) } : turn,
  );
  const running: Rollout = { ...rollout, state: 'running', reason: null, blocker: null, turns };
  const news = newsOf(rollout, running);
  const overdue = turns.filter((turn) => overdueOf(turn, seats) !== null);
  // A drain that gets its time anew is overdue until the instance has heard of it; the look that follows goes on.
  if (overdue.length > 0) {
    return {
      rollout: running,
      effects: [...news, ...overdue.map(({ id }) => ({ type: 'grant', id }) as const)],
    };
  }
  const next = advance(running, seats, now, unmet);
  return { rollout: next.rollout, effects: [...news, ...next.effects] };
}

/** A replacement that has recovered by itself, or is about to, is not replaced once more. */
function again(rollout: Rollout, seat: Instance | undefined, now: Moment): Turn['step'] {
  const life = seat === undefined ? null : lifeOf(seat.phase);
  if (!isComingUp(seat?.phase) || life?.generation !== rollout.generation) return { kind: 'pending' };
  return startingStep(rollout, life.run, now, now);
}

const isComingUp = (phase: Phase | undefined): boolean =>
  phase?.kind === 'spawning' || phase?.kind === 'preparing'
    ? phase.end === null
    : phase?.kind === 'starting' || phase?.kind === 'running';

/** Ends it here: what works stays as it is, what has had its turn and does not goes back to what it had before. */
function abort(rollout: Rollout, why: string | null, seats: Seats, now: Moment): RolloutStep {
  const effects = rollout.turns.flatMap((turn): RolloutEffect[] => {
    const seat = seats.get(turn.id);
    if (seat === undefined || seat.generation !== rollout.generation) return []; // never had its turn
    if (isWorthKeeping(turn, seat)) return [];
    return [
      {
        type: 'replace',
        id: turn.id,
        because: `rollout ${rollout.id}`,
        program: turn.before.program,
        generation: turn.before.generation,
        onTimeout: 'stop',
      },
    ];
  });
  const turns = rollout.turns.map(
    (turn): Turn =>
      turn.step.kind === 'pending'
        ? { ...turn, step: { kind: 'skipped', why: 'the rollout was aborted' } }
        : turn,
  );
  const reason = why ?? rollout.reason ?? 'aborted by the operator';
  return { rollout: { ...rollout, state: 'aborted', reason, endedAt: now, turns }, effects };
}

/** It has proved itself, or works; nobody knows that of what was stopped in its turn. */
function isWorthKeeping({ step }: Turn, seat: Instance): boolean {
  if (step.kind === 'done') return seat.wish.want === 'down' || isWhole(seat);
  return step.kind !== 'draining' && seat.wish.want === 'up' && isWhole(seat);
}

function withTurn(rollout: Rollout, id: InstanceId, step: Turn['step']): Rollout {
  return { ...rollout, turns: rollout.turns.map((turn) => (turn.id === id ? { ...turn, step } : turn)) };
}
