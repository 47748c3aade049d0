/** One turn: an instance is drained, replaced, becomes ready, stays so for long enough, and passes the user's check. */
import { after, type Moment } from '../../base/clock.ts';
import type { Run } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import { bodyOf, lifeOf } from '../instance/phase.ts';
import type { ProgramPlan } from '../plan.ts';
import { faultOf, relapseOf } from './fault.ts';
import { hopelessNeed, waitsForTime } from './obstacle.ts';
import { isLate, type Rollout, type Seats, type Turn, type TurnStep } from './rollout.ts';

/** Where the turn stands, now that its instance is as it is. As far as it goes in one look. */
export function moveTurn(before: Turn, rollout: Rollout, seats: Seats, now: Moment): Turn {
  const seat = seats.get(before.id);
  const turn = asOrdinary(before, seat);
  const step = seat === undefined ? gone(turn, now) : moved(turn, seat, rollout, now);
  if (step === turn.step) return turn;
  return moveTurn({ ...turn, step }, rollout, seats, now);
}

/** An extra one whose number the operator has given to the program is there to stay. */
function asOrdinary(turn: Turn, seat: Instance | undefined): Turn {
  if (!turn.extra || seat === undefined || seat.leaving) return turn;
  const { step } = turn;
  const { before } = turn;
  if (step.kind === 'serving') return { ...turn, extra: false, step: done(step, step.since) };
  const isAnew = step.kind === 'leaving' || step.kind === 'skipped';
  return { id: turn.id, before, extra: false, step: isAnew ? { kind: 'pending' } : step };
}

function moved({ step, extra }: Turn, seat: Instance, rollout: Rollout, now: Moment): TurnStep {
  switch (step.kind) {
    case 'pending': {
      const why = extra ? null : whyLeftOut(seat, rollout.target);
      return why === null ? step : { kind: 'skipped', why };
    }
    case 'draining':
      return ifUnwanted(seat) ?? drainingMoved(step, seat, rollout, now);
    case 'starting':
      return ifUnwanted(seat) ?? startingMoved(step, seat, rollout, now);
    case 'settling':
      return ifUnwanted(seat) ?? settlingMoved(step, extra, seat, rollout, now);
    case 'checking':
      return ifUnwanted(seat) ?? checkingMoved(step, seat, rollout, now);
    case 'serving': {
      const why = relapseOf(seat, rollout);
      return ifUnwanted(seat) ?? (why === null ? step : failedStep(step, why, now));
    }
    case 'done': {
      const why = relapseOf(seat, rollout);
      return why === null ? step : { kind: 'failed', why, tookMs: step.tookMs, drainMs: step.drainMs };
    }
    case 'leaving':
    case 'failed':
    case 'skipped':
      return step;
  }
}

/** Why it has no turn when that comes; null: it has one. */
export function whyLeftOut(seat: Instance, target: ProgramPlan): string | null {
  if (seat.wish.want === 'down') return 'it is stopped';
  return isOnTime(seat, target) ? AT_NEXT_RUN : null;
}

/** Of one that runs at times. */
export const AT_NEXT_RUN = 'it takes the config at its next run';

/** Its runs go to completion, whatever the plan; it has taken on the new one already. */
const isOnTime = ({ phase, program }: Instance, target: ProgramPlan): boolean =>
  target.schedule !== null && (lifeOf(phase)?.program ?? program).schedule !== null;

type Draining = Extract<TurnStep, { kind: 'draining' }>;
type Starting = Extract<TurnStep, { kind: 'starting' }>;
type Settling = Extract<TurnStep, { kind: 'settling' }>;
type Checking = Extract<TurnStep, { kind: 'checking' }>;
type Begun = Extract<TurnStep, { began: Moment; newRun: Run }>;

/** An operator's stop ends the turn: it is no fault, and nothing is left to wait for. */
function ifUnwanted(seat: Instance): TurnStep | null {
  return seat.wish.want === 'down' ? { kind: 'skipped', why: 'it was stopped meanwhile' } : null;
}

function drainingMoved(step: Draining, seat: Instance, rollout: Rollout, now: Moment): TurnStep {
  const tookMs = now.mono - step.since.mono;
  const failed = (why: string): TurnStep => ({ kind: 'failed', why, tookMs, drainMs: null });
  // It takes the plan at its next run.
  if (waitsForTime(seat)) return { kind: 'done', tookMs, drainMs: tookMs, newRun: null };
  const { phase } = seat;
  if (phase.kind === 'waiting' && phase.what.kind === 'dependency' && phase.what.hopeless) {
    return failed(hopelessNeed(phase.what));
  }
  if (isToBeLate(step, seat, rollout)) return { ...step, late: true };
  if (seat.lastRun === null || seat.lastRun === step.oldRun) {
    if (phase.kind === 'backoff' || phase.kind === 'failed') return failed(phase.why);
    const isUntouched = phase.kind === 'running' && seat.generation !== rollout.generation;
    return isUntouched ? failed('was not drained: its pre_drain hook failed') : step;
  }
  // Of one that had no process there was nothing to drain.
  const exit = seat.lastExit;
  const hasDrained = exit !== null && exit.run === step.oldRun && exit.because === `rollout ${rollout.id}`;
  const drainMs = hasDrained ? tookMs : null;
  return startingStep(rollout, { newRun: seat.lastRun, began: step.since, drainMs }, now);
}

/** `skip`: it drains on, and the next one has its turn; but no more of them at a time than may be away anyway. */
function isToBeLate(step: Draining, { phase }: Instance, { turns, maxParallel }: Rollout): boolean {
  const isOverdue = phase.kind === 'draining' && phase.overdue && phase.onTimeout === 'skip';
  return isOverdue && !step.late && turns.filter(isLate).length < maxParallel;
}

/** The replacement is `newRun`; its time to become healthy begins now. */
export function startingStep(
  rollout: Rollout,
  begun: Pick<Begun, 'newRun' | 'began' | 'drainMs'>,
  now: Moment,
): TurnStep {
  const limit = rollout.target.rollout.healthyDeadlineMs;
  const deadline = limit === null ? null : after(now.mono, limit);
  return { kind: 'starting', since: now, ...begun, deadline };
}

function startingMoved(step: Starting, seat: Instance, rollout: Rollout, now: Moment): TurnStep {
  if (hasFinished(step, seat)) return done(step, now);
  const fault = whatFailed(step, seat, rollout, now);
  if (fault !== null) return fault;
  const readyAt = bodyOf(seat.phase)?.readyAt;
  if (seat.phase.kind !== 'running' || !readyAt) return step;
  const healthyAt = after(readyAt.mono, rollout.target.rollout.minHealthyTimeMs);
  return { ...step, kind: 'settling', since: now, healthyAt };
}

function settlingMoved(
  step: Settling,
  extra: boolean,
  seat: Instance,
  rollout: Rollout,
  now: Moment,
): TurnStep {
  if (hasFinished(step, seat)) return done(step, now);
  const isUp = seat.phase.kind === 'running' && seat.lastRun === step.newRun;
  const stayed = isUp && step.healthyAt !== null && now.mono >= step.healthyAt;
  if (stayed && isWell(seat)) return proved(step, extra, rollout, now);
  const fault = whatFailed(step, seat, rollout, now);
  if (fault !== null) return fault;
  // What ends and is no fault, ends as its policy has it.
  return 'ending' in seat.phase && step.healthyAt !== null ? { ...step, healthyAt: null } : step;
}

/** On the way back the check is not asked: it judges what is new, and that is known to be bad. */
function proved(step: Settling, extra: boolean, rollout: Rollout, now: Moment): TurnStep {
  if (rollout.target.rollout.check === null || rollout.reverting !== null) return passed(step, extra, now);
  const { began, drainMs, newRun } = step;
  // Its number is given out by whoever asks.
  return { kind: 'checking', since: now, began, drainMs, newRun, attempt: null };
}

/** An extra one helps from now on; any other is done. */
export function passed(step: Begun, extra: boolean, now: Moment): TurnStep {
  const { began, drainMs, newRun } = step;
  return extra ? { kind: 'serving', since: now, began, drainMs, newRun } : done(step, now);
}

function checkingMoved(step: Checking, seat: Instance, rollout: Rollout, now: Moment): TurnStep {
  if (hasFinished(step, seat)) return done(step, now);
  return whatFailed(step, seat, rollout, now) ?? step;
}

/** Its health check, if it has one, has said so. */
const isWell = ({ phase, program }: Instance): boolean =>
  phase.kind === 'running' && (program.health === null || phase.health.ok === true);

/** A program that is to end some day has done so. */
const hasFinished = (step: Begun, seat: Instance): boolean =>
  seat.lastRun === step.newRun && (seat.phase.kind === 'exited' || waitsForTime(seat));

function whatFailed(
  step: Starting | Settling | Checking,
  seat: Instance,
  rollout: Rollout,
  now: Moment,
): TurnStep | null {
  const isLate = step.kind !== 'checking' && step.deadline !== null && now.mono >= step.deadline;
  const why = faultOf(step, seat, rollout, isLate);
  return why === null ? null : failedStep(step, why, now);
}

export const failedStep = (step: Begun, why: string, now: Moment): TurnStep => ({
  kind: 'failed',
  why,
  tookMs: now.mono - step.began.mono,
  drainMs: step.drainMs,
});

const done = (step: Begun, now: Moment): TurnStep => ({
  kind: 'done',
  tookMs: now.mono - step.began.mono,
  drainMs: step.drainMs,
  newRun: step.newRun,
});

/** The slot itself is gone: the program was scaled down, or an extra one has left. */
function gone({ step, extra }: Turn, now: Moment): TurnStep {
  if (step.kind === 'done' || step.kind === 'skipped') return step;
  if (extra && step.kind === 'failed') return step; // a resume brings it back
  if (step.kind === 'leaving') {
    return {
      kind: 'done',
      tookMs: now.mono - step.began.mono,
      drainMs: now.mono - step.since.mono,
      newRun: null,
    };
  }
  if (extra && step.kind === 'pending') return step; // it is not there yet
  return { kind: 'skipped', why: 'the instance was removed' };
}
