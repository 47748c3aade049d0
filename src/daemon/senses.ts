/** What tells the fleet of more than its processes do: hooks that end, watches that see, turns that are judged, schedules that come. */
import type { Moment, Wall } from '../base/clock.ts';
import type { Run } from '../base/ids.ts';
import { countTimes, nextTime } from '../config/cron.ts';
import type { FleetEvent } from '../core/fleet/event.ts';
import type { Checks, LineWatch } from '../ports/checks.ts';
import type { Processes } from '../ports/processes.ts';
import { Hooks } from './hooks.ts';
import { Judges } from './judges.ts';
import { Scheduler } from './schedule.ts';
import type { Surroundings } from './spawn-request.ts';
import { type LogPlace, Watches } from './watches.ts';

interface SenseParts {
  readonly processes: Pick<Processes, 'execute' | 'usage'>;
  readonly checks: Checks;
  readonly lines: LineWatch;
  readonly surroundings: Surroundings;
  readonly clock: { now(): Moment };
  /** Of the runs that an earlier daemon began. */
  readonly places: ReadonlyMap<Run, readonly LogPlace[]>;
  /** When the daemon that has become this one left; null: there was none. */
  readonly since: Wall | null;
  post(event: FleetEvent): void;
  log(text: string): void;
}

export interface Senses {
  readonly hooks: Hooks;
  readonly watches: Watches;
  readonly judges: Judges;
  readonly scheduler: Scheduler;
  /** For good: nothing is posted after this, and no timer is left. */
  close(): void;
}

export function createSenses(parts: SenseParts): Senses {
  const { processes, checks, lines, surroundings, clock, places, since, post, log } = parts;
  const hooks = new Hooks(
    (request, done) => processes.execute(request, done),
    (run, hook, { ok, detail }) => post({ type: 'hooked', run, hook, ok, detail }),
  );
  const usage: Processes['usage'] = (runs) => processes.usage(runs);
  const watches = new Watches(
    {
      checks,
      lines,
      surroundings,
      usage,
      clock,
      checked: (run, purpose, { ok, detail }) => post({ type: 'checked', run, purpose, ok, detail }),
      measured: (run, bytes) => post({ type: 'measured', run, bytes }),
    },
    places,
  );
  const judges = new Judges({
    checks,
    surroundings,
    judged: (rollout, attempt, { ok, detail }) => post({ type: 'judged', rollout, attempt, ok, detail }),
  });
  const scheduler = new Scheduler(
    {
      clock,
      nextTime,
      countTimes,
      due: (program, at, missed) => post({ type: 'scheduled', program, at, missed }),
      log,
    },
    since,
  );
  return {
    hooks,
    watches,
    judges,
    scheduler,
    close() {
      for (const sense of [scheduler, watches, judges, hooks]) sense.close();
    },
  };
}
