/** A rolling restart in one sentence, and what to do about it. */
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
export function nextStep({ id, state, turns }: RolloutStatus): string | undefined {
  if (state === 'paused') {
    // The obvious thing to do, mending the config and going on, does not help: a rollout keeps the one it began with.
    if (turns.some(({ step }) => step === 'failed')) {
      return `try the same again with "tsup-visor rollout resume ${id}"; to change the config, first give it up with "tsup-visor rollout abort ${id}"`;
    }
    return `go on with "tsup-visor rollout resume ${id}", or give it up with "tsup-visor rollout abort ${id}"`;
  }
  if (state === 'failed' || state === 'aborted') return 'see "tsup-visor status" and "tsup-visor logs"';
  return undefined;
}

/** The sentence, and what to do about it. */
export function endLines(rollout: RolloutStatus): string[] {
  const next = nextStep(rollout);
  return next === undefined ? [rolloutSentence(rollout)] : [rolloutSentence(rollout), `  ${next}`];
}

/** What a rollout would do, in which order. */
export function planLines({ program, turns }: RolloutStatus): string[] {
  const order = idRanges(turns.map(({ instance }) => instance));
  return [`${program}: would restart ${plural(turns.length, 'instance')}, in this order: ${order}`];
}

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
