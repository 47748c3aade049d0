/** News as one sentence for people: the only place that decides how an event reads. */

import { formatDuration } from '../base/duration.ts';
import { describeExit } from '../base/exit-status.ts';
import type { News } from '../core/fleet/effect.ts';

type Of<T extends News['type']> = Extract<News, { type: T }>;

const SENTENCES: { readonly [T in News['type']]: (news: Of<T>) => string } = {
  phase: ({ id, to, because }) => `${id} ${PHASES[to]} (${because})`,
  spawned: ({ id, pid, run }) => `${id} has pid ${pid} (run ${run})`,
  spawn_failed: ({ id, error }) => `cannot start ${id}: ${error}`,
  hook_failed: ({ id, hook, error }) => `the ${hook} hook of ${id} has failed: ${error}`,
  health: ({ id, ok, detail }) =>
    ok ? `${id} is healthy again` : `${id} is unhealthy${detail === '' ? '' : `: ${detail}`}`,
  worn: ({ id, why, detail }) =>
    `${id} is to be replaced${detail === '' ? ` for its ${why}` : `: ${detail}`}`,
  watchdog: ({ id, detail }) => `${id} is taken for hung${detail === '' ? '' : `: ${detail}`}`,
  ready: ({ id }) => `${id} is ready`,
  signalled: ({ id, signal, to }) =>
    to === 'leader' ? `${id} was sent ${signal}` : `everything left of ${id} was sent ${signal}`,
  reported: ({ id, what }) =>
    what === 'stopping' ? `${id} says that it drains` : `${id} says that it has drained`,
  overdue: ({ id }) => `${id} has not drained in time`,
  exited: ({ id, exit }) => `${id} ${describeExit(exit.exit)} after ${formatDuration(exit.livedMs)}`,
  gone: ({ id, drained, killed }) =>
    `nothing is left of ${id}${killed ? ', it was killed' : drained ? ', it has drained' : ''}`,
  rollout: ({ rollout, program, state, reason, begins }) =>
    `rollout ${rollout} of ${program} ${rolloutIs(state, reason, begins)}`,
  turn: ({ rollout, id, step, why, back }) =>
    `rollout ${rollout}: ${id} ${back && step === 'done' ? 'is back' : TURNS[step]}${why === undefined ? '' : `: ${why}`}`,
  scaled: ({ program, added, removed }) =>
    [
      ...(added.length > 0 ? [`${program} has more instances: ${listed(added)}`] : []),
      ...(removed.length > 0 ? [`${program} has fewer instances: ${listed(removed)} go`] : []),
    ].join('; '),
  schedule: ({ program, what, detail }) =>
    `${program} ${SCHEDULE[what]}${detail === '' ? '' : `: ${detail}`}`,
  dependency: ({ program, on, lost }) =>
    lost
      ? `${program} has lost ${on}, which it depends on`
      : `${program} has ${on} again, which it depends on`,
  shutting_down: ({ fault }) => (fault === null ? 'shutting down' : `shutting down: ${fault}`),
};

const PHASES: Record<Of<'phase'>['to'], string> = {
  stopped: 'is stopped',
  waiting: 'waits',
  preparing: 'is being prepared, its pre_start hook runs',
  spawning: 'is being started',
  starting: 'is starting',
  running: 'is running',
  draining: 'is draining',
  stopping: 'is told to stop',
  sweeping: 'has ended, what it left is looked for',
  killing: 'is being killed',
  cleaning: 'has ended, its post_stop hook runs',
  backoff: 'waits before it is tried again',
  exited: 'has completed',
  failed: 'has failed',
};

const SCHEDULE: Record<Of<'schedule'>['what'], string> = {
  skipped: 'is not run at its time',
  queued: 'is run later than its time',
  late: 'is run late',
};

/** A hundred names say no more than the first and the last of them. */
const listed = (ids: readonly string[]): string =>
  ids.length > 5 ? `${ids[0]} to ${ids.at(-1)} (${ids.length})` : ids.join(', ');

/** Of a program that does not have what the file says. */
export const kept = (program: string): string =>
  `${program} keeps the config that a rollout went back to; what the file says was taken back, and is taken on again by "tsup-visor reload"`;

/** Of what an earlier daemon had left at work. */
export const tookOver = (ids: readonly string[]): string =>
  `took over ${ids.length === 1 ? 'one running instance' : `${ids.length} running instances`}: ${listed(ids)}`;

function rolloutIs(
  state: Of<'rollout'>['state'],
  reason: string | null,
  begins: Of<'rollout'>['begins'],
): string {
  const because = reason === null ? '' : `: ${reason}`;
  if (begins === 'revert') return `goes back${because}`;
  if (begins === 'rest') return `goes on after its hold${because}`;
  if (state !== 'running') return `${VERBS[state]}${because}`;
  return begins === 'hold' && reason !== null ? `is ${reason}` : `is running${because}`;
}

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
  checking: 'has stayed healthy, and is checked',
  serving: 'serves for the length of the rollout',
  leaving: 'is not needed any more: it drains, and goes',
  done: 'is done',
  failed: 'has failed in its turn',
  skipped: 'is left out',
};

export function sentenceOf(news: News): string {
  const sentence = SENTENCES[news.type];
  // Each entry takes the news of its own key; the compiler cannot follow that through the lookup.
  return (sentence as (news: News) => string)(news);
}
