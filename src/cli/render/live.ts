/** Rolling restarts under way, as a block of lines that is drawn again and again. */
import type { InstanceStatus, RolloutStatus } from '../../protocol/status.ts';
import { bar } from './bar.ts';
import { doing } from './doing.ts';
import { type MotionRow, motionRows } from './live-turn.ts';
import { nextStep } from './next-step.ts';
import type { Paint } from './paint.ts';
import { hasNotBegun, holdWords } from './rollout.ts';
import { cut, printable, widthOf, wrap } from './text.ts';
import { elapsed, inLocalTime, plural, remaining, uptime } from './words.ts';

export interface LiveLook {
  readonly paint: Paint;
  /** Of the terminal, in columns. */
  readonly width: number;
  /** How many lines there is room for; undefined: for all. */
  readonly rows?: number | undefined;
  readonly now: Date;
  /** Whether the terminal shows more than ASCII. */
  readonly unicode: boolean;
  /** A command as it would have to be typed to mean the same daemon. */
  asTyped?(text: string): string;
}

export function liveLines(
  rollouts: readonly RolloutStatus[],
  instances: readonly InstanceStatus[],
  look: LiveLook,
): string[] {
  const byId = new Map(instances.map((instance) => [instance.id, instance]));
  const shown = gathered(rollouts, look);
  const blocks = shown.rollouts.map((rollout) => ({
    head: [heading(rollout, look), ...notes(rollout, look)],
    motion: hasNotBegun(rollout) ? [] : motionRows(rollout, byId, look.now),
  }));
  const fixed = shown.lines.length + blocks.reduce((sum, { head }) => sum + head.length, 0);
  const most = level(
    blocks.map(({ motion }) => motion.length),
    (look.rows ?? Number.POSITIVE_INFINITY) - fixed,
  );
  const columns = columnsOf(
    blocks.flatMap(({ motion }) => capped(motion, most).shown),
    look.width < NARROW,
  );
  return [
    ...blocks.flatMap(({ head, motion }) => [...head, ...motionLines(motion, most, columns, look)]),
    ...shown.lines,
  ];
}

/** A line for each instance that comes or goes outside a rollout. */
export const movingLines = (instances: readonly InstanceStatus[], { width, now }: LiveLook): string[] =>
  instances.map((instance) => {
    const said = doing(instance, now);
    // A drain says its own name.
    const state = instance.state === 'draining' ? '' : `${instance.state}${age(instance)}`;
    return cut([instance.id, state, said].filter((part) => part !== '').join('  '), width);
  });

const age = ({ state, uptime_ms }: InstanceStatus): string =>
  state === 'starting' && uptime_ms !== null ? ` ${uptime(uptime_ms)}` : '';

/** Where there are many, those that are over and those whose turn has not come share a line each. */
function gathered(
  rollouts: readonly RolloutStatus[],
  { rows = Number.POSITIVE_INFINITY, width, paint }: LiveLook,
): { readonly rollouts: readonly RolloutStatus[]; readonly lines: readonly string[] } {
  if (rollouts.length * ROWS_EACH <= rows) return { rollouts, lines: [] };
  const over = rollouts.filter(({ state }) => state === 'succeeded').length;
  const waiting = rollouts.filter(hasNotBegun).length;
  const said = [
    ...(over === 0 ? [] : [`${plural(over, 'rollout')} succeeded`]),
    ...(waiting === 0 ? [] : [`${waiting} to come`]),
  ];
  return {
    rollouts: rollouts.filter((each) => each.state !== 'succeeded' && !hasNotBegun(each)),
    lines: said.length === 0 ? [] : [paint.faint(cut(said.join(', '), width))],
  };
}

/** A heading, and somebody in motion. */
const ROWS_EACH = 2;

/** How many rows each may have at most, so that all together take no more than `room`. */
function level(sizes: readonly number[], room: number): number {
  const most = Math.max(0, ...sizes);
  for (let rows = most; rows > 1; rows -= 1) {
    if (sizes.reduce((sum, size) => sum + Math.min(size, rows), 0) <= room) return rows;
  }
  return 1;
}

/** `worker  [████▒░░░]  2 of 4, 1 failed  1m12s, about 2m left` */
function heading(rollout: RolloutStatus, look: LiveLook): string {
  const { program } = rollout;
  if (hasNotBegun(rollout)) {
    return look.paint.faint(cut(`${program}  ${printable(rollout.reason ?? 'waits')}`, look.width));
  }
  const counts = countsOf(rollout);
  const time = timeOf(rollout, look.now);
  const left = endOf(rollout, look.now);
  // What there is no room for is left out, the least important first; the bar may shrink.
  for (const [tail, least] of [
    [`${counts}  ${time}${left}`, GOOD_BAR],
    [`${counts}  ${time}`, MIN_BAR],
  ] as const) {
    const room = look.width - widthOf(program) - widthOf(tail) - 4;
    if (room < least) continue;
    return `${look.paint.strong(program)}  ${bar(rollout, Math.min(room, MAX_BAR), look)}  ${tail}`;
  }
  return cut(`${program}  ${counts}  ${time}`, look.width);
}

const GOOD_BAR = 12;
const MIN_BAR = 7;
const MAX_BAR = 40;

function countsOf({ done, total, turns }: RolloutStatus): string {
  const failed = turns.filter(({ step }) => step === 'failed').length;
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
  if (hasNotBegun(rollout)) return [];
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
  } else if (reason !== null && !isToldByTurn(rollout, reason)) {
    texts.push([inLocalTime(printable(reason)), state === 'running' ? look.paint.busy : look.paint.bad]);
  }
  return texts.flatMap(([text, paint]) =>
    wrap(text, look.width - INDENT.length, INDENT).map((line) => paint(`${INDENT}${line}`)),
  );
}

const isToldByTurn = ({ turns }: RolloutStatus, reason: string): boolean =>
  turns.some(({ step, why }) => step === 'failed' && why !== undefined && reason.includes(why));

type Note = readonly [text: string, paint: (text: string) => string];

const INDENT = '  ';

const capped = (rows: readonly MotionRow[], most: number) =>
  rows.length <= most
    ? { shown: rows, hidden: [] }
    : { shown: rows.slice(0, most - 1), hidden: rows.slice(most - 1) };

function motionLines(rows: readonly MotionRow[], most: number, columns: Columns, look: LiveLook): string[] {
  const { shown, hidden } = capped(rows, most);
  const more =
    hidden.length === 0 ? [] : [cut(`${INDENT}… and ${hidden.length} more: ${sums(hidden)}`, look.width)];
  return [...shown.map((row) => motionLine(row, columns, look)), ...more];
}

/** `8 draining, 4 settling`. */
function sums(rows: readonly MotionRow[]): string {
  const counts = new Map<string, number>();
  for (const { phase } of rows) counts.set(phase, (counts.get(phase) ?? 0) + 1);
  return [...counts].map(([phase, count]) => `${count} ${phase}`).join(', ');
}

interface Columns {
  readonly id: number;
  readonly phase: number;
  readonly time: number;
  readonly gap: string;
}

/** Here the words need every column. */
const NARROW = 60;

/** As wide as the longest of the usual phases and times, so that nothing moves sideways when one ends. */
const columnsOf = (rows: readonly MotionRow[], isNarrow: boolean): Columns => ({
  id: Math.max(0, ...rows.map(({ id }) => widthOf(id))),
  phase: Math.max('draining'.length, ...rows.map(({ phase }) => widthOf(phase))),
  time: Math.max((isNarrow ? '59s' : '59m59s').length, ...rows.map(({ time }) => widthOf(time))),
  gap: isNarrow ? ' ' : '  ',
});

function motionLine(row: MotionRow, columns: Columns, look: LiveLook): string {
  const { gap } = columns;
  const name = `${INDENT}${padded(row.id, columns.id)}${gap}`;
  const time = ' '.repeat(columns.time - widthOf(row.time)) + row.time;
  const room = look.width - widthOf(name) - columns.phase;
  if (room < 0) return cut(`${name}${row.phase}`, look.width);
  const rest = cut(`${gap}${time}${gap}${row.words}`, room).trimEnd();
  const phase = rest === '' ? row.phase : padded(row.phase, columns.phase);
  return `${name}${look.paint[row.look](phase)}${rest}`;
}

const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));
