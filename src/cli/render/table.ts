/** Rows under a heading, in columns that fit the terminal. */
import type { Paint } from './paint.ts';
import { cut, widthOf } from './text.ts';

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** Left out when the terminal is too narrow, the highest number first; undefined: never. */
  readonly dispensable?: number;
}

export interface Cell {
  readonly text: string;
  readonly look?: (text: string) => string;
}

/** The last column takes what is left of the width, and is cut to it; it gets this much, if it has so much to say. */
const LAST_COLUMN = 30;
const GAP = '  ';

/** Lines of at most `width` columns; `undefined` means that nothing is cut. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number | undefined,
  paint: Paint,
): string[] {
  const heading = columns.map(({ title }) => ({ text: title, look: paint.faint }));
  // Measured once: a table of two hundred rows is to take no time.
  const measured = [heading, ...rows].map((row) => row.map(measure));
  const widths = columns.map((_, at) => {
    let widest = 0;
    for (const row of measured) widest = Math.max(widest, row[at]?.width ?? 0);
    return widest;
  });
  const kept = width === undefined ? columns.map((_, at) => at) : fitting(columns, widths, width);
  const fields = kept.map((at) => ({ at, width: widths[at] ?? 0, align: columns[at]?.align ?? 'left' }));
  return measured.map((row) => lineOf(row, fields, width ?? Number.POSITIVE_INFINITY));
}

interface Measured {
  readonly text: string;
  readonly look: Cell['look'];
  readonly width: number;
}

const measure = (cell: Cell): Measured => ({ text: cell.text, look: cell.look, width: widthOf(cell.text) });

interface Field {
  readonly at: number;
  readonly width: number;
  readonly align: Column['align'];
}

function lineOf(row: readonly Measured[], fields: readonly Field[], width: number): string {
  let room = width;
  let line = '';
  for (const { at, width: wanted, align } of fields) {
    const cell = row[at];
    if (cell === undefined || room <= 0) break;
    const text = cell.width > room ? cut(cell.text, room) : cell.text;
    const shown = cell.look?.(text) ?? text;
    const padding = ' '.repeat(Math.max(0, Math.min(room, wanted) - cell.width));
    line += align === 'right' ? padding + shown : shown + padding;
    line += GAP;
    room -= wanted + GAP.length;
  }
  return line.trimEnd();
}

/** The columns that there is room for, as positions. */
function fitting(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  let kept = columns.map((_, at) => at);
  const order = kept
    .filter((at) => columns[at]?.dispensable !== undefined)
    .sort((a, b) => (columns[b]?.dispensable ?? 0) - (columns[a]?.dispensable ?? 0));
  for (const victim of order) {
    const fixed = kept.slice(0, -1).reduce((sum, at) => sum + (widths[at] ?? 0) + GAP.length, 0);
    const wanted = Math.min(LAST_COLUMN, widths[kept.at(-1) ?? 0] ?? 0);
    if (fixed + wanted <= width) break;
    kept = kept.filter((at) => at !== victim);
  }
  return kept;
}
