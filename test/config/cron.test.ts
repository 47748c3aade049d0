import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Wall, wall } from '../../src/base/clock.ts';
import { countTimes, MOST_TIMES, nextTime, parseCron } from '../../src/config/cron.ts';
import type { SchedulePlan } from '../../src/core/plan.ts';

const at = (iso: string): Wall => wall(Date.parse(iso));
const plan = (cron: string, timezone: string | null = 'UTC'): SchedulePlan => ({
  cron,
  timezone,
  overlap: 'skip',
});

/** The next times, each after the one before. */
function times(schedule: SchedulePlan, from: string, count: number): string[] {
  const found: string[] = [];
  let last = at(from);
  while (found.length < count) {
    const next = nextTime(schedule, last);
    if (next === null) break;
    found.push(new Date(next).toISOString().replace(':00.000Z', 'Z'));
    last = next;
  }
  return found;
}

describe('the next time', () => {
  test('is after the one that is given, never that one again', () => {
    expect(times(plan('*/5 * * * *'), '2026-01-31T12:05:00Z', 2)).toEqual([
      '2026-01-31T12:10Z',
      '2026-01-31T12:15Z',
    ]);
    expect(nextTime(plan('*/5 * * * *'), wall(at('2026-01-31T12:05:00Z') - 1))).toBe(
      at('2026-01-31T12:05:00Z'),
    );
    expect(nextTime(plan('*/5 * * * *'), wall(at('2026-01-31T12:05:00Z') + 1))).toBe(
      at('2026-01-31T12:10:00Z'),
    );
  });

  test('may be a second away, with six fields', () => {
    expect(nextTime(plan('*/2 * * * * *'), at('2026-01-31T12:00:00Z'))).toBe(at('2026-01-31T12:00:02Z'));
  });

  test('is where day of the month or weekday fits when both are given, as in crontab', () => {
    expect(times(plan('0 0 13 * FRI'), '2026-03-01T00:00:00Z', 3)).toEqual([
      '2026-03-06T00:00Z',
      '2026-03-13T00:00Z',
      '2026-03-20T00:00Z',
    ]);
  });

  test('of a leap day is years away', () => {
    expect(times(plan('0 0 29 2 *'), '2026-01-01T00:00:00Z', 1)).toEqual(['2028-02-29T00:00Z']);
  });

  test('never comes for a day that no month has', () => {
    expect(nextTime(plan('0 0 31 2 *'), at('2026-01-01T00:00:00Z'))).toBe(null);
  });
});

describe('where the clock is put forward or back', () => {
  // In Berlin 02:00 is followed by 03:00 on 2026-03-29, and 03:00 by 02:00 again on 2026-10-25.
  const berlin = (cron: string): SchedulePlan => plan(cron, 'Europe/Berlin');

  test('a time that is left out comes at the end of the gap', () => {
    expect(times(berlin('30 2 * * *'), '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-30T00:30Z',
    ]);
    expect(times(berlin('30 2,14 * * *'), '2026-03-28T20:00:00Z', 1)).toEqual(['2026-03-29T01:00Z']);
  });

  test('a time that comes twice is taken once', () => {
    expect(times(berlin('30 2 * * *'), '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
  });

  test('what comes every half hour goes on doing so', () => {
    expect(times(berlin('*/30 * * * *'), '2026-10-25T00:00:00Z', 3)).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-25T01:00Z',
      '2026-10-25T01:30Z',
    ]);
  });
});

describe("the daemon's own time zone", () => {
  const before = process.env.TZ;
  beforeEach(() => {
    process.env.TZ = 'America/New_York';
  });
  afterEach(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });

  test('is taken where none is given', () => {
    expect(times(plan('0 9 * * *', null), '2026-01-31T00:00:00Z', 1)).toEqual(['2026-01-31T14:00Z']);
  });
});

describe('the times between two moments', () => {
  const minute = plan('* * * * *');
  test.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:59.999Z', 0],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z', 1], // the end counts, the beginning does not
    ['2025-12-31T23:59:59.999Z', '2026-01-01T00:01:00Z', 2],
    ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z', 60],
    ['2026-01-01T01:00:00Z', '2026-01-01T00:00:00Z', 0],
    ['2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z', MOST_TIMES],
  ])('after %s and until %s are counted: %s', (from, to, count) => {
    expect(countTimes(minute, at(from), at(to))).toBe(count);
  });
});

describe('a schedule', () => {
  test.each([
    ['  0   3\t* * 1-5 ', '0 3 * * 1-5'],
    ['@hourly', '@hourly'],
    ['@midnight', '@midnight'],
    ['0 0 L * *', '0 0 L * *'],
    ['0 0 * JAN,jul MON#1', '0 0 * JAN,jul MON#1'],
    ['15 10 0 1 1 *', '15 10 0 1 1 *'],
    ['0 0 * * 7', '0 0 * * 7'],
  ])('is read from %j', (text, cron) => {
    expect(parseCron(text)).toEqual({ ok: true, value: cron });
  });

  test.each([
    '',
    '*',
    '* * * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '*/0 * * * *',
    '5-1 * * * *',
    'a * * * *',
    '1.5 * * * *',
    '-1 * * * *',
    '0 0 31 4,6,9,11 *',
    '@every 5m',
    '@never',
  ])('is not read from %j', (text) => {
    expect(parseCron(text)).toMatchObject({ ok: false });
  });
});

test('the quick way to the socket loads neither the cron library nor the YAML parser', () => {
  const src = join(import.meta.dirname, '../../src');
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    if (!file.startsWith('/')) return;
    const code = readFileSync(file, 'utf8');
    for (const [, type, from = ''] of code.matchAll(/^(?:import|export) (type )?[^;]*?from '([^']+)';/gm)) {
      if (type === undefined) visit(from.startsWith('.') ? join(dirname(file), from) : from);
    }
  };
  for (const file of ['cli/main.ts', 'config/find.ts', 'config/where.ts']) visit(join(src, file));
  expect(seen.size).toBeGreaterThan(10);
  expect([...seen]).not.toContain('yaml');
  expect([...seen]).not.toContain('croner');
  visit(join(src, 'config/load.ts'));
  expect([...seen]).toContain('croner');
});
