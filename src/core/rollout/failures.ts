/** Which failures are let pass, and which turns are over for good. */
import { isOnTrial } from './canary.ts';
import type { Rollout, Turn } from './rollout.ts';

/** What makes the whole fail; null: nothing does, or so many failures are allowed. */
export function intolerable(rollout: Rollout): Turn | null {
  const failed = rollout.turns.filter(({ step }) => step.kind === 'failed');
  const first = failed[0];
  if (first === undefined) return null;
  const { maxFailures } = rollout.target.rollout;
  const isStrict =
    rollout.reverting !== null || isOnTrial(rollout.canary) || failed.some(({ extra }) => extra);
  return isStrict || failed.length > maxFailures ? first : null;
}

/** `worker:1 exited with code 1 after 2s`, who else has failed, and how many may. */
export function whyFailed(rollout: Rollout, { id, step }: Turn): string {
  const why = `${id} ${step.kind === 'failed' ? step.why : 'failed'}`;
  const others = rollout.turns.filter((turn) => turn.step.kind === 'failed' && turn.id !== id);
  const { maxFailures } = rollout.target.rollout;
  if (maxFailures === 0 || others.length === 0) return why;
  return `${why}; so has ${others.map((turn) => turn.id).join(', ')}, and ${maxFailures} may`;
}

/** Nothing more comes of it, whatever the others do. */
export const isSettled = ({ step }: Turn): boolean =>
  step.kind === 'done' || step.kind === 'skipped' || step.kind === 'failed';
