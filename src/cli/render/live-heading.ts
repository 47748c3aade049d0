/** The whole of a rollout in the live view: a bar, the counts, the time, and what is to be known of it. */
import type { RolloutStatus } from '../../protocol/status.ts';
import { bar } from './bar.ts';
import { INDENT, type LiveLook } from './live-look.ts';
import { nextSteps } from './next-step.ts';
import { endOf, hasNotBegun, holdWords, isBack, meantTurns } from './rollout.ts';
import { cut, padded, printable, widthOf, wrap } from './text.ts';
import { elapsed, inLocalTime, remaining, soon } from './words.ts';

/** Of each rollout its lines; the bars of several begin in one column and are equally wide. */
export function headLines(rollouts: readonly RolloutStatus[], look: LiveLook): string[][] {
  const name = Math.max(0, ...rollouts.map(({ program }) => widthOf(program)));
  const begun = rollouts.filter((each) => !hasNotBegun(each));
  const form = FORMS.find((each) => roomFor(begun, each, name, look) >= each.least);
  const width = form === undefined ? 0 : Math.min(roomFor(begun, form, name, look), MAX_BAR);
  return rollouts.map((rollout) => [heading(rollout, { name, form, width }, look), ...notes(rollout, look)]);
}

/** How much of a heading is told beside a bar of at least so many columns. */
interface Form {
  readonly least: number;
  readonly foretells: boolean;
}

/** What there is no room for is left out, the least important first: the state is never. */
const FORMS: readonly Form[] = [
  { least: 12, foretells: true },
  { least: 7, foretells: false },
];
const MAX_BAR = 40;

const roomFor = (rollouts: readonly RolloutStatus[], form: Form, name: number, look: LiveLook): number =>
  look.width - name - 4 - Math.max(0, ...rollouts.map((each) => widthOf(tailOf(each, form, look))));

interface Layout {
  readonly name: number;
  /** Undefined: there is no room for bars. */
  readonly form: Form | undefined;
  readonly width: number;
}

/** `worker  [████▒░░░]  2 of 4, 1 failed  1m12s, about 2m left` */
function heading(rollout: RolloutStatus, { name, form, width }: Layout, look: LiveLook): string {
  const { program } = rollout;
  const title = padded(program, name);
  if (hasNotBegun(rollout)) {
    return look.paint.faint(cut(`${title}  ${printable(rollout.reason ?? 'waits')}`, look.width));
  }
  if (form !== undefined) {
    return `${look.paint.strong(title)}  ${bar(rollout, width, look)}  ${tailOf(rollout, form, look)}`;
  }
  const all = `${title}  ${tailOf(rollout, { foretells: false }, look)}`;
  if (widthOf(all) <= look.width) return all;
  return cut(`${title}  ${countsOf(rollout)}${stateOf(rollout, look)}`, look.width);
}

/** `2 of 4, 1 failed  1m12s, about 2m left`. */
function tailOf(rollout: RolloutStatus, { foretells }: Pick<Form, 'foretells'>, look: LiveLook): string {
  const state = stateOf(rollout, look);
  const left = foretells && state === '' ? leftOf(rollout, look.now) : '';
  return `${countsOf(rollout)}  ${timeOf(rollout, look.now)}${state}${left}`;
}

function countsOf(rollout: RolloutStatus): string {
  const { done, turns } = rollout;
  const failed = turns.filter(({ step }) => step === 'failed');
  const extras = failed.filter(({ extra }) => extra).length;
  return [
    `${done} of ${meantTurns(rollout).length}${isBack(rollout) ? ' back' : ''}`,
    ...(failed.length > extras ? [`${failed.length - extras} failed`] : []),
    ...(extras > 0 ? [`${extras} extra failed`] : []),
  ].join(', ');
}

function timeOf({ started_at, ended_at }: RolloutStatus, now: Date): string {
  const end = ended_at === null ? now.getTime() : Date.parse(ended_at);
  return elapsed(Math.max(0, end - Date.parse(started_at)));
}

/** Empty while it simply goes on. */
function stateOf({ state, canary }: RolloutStatus, { silentSince, now }: LiveLook): string {
  if (state !== 'running') return `, ${state}`;
  if (silentSince !== undefined) return `, no news since ${soon(silentSince.toISOString(), now)}`;
  return canary?.state === 'held' ? ', held' : '';
}

function leftOf({ expected_end }: RolloutStatus, now: Date): string {
  // Undefined from a daemon that does not foresee it.
  const at = expected_end ?? null;
  const left = at === null ? '' : remaining(Date.parse(at) - now.getTime());
  return left === '' ? '' : `, ${left}`;
}

/** What is to be known of the whole: that it goes back, is held, or why it waits. */
function notes(rollout: RolloutStatus, look: LiveLook): string[] {
  if (hasNotBegun(rollout) || look.isOver === true) return [];
  const { reverting, revision, reason, state, canary } = rollout;
  const held = holdWords(rollout, look.now);
  const texts: Note[] = [];
  if ((reverting ?? null) !== null) {
    const { by, why } = endOf({ ...rollout, reason: reverting });
    const who = by === '' ? '' : ` (reverted${by})`;
    texts.push([
      `goes back to ${revision}${who}${why === null ? '' : `: ${printable(why)}`}`,
      look.paint.bad,
    ]);
  }
  if (held !== undefined) {
    texts.push([`held after the canary of ${canary?.count}, ${held}`, look.paint.busy]);
    for (const step of nextSteps(rollout)) texts.push([look.asTyped?.(step) ?? step, look.paint.strong]);
  } else if (reason !== null && reason !== reverting && !isToldByTurn(rollout, reason)) {
    texts.push([inLocalTime(printable(reason)), state === 'running' ? look.paint.busy : look.paint.bad]);
  }
  return texts.flatMap(([text, paint]) =>
    wrap(text, look.width - INDENT.length, INDENT).map((line) => paint(`${INDENT}${line}`)),
  );
}

const isToldByTurn = ({ turns }: RolloutStatus, reason: string): boolean =>
  turns.some(({ step, why }) => step === 'failed' && why !== undefined && reason.includes(why));

type Note = readonly [text: string, paint: (text: string) => string];
