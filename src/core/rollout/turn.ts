/** One turn: an instance is drained, replaced, becomes ready, and stays so for long enough. */
import { after, type Moment } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import { describeExit } from '../../base/exit-status.ts';
import type { Run } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import { bodyOf, type Ending, lifeOf, type Phase } from '../instance/phase.ts';
import { isFinal } from '../instance/settle.ts';
import type { ProgramPlan } from '../plan.ts';
import { hopelessNeed, waitsForTime } from './obstacle.ts';
import type { Rollout, Seats, Turn, TurnStep } from './rollout.ts';

/** Where the turn stands, now that its instance is as it is. As far as it goes in one look. */
export function moveTurn(turn: Turn, rollout: Rollout, seats: Seats, now: Moment): Turn {
  const seat = seats.get(turn.id);
  const step = seat === undefined ? gone(turn.step) : moved(turn.step, seat, rollout, now);
  if (step === turn.step) return turn;
  return moveTurn({ ...turn, step }, rollout, seats, now);
}

function moved(step: TurnStep, seat: Instance, rollout: Rollout, now: Moment): TurnStep {
  switch (step.kind) {
    case 'pending': {
      const why = whyLeftOut(seat, rollout.target);
      return why === null ? step : { kind: 'skipped', why };
    }
    case 'draining':
      return ifUnwanted(seat) ?? drainingMoved(step, seat, rollout, now);
    case 'starting':
      return ifUnwanted(seat) ?? startingMoved(step, seat, rollout, now);
    case 'settling':
      return ifUnwanted(seat) ?? settlingMoved(step, seat, rollout, now);
    case 'done':
    case 'failed':
    case 'skipped':
      return step;
  }
}

/** Why it has no turn when that comes; null: it has one. */
export function whyLeftOut(seat: Instance, target: ProgramPlan): string | null {
  if (seat.wish.want === 'down') return 'it is stopped';
  return isOnTime(seat, target) ? 'it takes the config at its next run' : null;
}

/** Its runs go to completion, whatever the plan; it has taken on the new one already. */
const isOnTime = ({ phase, program }: Instance, target: ProgramPlan): boolean =>
  target.schedule !== null && (lifeOf(phase)?.program ?? program).schedule !== null;

type Draining = Extract<TurnStep, { kind: 'draining' }>;
type Starting = Extract<TurnStep, { kind: 'starting' }>;
type Settling = Extract<TurnStep, { kind: 'settling' }>;
type Ended = Extract<Phase, { ending: Ending }>;

/** An operator's stop ends the turn: it is no fault, and nothing is left to wait for. */
function ifUnwanted(seat: Instance): TurnStep | null {
  return seat.wish.want === 'down' ? { kind: 'skipped', why: 'it was stopped meanwhile' } : null;
}

function drainingMoved(step: Draining, seat: Instance, rollout: Rollout, now: Moment): TurnStep {
  const tookMs = now.mono - step.since.mono;
  if (waitsForTime(seat)) return { kind: 'done', tookMs }; // it takes the plan at its next run
  const { phase } = seat;
  if (phase.kind === 'waiting' && phase.what.kind === 'dependency' && phase.what.hopeless) {
    return { kind: 'failed', why: hopelessNeed(phase.what), tookMs };
  }
  if (seat.lastRun === null || seat.lastRun === step.oldRun) {
    if (phase.kind === 'backoff' || phase.kind === 'failed')
      return { kind: 'failed', why: phase.why, tookMs };
    const isUntouched = phase.kind === 'running' && seat.generation !== rollout.generation;
    return isUntouched ? { kind: 'failed', why: 'was not drained: its pre_drain hook failed', tookMs } : step;
  }
  return startingStep(rollout, seat.lastRun, step.since, now);
}

/** The replacement is `newRun`; its time to become healthy begins now. */
export function startingStep(rollout: Rollout, newRun: Run, began: Moment, now: Moment): TurnStep {
  const limit = rollout.target.rollout.healthyDeadlineMs;
  const deadline = limit === null ? null : after(now.mono, limit);
  return { kind: 'starting', since: now, began, newRun, deadline };
}

function startingMoved(step: Starting, seat: Instance, rollout: Rollout, now: Moment): TurnStep {
  if (hasFinished(step, seat)) return done(step, now);
  const fault = faultOf(step, seat, rollout, now);
  if (fault !== null) return fault;
  const readyAt = bodyOf(seat.phase)?.readyAt;
  if (seat.phase.kind !== 'running' || !readyAt) return step;
  const healthyAt = after(readyAt.mono, rollout.target.rollout.minHealthyTimeMs);
  return { ...step, kind: 'settling', since: now, healthyAt };
}

function settlingMoved(step: Settling, seat: Instance, rollout: Rollout, now: Moment): TurnStep {
  if (hasFinished(step, seat)) return done(step, now);
  const isUp = seat.phase.kind === 'running' && seat.lastRun === step.newRun;
  const stayed = isUp && step.healthyAt !== null && now.mono >= step.healthyAt;
  if (stayed && isWell(seat)) return done(step, now);
  const fault = faultOf(step, seat, rollout, now);
  if (fault !== null) return fault;
  // What ends and is no fault, ends as its policy has it.
  return 'ending' in seat.phase && step.healthyAt !== null ? { ...step, healthyAt: null } : step;
}

/** Its health check, if it has one, has said so. */
const isWell = ({ phase, program }: Instance): boolean =>
  phase.kind === 'running' && (program.health === null || phase.health.ok === true);

/** A program that is to end some day has done so. */
const hasFinished = (step: Starting | Settling, seat: Instance): boolean =>
  seat.lastRun === step.newRun && (seat.phase.kind === 'exited' || waitsForTime(seat));

/** What says that the replacement has not worked out. */
function faultOf(step: Starting | Settling, seat: Instance, rollout: Rollout, now: Moment): TurnStep | null {
  const { phase } = seat;
  const tookMs = now.mono - step.began.mono;
  if (phase.kind === 'backoff' || phase.kind === 'failed') return { kind: 'failed', why: phase.why, tookMs };
  if (phase.kind === 'waiting') return { kind: 'failed', why: 'ended before it was healthy', tookMs };
  if (phase.kind === 'running' && phase.health.ok === false) {
    return { kind: 'failed', why: `is unhealthy: ${phase.health.why}`, tookMs };
  }
  if ('ending' in phase && !isFinishing(phase)) return { kind: 'failed', why: whyEnding(phase), tookMs };
  if (seat.lastRun !== step.newRun) return { kind: 'failed', why: 'ended before it was healthy', tookMs };
  if (step.deadline !== null && now.mono >= step.deadline) {
    const limit = formatDuration(rollout.target.rollout.healthyDeadlineMs ?? 0);
    return { kind: 'failed', why: `was not healthy within ${limit}`, tookMs };
  }
  return null;
}

function isFinishing(phase: Ended): boolean {
  const { ending } = phase;
  const life = lifeOf(phase);
  return life !== null && ending.cause === 'own' && ending.exit !== null && isFinal(life, ending.exit);
}

/** Of one that has ended by itself, how: that is what whoever has to mend it looks for first. */
function whyEnding(phase: Ended): string {
  const { cause, why, exit, since } = phase.ending;
  if (why !== undefined) return why;
  if (cause === 'planned') return 'was asked to end before it was healthy';
  if (cause === 'fault' || exit === null) return 'was not ready in time';
  const lived = since.mono - (lifeOf(phase)?.startedAt.mono ?? since.mono);
  const missed = bodyOf(phase)?.readyAt ? 'healthy' : 'ready';
  return `${describeExit(exit)} after ${formatDuration(lived)}, before it was ${missed}`;
}

const done = (step: Starting | Settling, now: Moment): TurnStep => ({
  kind: 'done',
  tookMs: now.mono - step.began.mono,
});

/** The slot itself is gone: the program was scaled down. */
const gone = (step: TurnStep): TurnStep =>
  step.kind === 'done' || step.kind === 'skipped'
    ? step
    : { kind: 'skipped', why: 'the instance was removed' };
