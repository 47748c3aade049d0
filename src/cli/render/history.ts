/** Rolling restarts as a table: who, when, why, how long, and how each one ended. */
import { formatDuration } from '../../base/duration.ts';
import type { RolloutStatus } from '../../protocol/status.ts';
import { drainsOf } from '../drains.ts';
import { endOf, hasNotBegun, isBack, revisionsOf } from './rollout.ts';
import type { DetailLook } from './rollout-detail.ts';
import { type Cell, type Column, table } from './table.ts';
import { cut, printable, widthOf } from './text.ts';
import { elapsed, inLocalTime, moment } from './words.ts';

/** The newest last. What a narrow terminal has no column for stands on a line of its own below. */
export function historyLines(rollouts: readonly RolloutStatus[], look: DetailLook): string[] {
  const rows = rollouts.map((rollout) => ({
    cells: cellsOf(rollout, look),
    change: revisionsOf(rollout),
    why: whyOf(rollout),
  }));
  if (hasRoomForAll(rows, look)) {
    const cells = rows.map((row) => [...row.cells, { text: row.change }, { text: row.why }]);
    return table([...COLUMNS, ...MORE], cells, look.width, look.paint);
  }
  const narrow = table(
    COLUMNS,
    rows.map((row) => row.cells),
    look.width,
    look.paint,
  );
  return narrow.flatMap((line, at) => [line, ...below(rows[at - 1], look)]);
}

const COLUMNS: readonly Column[] = [
  { title: 'ID', align: 'right' },
  { title: 'PROGRAM', align: 'left' },
  { title: 'ENDED', align: 'left' },
  { title: 'WHEN', align: 'left' },
  { title: 'BY', align: 'left', dispensable: 2 },
  { title: 'TOOK', align: 'right', dispensable: 1 },
  { title: 'DONE', align: 'right' },
  { title: 'DRAINS: MED MAX', align: 'left', dispensable: 3 },
];

const MORE: readonly Column[] = [
  { title: 'REVISION', align: 'left' },
  { title: 'WHY', align: 'left' },
];

interface Row {
  readonly cells: readonly Cell[];
  readonly change: string;
  readonly why: string;
}

function cellsOf(rollout: RolloutStatus, { paint, now }: DetailLook): Cell[] {
  const { id, program, state, started_at, ended_at, cause } = rollout;
  const end = ended_at === null ? now.getTime() : Date.parse(ended_at);
  const { count, median_ms, longest_ms } = drainsOf(rollout);
  return [
    { text: String(id) },
    { text: program },
    { text: wordOf(rollout), look: paint[LOOKS[state]] },
    { text: moment(started_at, now) },
    { text: printable(cause.by ?? '-') },
    { text: elapsed(Math.max(0, end - Date.parse(started_at))) },
    { text: isBack(rollout) ? `${rollout.done} back` : `${rollout.done}/${rollout.total}` },
    {
      text:
        median_ms === null
          ? '-'
          : `${count}: ${formatDuration(median_ms)} ${formatDuration(longest_ms ?? 0)}`,
    },
  ];
}

function wordOf(rollout: RolloutStatus): string {
  if (hasNotBegun(rollout)) return 'waiting';
  const { state, canary } = rollout;
  return state === 'running' && canary?.state === 'held' ? 'held' : state;
}

const LOOKS = {
  running: 'busy',
  paused: 'bad',
  succeeded: 'good',
  failed: 'bad',
  aborted: 'bad',
  reverted: 'bad',
} as const;

/** In the words of whoever began it, and why it ended otherwise than it was meant to. */
function whyOf(rollout: RolloutStatus): string {
  const { cause, state } = rollout;
  const kind = { operator: null, reload: 'reload', revert: `takes back ${cause.of}` }[cause.kind];
  const { by, why } = state === 'succeeded' ? { by: '', why: null } : endOf(rollout);
  const ended = by === '' ? why : [`ended${by}`, why].filter((part) => part !== null).join(': ');
  return [kind, cause.words, ended, killedOf(rollout)]
    .filter((text) => text !== null)
    .map((text) => inLocalTime(printable(text)))
    .join('; ');
}

/** No job is cut without a word of it. */
function killedOf({ killed = [] }: RolloutStatus): string | null {
  const [first, ...others] = new Set(killed);
  if (first === undefined) return null;
  return others.length === 0 ? `${first} was killed` : `${first} and ${others.length} more were killed`;
}

/** The last column may be cut, if so much of it is to be seen. */
const LEAST_WHY = 30;

function hasRoomForAll(rows: readonly Row[], { width, paint }: DetailLook): boolean {
  if (width === undefined) return true;
  const cells = rows.map((row) => [...row.cells, { text: row.change }]);
  const lines = table([...COLUMNS, ...MORE.slice(0, 1)], cells, undefined, paint);
  const why = Math.min(LEAST_WHY, Math.max('WHY'.length, ...rows.map((row) => widthOf(row.why))));
  return Math.max(...lines.map(widthOf)) + 2 + why <= width;
}

function below(row: Row | undefined, { width, paint }: DetailLook): string[] {
  if (row === undefined) return [];
  const text = `    ${row.change}${row.why === '' ? '' : `: ${row.why}`}`;
  return [paint.faint(width === undefined ? text : cut(text, width))];
}
