/** Whose turn may begin now: nobody is touched as long as anything that is known speaks against it. */
import type { InstanceId } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import { lifeOf } from '../instance/phase.ts';
import { leave, leavingStep } from './back.ts';
import { roomBeforeHold, whyHeld } from './canary.ts';
import type { RolloutEffect, RolloutStep } from './event.ts';
import { isSettled } from './failures.ts';
import { type Obstacle, obstacleFor } from './obstacle.ts';
import { costsNothing, inOrder } from './order.ts';
import { isActive, isLate, ordinary, type Rollout, type Turn, type View, withStep } from './rollout.ts';

/** As many turns as may, extra instances first. */
export function beginTurns(rollout: Rollout, view: View): RolloutStep {
  const waits = whyNobody(rollout, view);
  if (waits !== null) return { rollout: { ...rollout, reason: waits }, effects: [] };
  const extras = rollout.turns.filter(({ extra, step }) => extra && step.kind === 'pending');
  if (extras.length > 0) return beginExtras(rollout, extras, view);
  const coming = rollout.turns.find((turn) => turn.extra && isActive(turn));
  if (coming !== undefined) return { rollout: { ...rollout, reason: waitsForExtra(coming) }, effects: [] };
  return beginOrdinary(rollout, view);
}

/** What holds up all of it. */
function whyNobody(rollout: Rollout, { ahead }: View): string | null {
  if (rollout.after === null || ahead === null) return whyHeld(rollout);
  const state = ahead.state === 'paused' ? ', which is paused' : '';
  return `waits for rollout ${ahead.id} of ${ahead.program}${state}`;
}

const waitsForExtra = ({ id }: Turn): string => `waits for ${id}, an extra instance, to be healthy`;

function beginExtras(rollout: Rollout, extras: readonly Turn[], { now }: View): RolloutStep {
  const begun = extras.reduce(
    (all, { id }) => withStep(all, id, { kind: 'draining', since: now, oldRun: null }),
    rollout,
  );
  const { target: program, generation } = rollout;
  const because = `rollout ${rollout.id}` as const;
  return {
    rollout: { ...begun, reason: null },
    effects: extras.map(({ id }) => ({ type: 'add', id, because, program, generation })),
  };
}

function beginOrdinary(rollout: Rollout, view: View): RolloutStep {
  const effects: RolloutEffect[] = [];
  const pending = pendingInOrder(rollout, view);
  let current: Rollout = { ...rollout, reason: pending.length === 0 ? whyNotOver(rollout, view) : null };
  for (const seat of pending) {
    const active = current.turns.filter(isActive);
    if (active.length >= rollout.maxParallel || roomBeforeHold(current) <= 0) break;
    const obstacle = obstacleOf(current, seat, view);
    if (obstacle !== null) {
      current = heldUp(current, obstacle);
      break;
    }
    current = withStep(current, seat.id, { kind: 'draining', since: view.now, oldRun: seat.lastRun });
    effects.push(replaceBy(rollout, seat));
  }
  return { rollout: current, effects };
}

/** Nobody is left to be touched. */
function whyNotOver({ turns, notBefore }: Rollout, { seats }: View): string | null {
  if (turns.some(isActive)) return null;
  const drain = turns.filter((turn) => isLate(turn) || turn.step.kind === 'leaving').map(({ id }) => id);
  if (drain.length > 0) return `waits for ${drain.join(', ')} to drain`;
  return turns.some(({ id, extra }) => extra && seats.has(id)) ? (notBefore?.why ?? null) : null;
}

function obstacleOf(rollout: Rollout, seat: Instance, view: View): Obstacle | null {
  const { notBefore, turns } = rollout;
  if (notBefore !== null && !costsNothing(seat)) return { why: notBefore.why, blocker: null };
  const excused = new Set<InstanceId>();
  for (const turn of turns) {
    if (isActive(turn) || isLate(turn) || turn.step.kind === 'failed') excused.add(turn.id);
  }
  return obstacleFor(seat, excused, rollout, view);
}

function heldUp(rollout: Rollout, { why, blocker, until }: Obstacle): Rollout {
  if (blocker !== null) return { ...rollout, state: 'paused', reason: why, blocker };
  return { ...rollout, reason: why, notBefore: until === undefined ? rollout.notBefore : { at: until, why } };
}

function pendingInOrder(rollout: Rollout, { seats }: View): Instance[] {
  const pending = rollout.turns.flatMap((turn) => {
    const seat = seats.get(turn.id);
    return turn.step.kind === 'pending' && seat ? [seat] : [];
  });
  return inOrder(pending, rollout.target.rollout.order);
}

export function replaceBy(rollout: Rollout, seat: Instance): RolloutEffect {
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

/** When all others have had their turns, the extra ones go. A job that was killed may have been tried again by one of them. */
export function dismissExtras(rollout: Rollout, view: View): RolloutStep {
  if (!ordinary(rollout).every(isSettled) || rollout.notBefore !== null) return { rollout, effects: [] };
  const effects: RolloutEffect[] = [];
  let current = rollout;
  for (const turn of rollout.turns) {
    if (!turn.extra || turn.step.kind === 'leaving') continue;
    const seat = view.seats.get(turn.id);
    const isThere = seat?.leaving === true && seat.wish.want === 'up';
    if (!isThere && isSettled(turn)) continue;
    current = withStep(current, turn.id, leavingStep(turn, isThere, view));
    if (isThere) effects.push(leave(rollout, turn, rollout.target.drain.onTimeout));
  }
  return { rollout: current, effects };
}
