/** The keys below `schedule`: when a program runs to completion. */
import { fail, ok } from '../base/result.ts';
import type { SchedulePlan } from '../core/plan.ts';
import { short } from './converted.ts';
import { isTimezone, parseCron } from './cron.ts';
import { map } from './maps.ts';
import { orWord, scalar } from './scalar.ts';
import { word } from './scalars.ts';
import type { Shape } from './shape.ts';

const cron: Shape<string> = scalar<string>({
  expects: 'a schedule such as "*/5 * * * *"',
  parse(found) {
    const parsed = parseCron(found);
    return parsed.ok ? parsed : fail({ message: parsed.error });
  },
  show: (value) => value,
});

const timezone: Shape<string> = scalar<string>({
  expects: 'a time zone such as Europe/Berlin',
  parse: (found) =>
    isTimezone(found)
      ? ok(found)
      : fail({ message: `must be a time zone such as Europe/Berlin, not ${JSON.stringify(found)}` }),
  show: (value) => value,
});

export const schedule: Shape<SchedulePlan> = short(
  map({
    cron: {
      as: 'cron',
      shape: cron,
      doc: 'Minute, hour, day, month and weekday, as crontab has them; seconds may stand in front; @hourly and its like.',
      aka: ['at', 'times', 'expression'],
    },
    timezone: {
      as: 'timezone',
      shape: orWord('local', timezone),
      fallback: 'local',
      doc: "Whose clock: a name such as Europe/Berlin, or local for the daemon's own.",
      aka: ['tz', 'time_zone'],
    },
    overlap: {
      as: 'overlap',
      shape: word('skip', 'queue', 'allow'),
      fallback: 'skip',
      doc: 'When it is time and the last run still works: skip this time, queue one run for afterwards, or allow both.',
      aka: ['concurrency', 'concurrency_policy'],
    },
  }),
  'cron',
);
