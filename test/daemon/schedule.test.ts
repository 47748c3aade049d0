import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Moment, mono, wall } from '../../src/base/clock.ts';
import { programName } from '../../src/base/ids.ts';
import { countTimes, nextTime } from '../../src/config/cron.ts';
import type { ProgramPlan, SchedulePlan } from '../../src/core/plan.ts';
import { LOOK_MS, Scheduler } from '../../src/daemon/schedule.ts';
import { program } from '../core/rig.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** 2026-01-31T12:00:30Z: half a minute after a full hour. */
const START = Date.UTC(2026, 0, 31, 12, 0, 30);

const job = (cron: string, more: Partial<SchedulePlan> = {}, name = 'job'): ProgramPlan =>
  program({
    name: programName(name),
    schedule: { cron, timezone: 'UTC', overlap: 'skip', ...more },
  });

const clockText = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A stopwatch that goes on with the timers, and a calendar that can be set. */
function scene(...programs: ProgramPlan[]) {
  return sceneSince(null, ...programs);
}

/** `since`: when the daemon before it has left, milliseconds before this one. */
function sceneSince(since: number | null, ...programs: ProgramPlan[]) {
  const watch = { mono: 0, set: 0 };
  const clock = {
    now: (): Moment => ({ mono: mono(watch.mono), wall: wall(START + watch.mono + watch.set) }),
  };
  const kept: string[] = [];
  const said: string[] = [];
  const parts = {
    clock,
    nextTime,
    countTimes,
    due: (name: string, at: number, missed: number) => void kept.push(`${name} ${clockText(at)} +${missed}`),
    log: (text: string) => void said.push(text),
  };
  const scheduler = new Scheduler(parts, since === null ? null : wall(START - since));
  scheduler.follow(programs);
  /** In small steps, so that each timer finds the clock where it is to ring. */
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 1000) {
      const step = Math.min(1000, left);
      watch.mono += step;
      vi.advanceTimersByTime(step);
    }
  };
  const set = (ms: number): void => {
    watch.set += ms;
  };
  const next = (name = 'job'): string | null => {
    const at = scheduler.nextOf(programName(name));
    return at === null ? null : clockText(at);
  };
  return { scheduler, kept, said, pass, set, next };
}

describe('a daemon that was another version of itself before', () => {
  it('keeps the time that came between the two', () => {
    const { kept, said, pass } = sceneSince(31_000, job('0 12 * * *'), job('0 13 * * *', {}, 'later'));
    pass(1000);
    expect(kept).toEqual(['job 12:00:00 +0']);
    expect(said, 'and no clock was set').toEqual([]);
    pass(MINUTE);
    expect(kept).toHaveLength(1);
  });

  it('keeps none that the last one has kept', () => {
    const { kept, pass } = sceneSince(30_000, job('0 12 * * *'));
    pass(MINUTE);
    expect(kept).toEqual([]);
  });

  it('counts from now where it is told of a time to come', () => {
    const { kept, pass, next } = sceneSince(-2 * HOUR, job('0 13 * * *'));
    expect(next()).toBe('13:00:00');
    pass(MINUTE);
    expect(kept).toEqual([]);
  });
});

describe('a schedule', () => {
  it('is kept at its times, once each', () => {
    const { kept, pass, next } = scene(job('*/5 * * * *'));
    expect(next()).toBe('12:05:00');
    pass(4.5 * MINUTE - 1000);
    expect(kept).toEqual([]);
    pass(1000);
    expect(kept).toEqual(['job 12:05:00 +0']);
    pass(10 * MINUTE);
    expect(kept).toEqual(['job 12:05:00 +0', 'job 12:10:00 +0', 'job 12:15:00 +0']);
    expect(next()).toBe('12:20:00');
  });

  it('is kept beside others, each at its own times', () => {
    const { kept, pass } = scene(job('*/5 * * * *', {}, 'a'), job('3 * * * *', {}, 'b'), program());
    pass(5 * MINUTE);
    expect(kept).toEqual(['b 12:03:00 +0', 'a 12:05:00 +0']);
  });

  it('is not made up for what came while no daemon ran', () => {
    const { kept, pass } = scene(job('0 12 * * *'));
    pass(MINUTE);
    expect(kept).toEqual([]);
  });

  it('that never comes again waits without a timer that rings at once', () => {
    const never: SchedulePlan = { cron: 'x', timezone: null, overlap: 'skip' };
    const scheduler = new Scheduler({
      clock: { now: () => ({ mono: mono(0), wall: wall(0) }) },
      nextTime: () => null,
      countTimes: () => 0,
      due: () => expect.unreachable('it never comes'),
      log: () => {},
    });
    scheduler.follow([program({ schedule: never })]);
    vi.advanceTimersByTime(10 * LOOK_MS);
    expect(vi.getTimerCount()).toBe(1);
    scheduler.close();
  });
});

describe('a clock that is set forward by an hour', () => {
  it('has what was due meanwhile run once, within a minute, with the number of the others', () => {
    const { kept, said, pass, set, next } = scene(job('*/5 * * * *'));
    pass(MINUTE); // 12:01:30
    set(HOUR); // 13:01:30
    pass(MINUTE);
    expect(kept).toEqual(['job 12:05:00 +11']);
    expect(said).toEqual([
      'the clock has gone forward by 1h: it was set, or the machine slept; what was due meanwhile is run once, now',
    ]);
    expect(next()).toBe('13:05:00');
    pass(3 * MINUTE);
    expect(kept).toEqual(['job 12:05:00 +11', 'job 13:05:00 +0']);
  });

  it('is noticed within a minute, though nothing is due for days', () => {
    const { kept, said, pass, set } = scene(job('0 0 1 2 *'));
    pass(10 * MINUTE);
    set(12 * HOUR);
    pass(MINUTE);
    expect(said).toHaveLength(1);
    expect(kept).toEqual(['job 00:00:00 +0']);
  });

  it('counts what was missed only so far', () => {
    const { kept, pass, set } = scene(job('* * * * * *'));
    set(30 * 24 * HOUR);
    pass(1000);
    expect(kept[0]).toMatch(/^job 12:00:31 \+1000$/);
  });
});

describe('a clock that is set back by an hour', () => {
  it('has the schedule follow the new time, which is said', () => {
    const { kept, said, pass, set, next } = scene(job('*/30 * * * *'));
    pass(HOUR); // 13:00:30: 12:30 and 13:00 were kept
    expect(kept).toEqual(['job 12:30:00 +0', 'job 13:00:00 +0']);
    set(-HOUR); // 12:00:30
    pass(MINUTE);
    expect(said).toEqual([
      'the clock was set back by 1h: schedules follow the new time, and what ran by the old one may run again',
    ]);
    expect(next()).toBe('12:30:00');
    pass(30 * MINUTE);
    expect(kept.slice(2)).toEqual(['job 12:30:00 +0']);
  });

  it('does not run at once what is not due by the new time', () => {
    const { kept, pass, set } = scene(job('0 13 * * *'));
    pass(59 * MINUTE); // 12:59:30
    set(-HOUR);
    pass(2 * MINUTE);
    expect(kept).toEqual([]);
    pass(HOUR);
    expect(kept).toEqual(['job 13:00:00 +0']);
  });
});

it.each([-2000, 2000])('a clock that is put right by %i ms changes nothing and is not talked about', (ms) => {
  const { kept, said, pass, set } = scene(job('*/5 * * * *'));
  pass(3 * MINUTE);
  set(ms);
  pass(4 * MINUTE);
  expect(said).toEqual([]);
  expect(kept).toEqual(['job 12:05:00 +0']);
});

it('a time that was kept is not kept again when the clock goes back by a moment', () => {
  const { kept, pass, set } = scene(job('*/5 * * * *'));
  pass(4.5 * MINUTE);
  expect(kept).toHaveLength(1);
  set(-3000);
  pass(MINUTE);
  expect(kept).toHaveLength(1);
});

describe('a change of the plan', () => {
  it('of the schedule has a new next time, from now on', () => {
    const { scheduler, kept, pass, next } = scene(job('*/5 * * * *'));
    scheduler.follow([job('*/2 * * * *')]);
    expect(next()).toBe('12:02:00');
    pass(2 * MINUTE);
    expect(kept).toEqual(['job 12:02:00 +0']);
  });

  it('of anything else leaves the next time as it was', () => {
    const { scheduler, kept, pass, set } = scene(job('*/5 * * * *'));
    pass(MINUTE);
    set(2 * MINUTE); // 12:03:30, not yet noticed
    scheduler.follow([job('*/5 * * * *', { overlap: 'queue' })]);
    pass(2 * MINUTE);
    expect(kept).toEqual(['job 12:05:00 +0']);
  });

  it('of anything else does not keep a time again that was kept a moment ago', () => {
    const { scheduler, kept, pass, set } = scene(job('*/5 * * * *'));
    pass(4.5 * MINUTE);
    expect(kept).toHaveLength(1);
    set(-2000); // put right, to before that time
    scheduler.follow([job('*/5 * * * *', { overlap: 'allow' })]);
    pass(MINUTE);
    expect(kept).toHaveLength(1);
  });

  it('that has no schedule any more leaves no timer', () => {
    const { scheduler, kept, pass, next } = scene(job('*/5 * * * *'));
    expect(vi.getTimerCount()).toBe(1);
    scheduler.follow([program()]);
    expect(vi.getTimerCount()).toBe(0);
    expect(next()).toBeNull();
    pass(HOUR);
    expect(kept).toEqual([]);
  });

  it('is not the moment to lose a time that is due', () => {
    const { scheduler, kept, set } = scene(job('*/5 * * * *'));
    set(5 * MINUTE);
    scheduler.follow([job('0 0 * * *')]);
    expect(kept).toEqual(['job 12:05:00 +0']);
  });
});

it('without schedules there is no timer, and none is left behind', () => {
  const { scheduler } = scene(program());
  expect(vi.getTimerCount()).toBe(0);
  scheduler.follow([job('* * * * *')]);
  expect(vi.getTimerCount()).toBe(1);
  scheduler.close();
  expect(vi.getTimerCount()).toBe(0);
});
