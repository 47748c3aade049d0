/** News as one sentence for people: the only place that decides how an event reads. */

import { formatDuration } from '../base/duration.ts';
import { describeExit } from '../base/exit-status.ts';
import type { News } from '../core/fleet/effect.ts';

type Of<T extends News['type']> = Extract<News, { type: T }>;

const SENTENCES: { readonly [T in News['type']]: (news: Of<T>) => string } = {
  phase: ({ id, to, because }) => `${id} ${PHASES[to]} (${because})`,
  spawned: ({ id, pid, run }) => `${id} has pid ${pid} (run ${run})`,
  spawn_failed: ({ id, error }) => `cannot start ${id}: ${error}`,
  ready: ({ id }) => `${id} is ready`,
  signalled: ({ id, signal, to }) =>
    to === 'leader' ? `${id} was sent ${signal}` : `everything left of ${id} was sent ${signal}`,
  reported: ({ id, what }) =>
    what === 'stopping' ? `${id} says that it drains` : `${id} says that it has drained`,
  overdue: ({ id }) => `${id} has not drained in time`,
  exited: ({ id, exit }) => `${id} ${describeExit(exit.exit)} after ${formatDuration(exit.livedMs)}`,
  gone: ({ id, drained, killed }) =>
    `nothing is left of ${id}${killed ? ', it was killed' : drained ? ', it has drained' : ''}`,
  rollout: ({ rollout, program, state, reason }) =>
    `rollout ${rollout} of ${program} ${state === 'running' ? 'is running' : VERBS[state]}${reason === null ? '' : `: ${reason}`}`,
  turn: ({ rollout, id, step }) => `rollout ${rollout}: ${id} ${TURNS[step]}`,
  shutting_down: () => 'shutting down',
};

const PHASES: Record<Of<'phase'>['to'], string> = {
  stopped: 'is stopped',
  spawning: 'is being started',
  starting: 'is starting',
  running: 'is running',
  draining: 'is draining',
  stopping: 'is told to stop',
  sweeping: 'has ended, what it left is looked for',
  killing: 'is being killed',
  backoff: 'waits before it is tried again',
  exited: 'has finished',
  failed: 'has failed',
};

const VERBS: Record<Exclude<Of<'rollout'>['state'], 'running'>, string> = {
  paused: 'is paused',
  succeeded: 'has succeeded',
  failed: 'has failed',
  aborted: 'was aborted',
  reverted: 'was reverted',
};

const TURNS: Record<Of<'turn'>['step'], string> = {
  pending: 'has its turn still to come',
  draining: 'has its turn: it drains',
  starting: 'is replaced, the new run starts',
  settling: 'is ready, and has to stay so',
  done: 'is done',
  failed: 'has failed in its turn',
  skipped: 'is left out',
};

export function sentenceOf(news: News): string {
  const sentence = SENTENCES[news.type];
  // Each entry takes the news of its own key; the compiler cannot follow that through the lookup.
  return (sentence as (news: News) => string)(news);
}
