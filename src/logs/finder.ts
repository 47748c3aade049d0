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
/** For so many lines together, of processor time; a sane pattern needs a hundredth of it. */
const PATIENCE_MS = 100;
const LINES_AT_ONCE = 1000;
/** The time is measured by the clock: on a busy machine it may be over before anything has been done. */
const TRIES = 5;

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
    for (let from = 0; from < lines.length; from += LINES_AT_ONCE) {
      const some = lines.slice(from, from + LINES_AT_ONCE);
      const beginnings = some.map((line) => line.slice(0, TRIED_CHARACTERS));
      const index = search(regex, beginnings, TRIES);
      if (index === null) return { kind: 'too_slow' };
      if (index >= 0) return foundAt(some, index);
    }
    return { kind: 'nothing' };
  };
}

function foundAt(lines: readonly string[], index: number): Found {
  const line = lines[index];
  return line === undefined ? { kind: 'nothing' } : { kind: 'line', line };
}

let place: { readonly context: Context; readonly script: Script } | null = null;

/** Only code in a context of its own can be told to stop: it is made when the first such pattern is looked for. */
function search(regex: RegExp, lines: readonly string[], tries: number): number | null {
  // search, not test: that would remember where it was, if the expression has the flag g.
  place ??= {
    context: createContext({ regex, lines }),
    script: new Script('lines.findIndex((line) => line.search(regex) >= 0)'),
  };
  const before = process.cpuUsage();
  Object.assign(place.context, { regex, lines });
  try {
    return Number(place.script.runInContext(place.context, { timeout: PATIENCE_MS }));
  } catch {
    const { user } = process.cpuUsage(before); // in millionths of a second
    return user / 1000 < PATIENCE_MS / 2 && tries > 1 ? search(regex, lines, tries - 1) : null;
  } finally {
    Object.assign(place.context, { regex: null, lines: null });
  }
}
