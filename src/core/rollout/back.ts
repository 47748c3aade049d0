/** The ways back: a rollout that is given up where it stands, and one that is taken back turn by turn. */
import type { InstanceId } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import { lifeOf, type OnTimeout } from '../instance/phase.ts';
import type { ProgramPlan } from '../plan.ts';
import type { RolloutEffect, RolloutStep } from './event.ts';
import { isWhole } from './obstacle.ts';
import { isTouched, type Rollout, type Turn, type TurnStep, type View } from './rollout.ts';

interface End {
  readonly state: 'aborted' | 'failed';
  readonly why: string;
  /** Another rollout takes these over as they are. */
  readonly keep?: ReadonlySet<InstanceId>;
}

/** Ends it here: what works stays as it is, what has had its turn and does not goes back to what it had before. */
export function endHere(rollout: Rollout, { state, why, keep }: End, { seats, now }: View): RolloutStep {
  const effects = rollout.turns.flatMap((turn): (Replacement | Leave)[] => {
    const seat = seats.get(turn.id);
    if (seat === undefined) return [];
    // Who is wished down already ends in the order in which that was asked for.
    if (turn.extra && seat.leaving)
      return seat.wish.want === 'down' ? [] : [leave(rollout, turn, patience(rollout.target))];
    if (keep?.has(turn.id) || !isTouched(rollout, seat)) return []; // it never had its turn
    return isWorthKeeping(turn, seat) ? [] : [backToBefore(rollout, turn, seat)];
  });
  const turns = rollout.turns.map(
    (turn): Turn =>
      turn.step.kind === 'pending'
        ? { ...turn, step: { kind: 'skipped', why: 'the rollout was aborted' } }
        : turn,
  );
  const going = effects.flatMap(({ type, id }) =>
    type === 'replace' && seats.get(id)?.wish.want === 'up' ? [id] : [],
  );
  const reason =
    going.length === 0
      ? why
      : `${why}; ${listed(going)} ${going.length === 1 ? 'gets' : 'get'} back the old config`;
  // Whom it had to wait for is for `status` to tell: nobody looks from here on.
  return { rollout: { ...rollout, state, reason, blocker: null, endedAt: now, turns }, effects };
}

const listed = (ids: readonly InstanceId[]): string =>
  ids.length > 3 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', ');

type Replacement = Extract<RolloutEffect, { type: 'replace' }>;
type Leave = Extract<RolloutEffect, { type: 'leave' }>;

const backToBefore = (rollout: Rollout, { id, before }: Turn, { phase }: Instance): Replacement => ({
  type: 'replace',
  id,
  because: `rollout ${rollout.id}`,
  program: before.program,
  generation: before.generation,
  onTimeout: patience(lifeOf(phase)?.program ?? rollout.target),
});

/** Nobody leads it any more, and nothing of a rollout is killed unless the config says so: it drains on. */
const patience = ({ drain }: ProgramPlan): OnTimeout => (drain.onTimeout === 'kill' ? 'kill' : 'skip');

/** It has proved itself, or works; nobody knows that of what was stopped in its turn. */
export function isWorthKeeping({ step }: Turn, seat: Instance): boolean {
  if (step.kind === 'done') return seat.wish.want === 'down' || isWhole(seat);
  if (step.kind === 'failed' && step.refused) return false;
  return step.kind !== 'draining' && seat.wish.want === 'up' && isWhole(seat);
}

/**
 * Turn by turn, under the same gates, to a plan that was whole. `why`: what made it. Who ends already goes on with its
 * turn, and what comes next has the other plan: how it ends, and whether by a kill, counts for the others as before.
 */
export function turnBack(rollout: Rollout, why: string, back: ProgramPlan, view: View): RolloutStep {
  const { nextGeneration: generation, seats } = view;
  const effects: RolloutEffect[] = [];
  const turns = rollout.turns.map((turn): Turn => {
    const seat = seats.get(turn.id);
    if (turn.extra && (seat === undefined || seat.leaving)) {
      if (seat?.wish.want === 'up') effects.push(leave(rollout, turn, rollout.target.drain.onTimeout));
      return { ...turn, step: leavingStep(turn, seat !== undefined, view) };
    }
    if (seat === undefined || seat.generation !== rollout.generation)
      return { ...turn, step: untouched(turn) };
    if (turn.step.kind !== 'draining') return { ...turn, step: { kind: 'pending' } };
    effects.push({ ...backToBefore(rollout, turn, seat), program: back, generation });
    return turn;
  });
  const reverting = { why, from: rollout.generation, revision: rollout.target.revision };
  return {
    rollout: {
      ...rollout,
      state: 'running',
      reason: null,
      blocker: null,
      target: back,
      generation,
      canary: { kind: 'none' },
      after: null,
      reverting,
      turns,
    },
    effects,
  };
}

const untouched = ({ step }: Turn): TurnStep =>
  step.kind === 'pending' ? { kind: 'skipped', why: 'the rollout was reverted' } : step;

const isGoing = ({ step }: Turn): boolean => step.kind === 'leaving';

/** An extra instance has done its service, or is of no use. */
export function leavingStep(turn: Turn, isThere: boolean, { now }: View): TurnStep {
  if (isGoing(turn)) return turn.step;
  if (!isThere) return turn.step.kind === 'done' ? turn.step : { kind: 'skipped', why: 'it was not needed' };
  return { kind: 'leaving', since: now, began: 'began' in turn.step ? turn.step.began : now };
}

export const leave = (rollout: Rollout, { id }: Turn, onTimeout: OnTimeout): Leave => ({
  type: 'leave',
  id,
  because: `rollout ${rollout.id}`,
  onTimeout,
});
