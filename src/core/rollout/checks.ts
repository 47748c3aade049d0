/** The user's own check: asked once for each turn that waits for it, and not waited for once nobody does. */
import type { RolloutEffect, RolloutEvent, RolloutStep } from './event.ts';
import { isOver, type Rollout, type Seats, withStep } from './rollout.ts';

/** Each is asked once, under a number of its own. */
export function askChecks(rollout: Rollout, seats: Seats): RolloutStep {
  const plan = rollout.target.rollout.check;
  const effects: RolloutEffect[] = [];
  let current = rollout;
  for (const { id, step } of rollout.turns) {
    if (step.kind !== 'checking' || step.attempt !== null || isOver(rollout)) continue;
    const attempt = current.checks + 1;
    current = { ...withStep(current, id, { ...step, attempt }), checks: attempt };
    if (plan !== null && seats.has(id)) effects.push({ type: 'judge', id, attempt, plan });
  }
  return { rollout: current, effects };
}

/** Checks that are under way, and that nobody waits for any more. */
export function unasked(before: Rollout, rollout: Rollout, event: RolloutEvent): RolloutEffect[] {
  const answered = event.type === 'judged' ? event.attempt : null;
  const wanted = isOver(rollout) ? [] : attemptsOf(rollout);
  return attemptsOf(before)
    .filter((attempt) => attempt !== answered && !wanted.includes(attempt))
    .map((attempt) => ({ type: 'unjudge', attempt }));
}

const attemptsOf = ({ turns }: Rollout): number[] =>
  turns.flatMap(({ step }) => (step.kind === 'checking' && step.attempt !== null ? [step.attempt] : []));
