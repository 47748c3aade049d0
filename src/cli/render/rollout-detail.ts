/** All there is to know of one rollout: who wanted it and why, how it goes, and each turn. */
import { formatDuration } from '../../base/duration.ts';
import type { RolloutStatus, TurnStatus } from '../../protocol/status.ts';
import { nextSteps } from './next-step.ts';
import type { Paint } from './paint.ts';
import { drainsOn, holdWords, revisionsOf, rolloutSentence } from './rollout.ts';
import { type Cell, type Column, table } from './table.ts';
import { cut, printable, wrap } from './text.ts';
import { elapsed, idRanges, inLocalTime, moment, plural, remaining, soon } from './words.ts';

export interface DetailLook {
  readonly paint: Paint;
  /** Of the terminal; undefined: nothing is cut. */
  readonly width: number | undefined;
  readonly now: Date;
}

export function rolloutLines(rollout: RolloutStatus, look: DetailLook): string[] {
  const room = look.width ?? Number.POSITIVE_INFINITY;
  const indented = (text: string) => wrap(text, room - 2, '  ').map((line) => `  ${line}`);
  return [
    ...wrap(rolloutSentence(rollout, look.now), room, '  ').map(look.paint[moodOf(rollout)]),
    ...[causeOf(rollout, look.now), howOf(rollout, look.now), endOf(rollout, look.now)]
      .filter((text) => text !== undefined)
      .flatMap(indented),
    ...turnLines(rollout, look),
    ...nextSteps(rollout).flatMap((step) => wrap(`  ${step}`, room, '    ')),
  ];
}

const moodOf = ({ state }: RolloutStatus): 'strong' | 'bad' =>
  state === 'running' || state === 'succeeded' ? 'strong' : 'bad';

/** `begun by alice at 14:00: deploy 4711`. */
function causeOf({ cause, started_at }: RolloutStatus, now: Date): string {
  const { kind, by, words, of } = cause;
  const what = kind === 'reload' ? ', a reload' : kind === 'revert' ? `, takes back rollout ${of}` : '';
  const who = by === null ? '' : ` by ${printable(by)}`;
  return `begun${who} at ${moment(started_at, now)}${what}${words === null ? '' : `: ${printable(words)}`}`;
}

/** `9f2c1a -> 77ab01, 4 at a time, canary of 2 (promoted)`. */
function howOf(rollout: RolloutStatus, now: Date): string {
  const { max_parallel, canary, total } = rollout;
  const pace = total > 1 ? [`${max_parallel} at a time`] : [];
  const state = canary?.state === 'held' ? `held ${holdWords(rollout, now) ?? ''}`.trimEnd() : canary?.state;
  const first = canary === null ? [] : [`canary of ${canary.count}${WORDS[state ?? ''] ?? ` (${state})`}`];
  return [revisionsOf(rollout), ...pace, ...first].join(', ');
}

/** That they are first is what a canary is. */
const WORDS: Readonly<Record<string, string>> = { first: '' };

function endOf({ state, expected_end }: RolloutStatus, now: Date): string | undefined {
  if (state !== 'running' || expected_end === null) return undefined;
  const left = remaining(Date.parse(expected_end) - now.getTime());
  return left === '' ? undefined : `is expected to end at ${soon(expected_end, now)} (${left})`;
}

const COLUMNS: readonly Column[] = [
  { title: '  INSTANCE', align: 'left' },
  { title: 'TURN', align: 'left' },
  { title: 'TOOK', align: 'right' },
  { title: 'DRAIN', align: 'right', dispensable: 1 },
  { title: '', align: 'left' },
];

/** Those that are to come are told in one line. */
function turnLines(rollout: RolloutStatus, { paint, width, now }: DetailLook): string[] {
  const { turns } = rollout;
  const pending = turns.filter(({ step }) => step === 'pending').map(({ instance }) => instance);
  const begun = turns.filter((turn) => turn.step !== 'pending' && !isLeftOut(turn));
  const rows = begun.map((turn): Cell[] => [
    { text: `  ${turn.instance}` },
    { text: turn.step, look: paint[LOOKS[turn.step] ?? 'busy'] },
    { text: lengthOf(turn) },
    { text: (turn.drain_ms ?? null) === null ? '-' : formatDuration(turn.drain_ms ?? 0) },
    { text: remarkOn(turn, rollout, now) },
  ]);
  const rest =
    pending.length === 0 ? [] : [`  to come: ${plural(pending.length, 'instance')} (${idRanges(pending)})`];
  return [
    ...(rows.length === 0 ? [] : table(COLUMNS, rows, width, paint)),
    ...[...rest, ...leftOutLines(turns)].map((line) => (width === undefined ? line : cut(line, width))),
  ];
}

/** One that drains on is worth a row of its own. */
const isLeftOut = (turn: TurnStatus): boolean => turn.step === 'skipped' && !drainsOn(turn);

/** Many may have been for one reason. */
function leftOutLines(turns: readonly TurnStatus[]): string[] {
  const left = turns.filter(isLeftOut);
  return [...new Set(left.map(({ why }) => why ?? ''))].map((reason) => {
    const ids = left.filter(({ why }) => (why ?? '') === reason).map(({ instance }) => instance);
    return `  left out: ${idRanges(ids)}${reason === '' ? '' : `: ${inLocalTime(printable(reason))}`}`;
  });
}

/** Of what goes on in whole seconds, which do not flicker. */
function lengthOf({ elapsed_ms, step }: TurnStatus): string {
  if (elapsed_ms === null) return '-';
  return IN_MOTION.has(step) ? elapsed(elapsed_ms) : formatDuration(elapsed_ms);
}

const LOOKS: Partial<Record<TurnStatus['step'], 'good' | 'bad' | 'faint'>> = {
  done: 'good',
  serving: 'good',
  failed: 'bad',
  skipped: 'faint',
};

function remarkOn(
  { step, why, extra, deadline, late }: TurnStatus,
  { ended_at }: RolloutStatus,
  now: Date,
): string {
  const moves = IN_MOTION.has(step);
  return [
    ...(extra ? ['extra'] : []),
    ...(late === true ? ['late, the others go on'] : []),
    ...(moves && ended_at !== null ? ['when it ended'] : []),
    ...(moves && ended_at === null && (deadline ?? null) !== null
      ? [`until ${soon(deadline ?? '', now)}`]
      : []),
    ...(why === undefined ? [] : [inLocalTime(printable(why))]),
  ].join(', ');
}

const IN_MOTION: ReadonlySet<TurnStatus['step']> = new Set([
  'draining',
  'starting',
  'settling',
  'checking',
  'leaving',
]);
