/**
 * Looks for a pattern in lines. A regular expression may take time without end on a line that was made for it; so it
 * is tried on the beginning of a line only, and within a time after which the whole look is given up.
 */
import { type Context, createContext, Script } from 'node:vm';
import type { LogPattern } from '../core/plan.ts';

/** The first of the lines that has it. `too_slow`: it cannot be told. */
export type Found =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'too_slow' };

export type Finder = (lines: readonly string[]) => Found;

const TRIED_CHARACTERS = 8 * 1024;
/** For all lines of one look together; a sane pattern needs a thousandth of it. */
const PATIENCE_MS = 100;

export function createFinder(pattern: LogPattern): Finder {
  if (pattern.kind === 'text') {
    return (lines) =>
      foundAt(
        lines,
        lines.findIndex((line) => line.includes(pattern.text)),
      );
  }
  const regex = new RegExp(pattern.source, pattern.flags);
  return (lines) => {
    const beginnings = lines.map((line) => line.slice(0, TRIED_CHARACTERS));
    const index = search(regex, beginnings);
    return index === null ? { kind: 'too_slow' } : foundAt(lines, index);
  };
}

function foundAt(lines: readonly string[], index: number): Found {
  const line = lines[index];
  return line === undefined ? { kind: 'nothing' } : { kind: 'line', line };
}

let place: { readonly context: Context; readonly script: Script } | null = null;

/** Only code in a context of its own can be told to stop: it is made when the first such pattern is looked for. */
function search(regex: RegExp, lines: readonly string[]): number | null {
  if (lines.length === 0) return -1;
  // search, not test: that would remember where it was, if the expression has the flag g.
  place ??= {
    context: createContext({ regex, lines }),
    script: new Script('lines.findIndex((line) => line.search(regex) >= 0)'),
  };
  Object.assign(place.context, { regex, lines });
  try {
    return Number(place.script.runInContext(place.context, { timeout: PATIENCE_MS }));
  } catch {
    return null; // the only thing that it can throw is that its time is over
  } finally {
    Object.assign(place.context, { regex: null, lines: null });
  }
}
