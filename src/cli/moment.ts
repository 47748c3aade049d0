/** A moment as people name it to `--since`: so long ago, a time of today, or a date. */
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../base/duration.ts';

const TIME = /^(\d{1,2}):(\d\d)(?::(\d\d))?$/;
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** In local time, unless it says otherwise. */
export function moment(text: string, now = new Date()): Date {
  const ago = parseDuration(text);
  if (ago.ok) return new Date(now.getTime() - ago.value);
  const found = timeOfDay(text, now) ?? dateOf(text);
  if (found !== undefined && !Number.isNaN(found.getTime())) return found;
  throw new InvalidArgumentError(
    `"${text}" is no time; write so long ago (90s, 2h, 1d), a time of today (14:05), or a date (2026-01-31T14:05).`,
  );
}

function timeOfDay(text: string, now: Date): Date | undefined {
  const [, hours, minutes, seconds = '0'] = TIME.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59)
    return undefined;
  const there = new Date(now);
  there.setHours(Number(hours), Number(minutes), Number(seconds), 0);
  return there;
}

/** A date alone is taken for its midnight here, and not in Greenwich. */
function dateOf(text: string): Date | undefined {
  if (!DATE.test(text)) return undefined;
  return new Date(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
}
