/** What is told of a rollout as a whole: that its state is another, what it waits for, and that another part of it begins. */
import type { Rollout } from '../rollout/rollout.ts';
import type { News } from './effect.ts';

type RolloutNews = Extract<News, { type: 'rollout' }>;

/** Null: it is for people as it was. */
export function rolloutNews(rollout: Rollout, before: Rollout | undefined): RolloutNews | null {
  const { id, program, state, reason, reverting } = rollout;
  const begins = before === undefined ? null : begun(rollout, before);
  const news = { type: 'rollout', rollout: id, program, state } as const;
  if (begins === 'revert') return { ...news, reason: reverting?.why ?? reason, begins };
  if (begins !== null) return { ...news, reason, begins };
  return state === before?.state && reason === before.reason ? null : { ...news, reason };
}

function begun(rollout: Rollout, before: Rollout): 'hold' | 'rest' | 'revert' | null {
  if (rollout.state !== 'running') return null;
  if (rollout.reverting !== null && before.reverting === null) return 'revert';
  if (rollout.canary.kind === before.canary.kind) return null;
  if (rollout.canary.kind === 'held') return 'hold';
  return rollout.canary.kind === 'promoted' && before.canary.kind === 'held' ? 'rest' : null;
}
