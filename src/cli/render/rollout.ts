/** A rolling restart in one sentence, and what to do about it. */
import type { RolloutStatus } from '../../protocol/status.ts';
import { printable } from './text.ts';
import { elapsed, idRanges, plural } from './words.ts';

/** `rollout 7 of worker is paused after 1 of 4: worker:1 exited with code 1`. */
export function rolloutSentence(rollout: RolloutStatus): string {
  const { id, program, done, total, state } = rollout;
  const name = `rollout ${id} of ${program}`;
  const because = rollout.reason === null ? '' : `: ${printable(rollout.reason)}`;
  if (state === 'succeeded')
    return `${name} succeeded: ${plural(total, 'instance')} restarted${took(rollout)}`;
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

/** The commands that lead on from here; undefined where there is nothing to do. */
export function nextStep({ id, state }: RolloutStatus): string | undefined {
  if (state === 'paused') {
    return `go on with "tsup-visor rollout resume ${id}", or give it up with "tsup-visor rollout abort ${id}"`;
  }
  if (state === 'failed' || state === 'aborted') return 'see "tsup-visor status" and "tsup-visor logs"';
  return undefined;
}

/** What a rollout would do, in which order. */
export function planLines({ program, turns }: RolloutStatus): string[] {
  const order = turns.map(({ instance }) => instance).join(', ');
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
      return `  ${instance} ${step}${time}`;
    }),
    ...(next === undefined ? [] : [`  ${next}`]),
  ];
}

function took({ started_at, ended_at }: RolloutStatus): string {
  if (ended_at === null) return '';
  return ` in ${elapsed(Math.max(0, Date.parse(ended_at) - Date.parse(started_at)))}`;
}
