/** Lines of several instances under one another, each with the name of its own. */
import type { Paint } from './paint.ts';
import { widthOf } from './text.ts';

/** `worker:0  | text`, the name in a colour of its own; the text as it is. */
export function linePrinter(names: readonly string[], paint: Paint): (at: number, text: string) => string {
  const widest = Math.max(0, ...names.map(widthOf));
  const heads = names.map((name, at) => paint.name(at, `${name.padEnd(widest)} |`));
  return (at, text) => `${heads[at] ?? ''} ${text}`;
}
