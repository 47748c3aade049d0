/** A block of lines at the bottom of a terminal that is drawn again in place. */
import type { Out } from './io.ts';
import { widthOf } from './render/text.ts';

export interface Screen {
  /** Replaces the block. Lines that there is no room for are left out, with a word. */
  draw(lines: readonly string[]): void;
  /** Puts lines above the block, for good. */
  above(lines: readonly string[]): void;
  /** Leaves the last block where it is and gives the cursor back. */
  close(): void;
}

const HIDE = '\x1b[?25l';
const SHOW = '\x1b[?25h';
const CLEAR_BELOW = '\x1b[J';

export function screen(out: Out): Screen {
  let shown: readonly string[] = [];
  let hidden = false;
  /** A terminal that has become narrower has wrapped what was there. */
  const back = (): string => {
    const columns = out.columns ?? 80;
    const rows = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
    return rows === 0 ? '' : `\x1b[${rows}A\r`;
  };
  const put = (above: readonly string[], block: readonly string[]) => {
    const text = [...above, ...block].map((line) => `${line}\n`).join('');
    out.write(`${hidden ? '' : HIDE}${back()}${CLEAR_BELOW}${text}`);
    hidden = true;
    shown = block;
  };
  return {
    draw: (lines) => put([], fitted(lines, (out.rows ?? 24) - 1)),
    above: (lines) => put(lines, shown),
    close() {
      if (hidden) out.write(SHOW);
      hidden = false;
      shown = [];
    },
  };
}

/** The first lines matter most: a heading and what is in motion. */
function fitted(lines: readonly string[], room: number): readonly string[] {
  if (lines.length <= room) return lines;
  const kept = Math.max(0, room - 1);
  return [...lines.slice(0, kept), `… and ${lines.length - kept} more`];
}
