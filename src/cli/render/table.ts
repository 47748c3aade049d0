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
  const widths = columns.map((column, at) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[at]?.text ?? '')), column.title.length),
  );
  const kept = width === undefined ? columns.map((_, at) => at) : fitting(columns, widths, width);
  const line = (cells: readonly Cell[]): string => {
    let room = width ?? Number.POSITIVE_INFINITY;
    const parts = kept.map((at, position) => {
      const last = position === kept.length - 1;
      const text = cut(cells[at]?.text ?? '', Math.min(room, last ? room : (widths[at] ?? 0)));
      const shown = cells[at]?.look?.(text) ?? text;
      const padding = ' '.repeat(Math.max(0, Math.min(room, widths[at] ?? 0) - widthOf(text)));
      room -= (widths[at] ?? 0) + GAP.length;
      if (columns[at]?.align === 'right') return padding + shown;
      return last ? shown : shown + padding;
    });
    return parts.join(GAP).trimEnd();
  };
  return [line(columns.map(({ title }) => ({ text: title, look: paint.faint }))), ...rows.map(line)];
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
