/** A block of lines at the bottom of a terminal that is drawn again in place. */
import type { Io } from './io.ts';
import { printable, widthOf } from './render/text.ts';

export interface Screen {
  /** Replaces the block, in one write. Lines that there is no room for are left out, with a word. */
  draw(lines: readonly string[]): void;
  /** Rings, and names the window: somebody is needed. Null: nobody is any more. */
  alarm(title: string | null): void;
  /** Leaves the last block where it is and gives the terminal back as it was. */
  close(): void;
}

const HIDE = '\x1b[?25l';
const SHOW = '\x1b[?25h';
const CLEAR_BELOW = '\x1b[J';
const CLEAR_REST = '\x1b[K';
/** While a frame is drawn: a terminal that has become narrower since its size was read cuts what is too long. */
const NO_WRAP = '\x1b[?7l';
const WRAP = '\x1b[?7h';
const BELL = '\x07';
/** Terminals without a stack of titles ignore these; for them the title is emptied, and the shell's next prompt names it. */
const SAVE_TITLE = '\x1b[22;2t';
const RESTORE_TITLE = '\x1b[23;2t';
const NOTHING = `${NO_WRAP}${CLEAR_BELOW}${WRAP}`;
const title = (text: string): string => `\x1b]2;${text}\x1b\\`;

/** `redraw` is asked for when the terminal has another size, or is ours again. */
export function screen(
  { stdout, onTerminal }: Pick<Io, 'stdout' | 'onTerminal'>,
  redraw: () => void,
): Screen {
  let shown: readonly string[] = [];
  let frame = NOTHING;
  let hidden = false;
  /** What the window is to be called, and whether it is. */
  let name: string | null = null;
  let named = false;
  const columns = () => stdout.columns ?? 80;
  /** A terminal that has become narrower has wrapped what was there. */
  const up = (): string => {
    const rows = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns())), 0);
    return rows === 0 ? '' : `\x1b[${rows}A\r`;
  };
  const leave = () => {
    const unnamed = named ? `${title('')}${RESTORE_TITLE}` : '';
    // What Ctrl-C or Ctrl-Z has left on the line below the block goes, too.
    if (hidden || named) stdout.write(`${unnamed}${hidden ? `\r${CLEAR_BELOW}${SHOW}` : ''}`);
    hidden = false;
    named = false;
    shown = [];
    frame = NOTHING;
  };
  const quiet = onTerminal({ leave, back: redraw, resized: redraw });
  return {
    draw(lines) {
      const block = fitted(lines, (stdout.rows ?? 24) - 1);
      const text = `${NO_WRAP}${block.map((line) => lineOf(line, columns())).join('')}${CLEAR_BELOW}${WRAP}`;
      const hasWrapped = shown.some((line) => widthOf(line) > columns());
      if (text === frame && !hasWrapped) return;
      const again = name === null || named ? '' : `${SAVE_TITLE}${title(name)}`;
      stdout.write(`${again}${hidden ? '' : HIDE}${up()}${text}`);
      named ||= again !== '';
      hidden = true;
      shown = block;
      frame = text;
    },
    alarm(text) {
      if (text === null && named) stdout.write(`${title('')}${RESTORE_TITLE}`);
      name = text === null ? null : printable(text);
      if (name !== null) stdout.write(`${named ? '' : SAVE_TITLE}${title(name)}${BELL}`);
      named = name !== null;
    },
    close() {
      quiet();
      name = null;
      leave();
    },
  };
}

/** Clearing the rest of a line that ends at the margin would take its last character. */
const lineOf = (line: string, columns: number): string =>
  `${line}${widthOf(line) < columns ? CLEAR_REST : ''}\n`;

/** The first lines matter most: a heading and what is in motion. */
function fitted(lines: readonly string[], room: number): readonly string[] {
  if (lines.length <= room) return lines;
  const kept = Math.max(0, room - 1);
  return [...lines.slice(0, kept), `… and ${lines.length - kept} more`];
}
