/** A rolling restart in one sentence, and what to do about it. */
import type { RolloutStatus, TurnStatus } from '../../protocol/status.ts';
import { nextSteps } from './next-step.ts';
import { printable } from './text.ts';
import { elapsed, idRanges, inLocalTime, plural, soon } from './words.ts';

/** `rollout 7 of worker is paused after 1 of 4: worker:1 exited with code 1`. */
export function rolloutSentence(rollout: RolloutStatus, now = new Date()): string {
  const name = `rollout ${rollout.id} of ${rollout.program}`;
  if (rollout.state === 'running') return `${name} ${progress(rollout, now)}`;
  return `${name} ${ended(rollout)}${killedWords(rollout)}`;
}

function ended(rollout: RolloutStatus): string {
  const { state, revision, done, total } = rollout;
  if (state === 'succeeded') return success(rollout);
  const { by, why } = endOf(rollout);
  if (state === 'reverted' && done === 0) {
    return `was reverted${by}${took(rollout, 'after')}, before anybody was replaced${because(why)}`;
  }
  if (state === 'reverted') {
    return `was reverted${by}, ${plural(done, 'instance')} ${done === 1 ? 'is' : 'are'} back at ${revision}${took(rollout, 'after')}${because(why)}`;
  }
  const on = isBack(rollout) ? ` on its way back to ${revision}` : '';
  const of = isBack(rollout) ? meantTurns(rollout).length : total;
  return `${ENDED[state]}${by}${on} after ${done} of ${of}${because(why)}`;
}

const ENDED = {
  running: 'is running',
  paused: 'is paused',
  failed: 'failed',
  aborted: 'was aborted',
} as const;

const because = (why: string | null): string => (why === null ? '' : `: ${inLocalTime(printable(why))}`);

/** Who ended it, and why: the daemon says both in one, beginning with what became of it. Why it went back is more than how that ended. */
export function endOf({ state, reason, reverting }: RolloutStatus): {
  readonly by: string;
  readonly why: string | null;
} {
  const text = state === 'reverted' || state === 'running' ? (reverting ?? reason) : reason;
  const [, by, why] = /^(?:aborted|reverted|paused) by ([^:;]+)(?:[:;] (.*))?$/s.exec(text ?? '') ?? [];
  return by === undefined ? { by: '', why: text } : { by: ` by ${printable(by)}`, why: why ?? null };
}

/** On the way back, or back: what is done is that an instance has what it had before. */
export const isBack = ({ reverting }: Pick<RolloutStatus, 'reverting'>): boolean =>
  (reverting ?? null) !== null;

/** `9f2c1a -> 77ab01`, and where that was taken back `9f2c1a <- 77ab01`. */
export function revisionsOf(
  rollout: Pick<RolloutStatus, 'from_revision' | 'revision' | 'reverting' | 'reverted_revision'>,
): string {
  const { from_revision: from, revision } = rollout;
  const tried = rollout.reverted_revision ?? null;
  if (isBack(rollout) && tried !== null && tried !== revision) return `${revision} <- ${tried}`;
  return from === null || from === revision ? revision : `${from} -> ${revision}`;
}

/** Without extra instances; on the way back only those that have to go back. */
export const meantTurns = ({ turns, reverting }: Pick<RolloutStatus, 'turns' | 'reverting'>): TurnStatus[] =>
  turns.filter(({ extra, step }) => !extra && ((reverting ?? null) === null || step !== 'skipped'));

/** `; worker:0 and 2 more were killed before they had drained`. */
function killedWords({ killed = [] }: RolloutStatus): string {
  const [first, ...others] = new Set(killed);
  if (first === undefined) return '';
  return others.length === 0
    ? `; ${first} was killed before it had drained`
    : `; ${first} and ${others.length} more were killed before they had drained`;
}

function progress(rollout: RolloutStatus, now: Date): string {
  const { done, total, reason, revision, current } = rollout;
  const moving = current.length === 0 ? '' : `, now ${idRanges(current)}`;
  if (hasNotBegun(rollout)) return `has not begun${because(reason)}`;
  if (isBack(rollout)) {
    const { by, why } = endOf(rollout);
    const who = by === '' ? '' : ` (reverted${by})`;
    return `goes back to ${revision}${who}, ${done} of ${meantTurns(rollout).length} are back${moving}${because(why)}`;
  }
  const count = `${done} of ${total} done${moving}`;
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

/** Where nobody had a turn, that is no success to speak of. */
function success(rollout: RolloutStatus): string {
  const { done, total } = rollout;
  if (done === 0 && total > 0) return `is over, and restarted nothing: ${exceptions(rollout).join(', ')}`;
  const restarted = `${plural(done, 'instance')} restarted${took(rollout, 'in')}`;
  return `succeeded: ${[restarted, ...exceptions(rollout)].join(', ')}`;
}

/** Of a rollout that is well: what went otherwise in it, as far as that was allowed. */
function exceptions({ turns, done, total }: RolloutStatus): string[] {
  const failed = turns.filter(({ step }) => step === 'failed');
  const drainOn = turns.filter(drainsOn);
  const left = total - done - failed.length - drainOn.length;
  return [
    ...(failed.length === 0 ? [] : [`${failed.length} failed as max_failures allows (${named(failed)})`]),
    ...(drainOn.length === 0
      ? []
      : [`${drainOn.length} not replaced before ${has(drainOn.length)} drained (${named(drainOn)})`]),
    ...(left > 0 ? [`${left} left out`] : []),
  ];
}

const has = (count: number): string => (count === 1 ? 'it has' : 'they have');
const named = (turns: readonly TurnStatus[]): string => idRanges(turns.map(({ instance }) => instance));

/** Left alone because its jobs took too long: it is replaced when they are done. */
export const drainsOn = ({ step, late, why = '' }: TurnStatus): boolean =>
  step === 'skipped' && (late === true || why.includes('drains on'));

/** The sentence, and what to do about it. */
export const endLines = (rollout: RolloutStatus): string[] => [
  rolloutSentence(rollout),
  ...nextSteps(rollout).map((step) => `  ${step}`),
];

function took({ started_at, ended_at }: RolloutStatus, word: 'in' | 'after'): string {
  if (ended_at === null) return '';
  return ` ${word} ${elapsed(Math.max(0, Date.parse(ended_at) - Date.parse(started_at)))}`;
}
