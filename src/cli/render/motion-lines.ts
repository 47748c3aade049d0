/** Lines for those in motion, in columns, of several rollouts that share the room on a terminal. */
import { INDENT, type LiveLook } from './live-look.ts';
import type { MotionRow } from './live-turn.ts';
import { cut, padded, widthOf } from './text.ts';

/** Of each rollout its lines: all together no more than `room`, but one for each at least. */
export function motionLines(
  rollouts: readonly (readonly MotionRow[])[],
  room: number,
  look: LiveLook,
): string[][] {
  const most = level(
    rollouts.map((rows) => rows.length),
    room,
  );
  const fitted = rollouts.map((rows) => capped(rows, most));
  const columns = columnsOf(
    fitted.flatMap(({ shown }) => shown),
    look.width < NARROW,
  );
  return fitted.map(({ shown, hidden }) => [
    ...shown.map((row) => motionLine(row, columns, look)),
    ...(hidden.length === 0
      ? []
      : [cut(`${INDENT}… and ${hidden.length} more: ${sums(hidden)}`, look.width)]),
  ]);
}

/** How many rows each may have at most, so that all together take no more than `room`. */
function level(sizes: readonly number[], room: number): number {
  const most = Math.max(0, ...sizes);
  for (let rows = most; rows > 1; rows -= 1) {
    if (sizes.reduce((sum, size) => sum + Math.min(size, rows), 0) <= room) return rows;
  }
  return 1;
}

const capped = (rows: readonly MotionRow[], most: number) =>
  rows.length <= most
    ? { shown: rows, hidden: [] }
    : { shown: rows.slice(0, most - 1), hidden: rows.slice(most - 1) };

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
  const words = look.width < NARROW ? row.words.replaceAll(' in flight', '') : row.words;
  const rest = cut(`${gap}${time}${gap}${words}`, room).trimEnd();
  const phase = rest === '' ? row.phase : padded(row.phase, columns.phase);
  return `${name}${look.paint[row.look](phase)}${rest}`;
}
