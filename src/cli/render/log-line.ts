/** Lines of several instances under one another, each with the name of its own. */
import type { Paint } from './paint.ts';
import { widthOf } from './text.ts';

/** What stands before the lines of each: `worker:0  |`, in a colour of its own. */
export function headsOf(names: readonly string[], paint: Paint): string[] {
  const widest = Math.max(0, ...names.map(widthOf));
  return names.map((name, at) => paint.name(at, `${name.padEnd(widest)} |`));
}

const ESCAPE = String.fromCharCode(27);
const BELL = String.fromCharCode(7);
/** Colours; what moves the cursor or names the window, whole; and any other. */
const SEQUENCE = new RegExp(
  `(${ESCAPE}\\[[0-9;:]*m)|${ESCAPE}\\[[0-?]*[ -/]*[@-~]|${ESCAPE}[\\]PX^_].*?(?:${BELL}|${ESCAPE}\\\\|$)|${ESCAPE}.?`,
  'gs',
);
const CONTROL = /\p{Cc}/u;
const OTHERS = new RegExp(`(?!${ESCAPE})[^\\P{Cc}\\t]`, 'gu');
const END_OF_COLOUR = `${ESCAPE}[0m`;

/** The text with its own colours, and nothing that could reach beyond its line: for a terminal that shows several. */
export function tamed(text: string): string {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text;
  if (!CONTROL.test(line)) return line;
  let isColoured = false;
  const kept = line.replace(SEQUENCE, (_, colour: string | undefined) => {
    isColoured ||= colour !== undefined;
    return colour ?? '';
  });
  return kept.replace(OTHERS, ' ') + (isColoured ? END_OF_COLOUR : '');
}
