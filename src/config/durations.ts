/** The shapes of durations: `10s`, and `none` where there may be no end. */
import { parseDuration } from '../base/duration.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { nearest } from './nearest.ts';
import { orNone, orWord, type Refusal, scalar } from './scalar.ts';
import type { Shape } from './shape.ts';

/** Longer than this is no plan but a mistake in the unit. */
const LONGEST_MS = 365 * 86_400_000;

export const duration: Shape<number> = scalar<number>({
  expects: 'a duration such as 10s',
  parse: parseDurationKey,
  show: writtenDuration,
});

/** Longer than nothing: a limit of 0 would be over before it began. */
export const positiveDuration: Shape<number> = durationFrom(1);

/** What is done again and again must leave some time between. */
export function durationFrom(leastMs: number): Shape<number> {
  return scalar<number>({
    expects: duration.expects,
    parse(found) {
      const parsed = parseDurationKey(found);
      if (!parsed.ok || parsed.value >= leastMs) return parsed;
      return fail({ message: `must be at least ${writtenDuration(leastMs)}, not ${JSON.stringify(found)}` });
    },
    show: writtenDuration,
  });
}

export const durationOrNone: Shape<number | null> = orNone(duration);

/** One word stands for null, where that is no end but somebody's word. */
export function durationOr(word: string): Shape<number | null> {
  const expects = `${duration.expects}, or ${word}`;
  const either = scalar<number>({
    expects,
    parse(found) {
      if (/^\d/.test(found)) return parseDurationKey(found);
      const message = `must be ${expects}, not ${JSON.stringify(found)}`;
      const suggestion = nearest(found, [word]);
      return fail(suggestion === undefined ? { message } : { message, suggestion });
    },
    show: writtenDuration,
  });
  return { ...orWord(word, either), expects };
}

function parseDurationKey(found: string): Result<number, Refusal> {
  if (/^\d+(?:\.\d+)?$/.test(found)) {
    return fail({ message: 'is a duration and needs a unit', suggestion: `${found}s` });
  }
  if (found === 'none') return fail({ message: 'cannot be none: it needs an end, such as 10s' });
  const parsed = parseDuration(found);
  if (!parsed.ok) return fail({ message: `is wrong: ${parsed.error}` });
  if (parsed.value > LONGEST_MS) return fail({ message: 'is longer than 365d' });
  return ok(parsed.value);
}

/** Exact to the millisecond, unlike what is shown of a running clock. */
export function writtenDuration(ms: number): string {
  if (ms === 0) return '0s';
  let rest = ms;
  let shown = '';
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) shown += `${count}${unit}`;
    rest -= count * size;
  }
  return shown;
}
