/** A rolling restart in one sentence, and what to do about it. */
import type { RefusedProgram } from '../../protocol/replies.ts';
import type { RolloutStatus, TurnStatus } from '../../protocol/status.ts';
import { printable } from './text.ts';
import { elapsed, idRanges, plural } from './words.ts';

/** `rollout 7 of worker is paused after 1 of 4: worker:1 exited with code 1`. */
export function rolloutSentence(rollout: RolloutStatus): string {
  const { id, program, done, total, state } = rollout;
  const name = `rollout ${id} of ${program}`;
  const because = rollout.reason === null ? '' : `: ${printable(rollout.reason)}`;
  if (state === 'succeeded')
    return `${name} succeeded: ${plural(done, 'instance')} restarted${took(rollout)}${leftOut(rollout)}`;
  if (state !== 'running') return `${name} ${ENDED[state]} after ${done} of ${total}${because}`;
  const current = rollout.current.length === 0 ? '' : `, now ${idRanges(rollout.current)}`;
  return `${name} is running: ${done} of ${total} done${current}${because}`;
}

const ENDED = {
  paused: 'is paused',
  failed: 'failed',
  aborted: 'was aborted',
  reverted: 'was reverted',
} as const;

/** Those that were stopped or started by somebody else when their turn came. */
const leftOut = ({ done, total }: RolloutStatus): string =>
  done < total ? `, ${total - done} left out` : '';

/** The commands that lead on from here; undefined where there is nothing to do. */
export function nextStep(rollout: RolloutStatus): string | undefined {
  const { state, blocker } = rollout;
  if (state === 'paused') return afterPause(rollout);
  if (state === 'aborted' && blocker?.is === 'draining') {
    return `${blocker.name} drains on without a deadline; "tsup-visor stop --now ${blocker.name}" ends that, "tsup-visor restart ${blocker.name}" gives it one`;
  }
  if (state === 'failed' || state === 'aborted') return 'see "tsup-visor status" and "tsup-visor logs"';
  return undefined;
}

function afterPause({ id, blocker, turns }: RolloutStatus): string {
  const resume = `"tsup-visor rollout resume ${id}"`;
  const abort = `"tsup-visor rollout abort ${id}"`;
  if (blocker === null) return `go on with ${resume}, or give it up with ${abort}`;
  const { name, is } = blocker;
  if (is === 'draining') {
    return `wait once more as long with ${resume}, end its jobs with "tsup-visor stop --now ${name}", or give the rollout up with ${abort}`;
  }
  // The obvious thing to do, mending the config and going on, does not help: a rollout keeps the one it began with.
  if (turns.some(({ instance, step }) => step === 'failed' && instance === name)) {
    return `see "tsup-visor logs ${name}"; try the same again with ${resume}; to change the config, first give it up with ${abort}`;
  }
  const look = is === 'failed' ? `see "tsup-visor logs ${name}"; ` : '';
  return `${look}start it with "tsup-visor start ${name}", then go on with ${resume}, or give it up with ${abort}`;
}

/** The sentence, and what to do about it. */
export function endLines(rollout: RolloutStatus): string[] {
  const next = nextStep(rollout);
  return next === undefined ? [rolloutSentence(rollout)] : [rolloutSentence(rollout), `  ${next}`];
}

/** What a rollout would do, in which order, and whom it would leave out. */
export function planLines({ program, turns }: Pick<RolloutStatus, 'program' | 'turns'>): string[] {
  const meant = turns.filter(({ step }) => step !== 'skipped').map(({ instance }) => instance);
  const order = meant.length < 2 ? `: ${idRanges(meant)}` : `, in this order: ${idRanges(meant)}`;
  const plan = meant.length === 0 ? 'nothing' : `${plural(meant.length, 'instance')}${order}`;
  const reasons = new Set(turns.flatMap(({ step, why }) => (step === 'skipped' ? [why ?? ''] : [])));
  const left = [...reasons].map((reason) => {
    const ids = turns.filter(({ step, why }) => step === 'skipped' && (why ?? '') === reason);
    const which = idRanges(ids.map(({ instance }) => instance));
    return `  leaves ${which} alone${reason === '' ? '' : `: ${printable(reason)}`}`;
  });
  return [`${program}: would restart ${plan}`, ...left];
}

/** What a dry run would be refused for, were it none. */
export const refusedLines = (refused: readonly RefusedProgram[]): string[] =>
  refused.map(({ reason, hint }) => `would be refused: ${printable(reason)}; ${printable(hint)}`);

/** The sentence, what to do about it, and each turn that has begun. */
export function rolloutLines(rollout: RolloutStatus): string[] {
  const next = nextStep(rollout);
  const turns = rollout.turns.filter(({ step }) => step !== 'pending');
  return [
    rolloutSentence(rollout),
    ...turns.map(({ instance, step, elapsed_ms }) => {
      const time = elapsed_ms === null ? '' : ` ${elapsed(elapsed_ms)}`;
      const cut = rollout.ended_at !== null && IN_MOTION.has(step) ? ' when it ended' : '';
      return `  ${instance} ${step}${time}${cut}`;
    }),
    ...(next === undefined ? [] : [`  ${next}`]),
  ];
}

const IN_MOTION: ReadonlySet<TurnStatus['step']> = new Set(['draining', 'starting', 'settling']);

function took({ started_at, ended_at }: RolloutStatus): string {
  if (ended_at === null) return '';
  return ` in ${elapsed(Math.max(0, Date.parse(ended_at) - Date.parse(started_at)))}`;
}
