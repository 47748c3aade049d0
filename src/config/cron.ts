/** When a schedule comes: the one place that knows the cron library. */
import { Cron } from 'croner';
import { type Wall, wall } from '../base/clock.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { SchedulePlan } from '../core/plan.ts';

/** The first time after this one; null: it never comes again. */
export function nextTime(schedule: SchedulePlan, after: Wall): Wall | null {
  const next = cronOf(schedule.cron, schedule.timezone).nextRun(new Date(after));
  return next === null ? null : wall(next.getTime());
}

/** Counting further would keep the daemon from its work, and tells nobody anything. */
export const MOST_TIMES = 1000;

/** How often it comes after `from` and until `to`, that moment included; stops at `MOST_TIMES`. */
export function countTimes(schedule: SchedulePlan, from: Wall, to: Wall): number {
  const cron = cronOf(schedule.cron, schedule.timezone);
  let count = 0;
  let at = cron.nextRun(new Date(from));
  while (at !== null && at.getTime() <= to && count < MOST_TIMES) {
    count += 1;
    at = cron.nextRun(at);
  }
  return count;
}

/** Only asked, never started: it has no function to run, so it sets no timer. */
function cronOf(cron: string, timezone: string | null): Cron {
  return new Cron(cron, {
    mode: '5-or-6-parts',
    // What has its hours named comes once on a day whose clock jumps, as cron(8) has it.
    fixedTimeRule: 'no-wildcard',
    ...(timezone === null ? {} : { timezone }),
  });
}

const NAMES = '@yearly, @monthly, @weekly, @daily or @hourly';
const EXPECTED = `five fields (minute hour day month weekday), six with seconds in front, or ${NAMES}`;

/** The same with single spaces, or why there is no such schedule. */
export function parseCron(text: string): Result<string, string> {
  const cron = text.trim().replace(/\s+/g, ' ');
  const fields = cron.split(' ').length;
  if (cron.includes('?')) return fail('cannot hold "?": write * for any');
  if (!cron.startsWith('@') && fields !== 5 && fields !== 6) {
    return fail(`must have ${EXPECTED}; this has ${fields} ${fields === 1 ? 'field' : 'fields'}`);
  }
  if (/^@(?!(?:yearly|annually|monthly|weekly|daily|midnight|hourly)$)/i.test(cron)) {
    return fail(`does not know ${cron}; write ${NAMES}, or five fields`);
  }
  return isEver(cron);
}

function isEver(cron: string): Result<string, string> {
  try {
    // The zone moves a time but makes none, and which day it is asked on does not matter either.
    const next = cronOf(cron, 'UTC').nextRun(new Date(0));
    return next === null ? fail('never comes: no month has such a day') : ok(cron);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail(`cannot be read as a schedule: ${reason.replace(/^CronPattern: /, '')}`);
  }
}

/** Whether the system has such a time zone. */
export function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
