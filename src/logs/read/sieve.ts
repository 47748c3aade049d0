/** Which lines are meant, by a text or an expression; one that takes too long on a line is given up, as nobody could end it. */
import { createContext, Script } from 'node:vm';
import type { LogPattern } from '../../core/plan.ts';
import type { Sieve } from './scan.ts';

/** Of processor time, for so many lines together: a sane expression needs a hundredth of it. */
const PATIENCE_MS = 1000;
const LINES_AT_ONCE = 2000;

export type Pattern = LogPattern;

export class TooSlow extends Error {
  override readonly name = 'TooSlow';
}

/** `wordsOf`: what of a line is looked at. The sieve throws `TooSlow`. */
export function createSieve(pattern: Pattern, wordsOf: (line: Buffer) => Buffer): Sieve {
  if (pattern.kind === 'text') {
    const text = Buffer.from(pattern.text);
    return (lines) => lines.map((line) => wordsOf(line).includes(text));
  }
  const regex = new RegExp(pattern.source, pattern.flags);
  // Only code in a context of its own can be told to stop. search, not test: that would remember where it was.
  const place = createContext({ regex, lines: [] });
  const script = new Script('lines.map((line) => line.search(regex) >= 0)');
  const search = (lines: readonly string[]): readonly boolean[] => {
    try {
      return boolean(script.runInContext(Object.assign(place, { lines }), { timeout: PATIENCE_MS }));
    } catch {
      throw new TooSlow(
        `cannot look for /${pattern.source}/: it takes too long on a line of what was written`,
      );
    }
  };
  return (lines) => {
    const found: boolean[] = [];
    for (let from = 0; from < lines.length; from += LINES_AT_ONCE) {
      const some = lines.slice(from, from + LINES_AT_ONCE).map((line) => textOf(wordsOf(line)));
      found.push(...search(some));
    }
    return found;
  };
}

const RETURN = 13;

const textOf = (line: Buffer): string =>
  line.toString('utf8', 0, line.at(-1) === RETURN ? line.length - 1 : line.length);

const boolean = (found: unknown): readonly boolean[] =>
  Array.isArray(found) ? found.map((each) => each === true) : [];

/** Those that both let through. */
export function both(one: Sieve | null, other: Sieve | null): Sieve | null {
  if (one === null || other === null) return one ?? other;
  return (lines) => {
    const [first, second] = [one(lines), other(lines)];
    return first.map((isMeant, at) => isMeant && second[at] === true);
  };
}
