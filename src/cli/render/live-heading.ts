/** The whole of a rollout in the live view: a bar, the counts, the time, and what is to be known of it. */
import type { RolloutStatus } from '../../protocol/status.ts';
import { bar, meantTurns } from './bar.ts';
import { INDENT, type LiveLook } from './live-look.ts';
import { nextStep } from './next-step.ts';
import { hasNotBegun, holdWords } from './rollout.ts';
import { cut, padded, printable, widthOf, wrap } from './text.ts';
import { elapsed, inLocalTime, remaining } from './words.ts';

export const headLines = (rollout: RolloutStatus, look: LiveLook): string[] => [
  heading(rollout, look),
  ...notes(rollout, look),
];

/** `worker  [████▒░░░]  2 of 4, 1 failed  1m12s, about 2m left` */
function heading(rollout: RolloutStatus, look: LiveLook): string {
  const { program } = rollout;
  if (hasNotBegun(rollout)) {
    return look.paint.faint(
      cut(`${padded(program, look.names ?? 0)}  ${printable(rollout.reason ?? 'waits')}`, look.width),
    );
  }
  const name = padded(program, look.names ?? 0);
  const counts = `${countsOf(rollout)}  ${timeOf(rollout, look.now)}`;
  const whole = `${counts}${endOf(rollout, look.now)}`;
  // What there is no room for is left out: first how long it may take, then the bar, never that it has ended or is held.
  const tails = needsWords(rollout) ? [whole] : [whole, counts];
  for (const tail of tails) {
    const room = look.width - widthOf(name) - widthOf(tail) - 4;
    if (room < (tail === tails.at(-1) ? MIN_BAR : GOOD_BAR)) continue;
    return `${look.paint.strong(name)}  ${bar(rollout, Math.min(room, MAX_BAR), look)}  ${tail}`;
  }
  return cut(`${program}  ${tails.at(-1)}`, look.width);
}

const needsWords = ({ state, canary }: RolloutStatus): boolean =>
  state !== 'running' || canary?.state === 'held';

const GOOD_BAR = 12;
const MIN_BAR = 7;
const MAX_BAR = 40;

function countsOf(rollout: RolloutStatus): string {
  const { done, turns } = rollout;
  const total = meantTurns(rollout).length;
  const failed = turns.filter(({ step, extra }) => step === 'failed' && !extra).length;
  return `${done} of ${total}${failed === 0 ? '' : `, ${failed} failed`}`;
}

function timeOf({ started_at, ended_at }: RolloutStatus, now: Date): string {
  const end = ended_at === null ? now.getTime() : Date.parse(ended_at);
  return elapsed(Math.max(0, end - Date.parse(started_at)));
}

function endOf({ state, canary, expected_end }: RolloutStatus, now: Date): string {
  if (state !== 'running') return `, ${state}`;
  if (canary?.state === 'held') return ', held';
  // Undefined from a daemon that does not foresee it.
  const at = expected_end ?? null;
  return at === null ? '' : `, ${remaining(Date.parse(at) - now.getTime())}`;
}

/** What is to be known of the whole: that it goes back, is held, or why it waits. */
function notes(rollout: RolloutStatus, look: LiveLook): string[] {
  if (hasNotBegun(rollout) || look.isOver === true) return [];
  const { reverting, revision, reason, state, canary } = rollout;
  const held = holdWords(rollout, look.now);
  const texts: Note[] = [];
  if ((reverting ?? null) !== null) {
    texts.push([`goes back to ${revision}: ${printable(reverting ?? '')}`, look.paint.bad]);
  }
  if (held !== undefined) {
    const next = nextStep(rollout) ?? '';
    texts.push([`held after the canary of ${canary?.count}, ${held}`, look.paint.busy]);
    texts.push([look.asTyped?.(next) ?? next, look.paint.strong]);
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
