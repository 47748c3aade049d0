/** What is told of turns: each step that one takes, also where several come at once. */
import type { RolloutEffect, RolloutStep } from './event.ts';
import type { Rollout, Turn } from './rollout.ts';

/** With what it means for the turns, before anything else of it. */
export const told = (before: Rollout, { rollout, effects }: RolloutStep): RolloutStep => ({
  rollout,
  effects: [...newsOf(before, rollout), ...effects],
});

export function newsOf(before: Rollout, rollout: Rollout): RolloutEffect[] {
  return rollout.turns.flatMap((turn, i): RolloutEffect[] => {
    const was = before.turns[i];
    const step = wordOf(turn);
    if (was !== undefined && wordOf(was) === step) return [];
    const why = 'why' in turn.step ? { why: turn.step.why } : {};
    const back = rollout.reverting === null ? {} : { back: true as const };
    return [{ type: 'turn', rollout: rollout.id, id: turn.id, step, ...why, ...back }];
  });
}

/** Of an extra one there is nothing that could drain at its beginning. */
export const wordOf = ({ extra, step }: Turn): Turn['step']['kind'] =>
  extra && step.kind === 'draining' ? 'starting' : step.kind;
