/** A rolling restart in one sentence, and what to do about it. */
import type { RolloutStatus, TurnStatus } from '../../protocol/status.ts';
import { nextStep } from './next-step.ts';
import { printable } from './text.ts';
import { elapsed, idRanges, inLocalTime, plural, soon } from './words.ts';

/** `rollout 7 of worker is paused after 1 of 4: worker:1 exited with code 1`. */
export function rolloutSentence(rollout: RolloutStatus, now = new Date()): string {
  const name = `rollout ${rollout.id} of ${rollout.program}`;
  switch (rollout.state) {
    case 'succeeded':
      return `${name} succeeded: ${[...achieved(rollout), ...exceptions(rollout)].join(', ')}`;
    case 'reverted':
      return `${name} was reverted: ${plural(rollout.done, 'instance')} back at ${rollout.revision}${took(rollout)}${because(whyBack(rollout))}`;
    case 'running':
      return `${name} ${progress(rollout, now)}`;
    default:
      return `${name} ${ENDED[rollout.state]} after ${rollout.done} of ${rollout.total}${because(rollout.reason)}`;
  }
}

const ENDED = { paused: 'is paused', failed: 'failed', aborted: 'was aborted' } as const;

const because = (why: string | null): string => (why === null ? '' : `: ${inLocalTime(printable(why))}`);

/** Why it went back is more than how that ended. */
const whyBack = ({ reverting, reason }: RolloutStatus): string | null => reverting ?? reason;

function progress(rollout: RolloutStatus, now: Date): string {
  const { done, total, reason, reverting, revision, current } = rollout;
  const moving = current.length === 0 ? '' : `, now ${idRanges(current)}`;
  const count = `${done} of ${total} done${moving}`;
  if (hasNotBegun(rollout)) return `has not begun${because(reason)}`;
  if (reverting !== null) return `goes back to ${revision}: ${count}${because(reverting)}`;
  const held = holdWords(rollout, now);
  if (held !== undefined) return `is held after its canary, ${held}: ${count}`;
  return `is running: ${count}${because(reason)}`;
}

/** `until 14:05`, `until it is promoted`; undefined where it is not held. */
export function holdWords({ state, canary }: RolloutStatus, now: Date): string | undefined {
  if (state !== 'running' || canary?.state !== 'held') return undefined;
  return canary.until === null ? 'until it is promoted' : `until ${soon(canary.until, now)}`;
}

/** Its turn among the programs has not come; why is its reason. */
export const hasNotBegun = ({ state, after, reason, turns }: RolloutStatus): boolean =>
  state === 'running' &&
  (after ?? null) !== null &&
  reason !== null &&
  turns.every(({ step }) => step === 'pending' || step === 'skipped');

const achieved = (rollout: RolloutStatus): string[] => [
  `${plural(rollout.done, 'instance')} restarted${took(rollout)}`,
];

/** Of a rollout that is well: what went otherwise in it, as far as that was allowed. */
function exceptions({ turns, done, total, killed = [] }: RolloutStatus): string[] {
  const failed = turns.filter(({ step }) => step === 'failed');
  const drainOn = turns.filter(drainsOn);
  const left = total - done - failed.length - drainOn.length;
  return [
    ...(failed.length === 0 ? [] : [`${failed.length} failed as max_failures allows (${named(failed)})`]),
    ...(drainOn.length === 0
      ? []
      : [`${drainOn.length} not replaced before ${has(drainOn.length)} drained (${named(drainOn)})`]),
    ...(killed.length === 0
      ? []
      : [
          `${killed.length} killed before ${killed.length === 1 ? 'it' : 'they'} had drained (${idRanges(killed)})`,
        ]),
    ...(left > 0 ? [`${left} left out`] : []),
  ];
}

const has = (count: number): string => (count === 1 ? 'it has' : 'they have');
const named = (turns: readonly TurnStatus[]): string => idRanges(turns.map(({ instance }) => instance));

/** Left alone because its jobs took too long: it is replaced when they are done. */
export const drainsOn = ({ step, late, why = '' }: TurnStatus): boolean =>
  step === 'skipped' && (late === true || why.includes('drains on'));

/** The sentence, and what to do about it. */
export function endLines(rollout: RolloutStatus): string[] {
  const next = nextStep(rollout);
  return next === undefined ? [rolloutSentence(rollout)] : [rolloutSentence(rollout), `  ${next}`];
}

function took({ started_at, ended_at }: RolloutStatus): string {
  if (ended_at === null) return '';
  return ` in ${elapsed(Math.max(0, Date.parse(ended_at) - Date.parse(started_at)))}`;
}
