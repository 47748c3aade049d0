/** What whoever has started the daemon is told, and when. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Herald, statusOf } from '../../src/daemon/herald.ts';
import type { OwnSupervisor } from '../../src/ports/own-supervisor.ts';
import { Fleets, program } from '../core/rig.ts';

let told: string[] = [];
const listener = (watchdogMs: number | null = null): OwnSupervisor => ({
  watchdogMs,
  tell: (...words) => void told.push(words.join(' ')),
  close: () => {},
});
const heralds: Herald[] = [];
function herald(fleets: Fleets, supervisor: OwnSupervisor | null = listener()): Herald {
  const made = new Herald(supervisor, fleets.fleet);
  heralds.push(made);
  return made;
}

beforeEach(() => {
  told = [];
  vi.useFakeTimers();
});
afterEach(() => {
  for (const each of heralds.splice(0)) each.close();
  expect(vi.getTimerCount(), 'timers that are left').toBe(0);
  vi.useRealTimers();
});

const two = () => new Fleets([program({ instances: 2 })]);
const shutDown = (fleets: Fleets) => fleets.take({ type: 'shutdown', how: 'drain', timeoutMs: null });

it('says READY once, with how many run, and from then on each change within a second', () => {
  const fleets = two();
  const one = herald(fleets);
  one.look();
  vi.advanceTimersByTime(5000);
  expect(told).toEqual([]);
  fleets.start();
  one.ready();
  expect(told).toEqual(['READY=1 STATUS=0 of 2 running']);
  fleets.ready(0);
  one.look();
  fleets.ready(1);
  one.look();
  expect(told).toHaveLength(1);
  vi.advanceTimersByTime(1000);
  expect(told.slice(1)).toEqual(['STATUS=2 of 2 running']);
  one.look();
  vi.advanceTimersByTime(5000);
  expect(told, 'what has not changed is not told').toHaveLength(2);
});

it('sends WATCHDOG=1 at half of the time, from the beginning, until it is closed', () => {
  const one = herald(two(), listener(1000));
  vi.advanceTimersByTime(1600);
  expect(told).toEqual(['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1']);
  one.close();
  vi.advanceTimersByTime(5000);
  expect(told).toHaveLength(4);
});

it('moves the outer limit on for as long as it ends', () => {
  const fleets = two().allReady();
  const one = herald(fleets);
  one.ready();
  told = [];
  shutDown(fleets);
  one.look();
  one.look();
  const [first = '', ...more] = told;
  expect(first).toBe('STOPPING=1 EXTEND_TIMEOUT_USEC=30000000 STATUS=ending: 2 left, 2 draining');
  told = more;
  vi.advanceTimersByTime(60_000);
  // Each is in good time before the one before it has run out.
  expect(told.filter((word) => word === 'EXTEND_TIMEOUT_USEC=30000000').length).toBeGreaterThanOrEqual(6);
  fleets.gone(0);
  one.look();
  vi.advanceTimersByTime(1000);
  expect(told.at(-1)).toBe('STATUS=ending: 1 left, 1 draining');
});

it('says that it reloads, since when, and that it has; but not before it is ready, nor while it ends', () => {
  const fleets = two().allReady();
  const one = herald(fleets);
  one.reloaded();
  expect(told).toEqual([]);
  one.ready();
  told = [];
  const before = process.hrtime.bigint() / 1000n;
  one.reloaded();
  expect(told).toEqual([expect.stringMatching(/^RELOADING=1 MONOTONIC_USEC=\d+$/), 'READY=1']);
  const since = BigInt(told[0]?.split('MONOTONIC_USEC=')[1] ?? '0');
  expect(since >= before && since <= process.hrtime.bigint() / 1000n).toBe(true);
  shutDown(fleets);
  one.look();
  told = [];
  one.reloaded();
  expect(told).toEqual([]);
});

it('does nothing where nobody listens', () => {
  const fleets = two().allReady();
  const one = herald(fleets, null);
  one.ready();
  one.reloaded();
  shutDown(fleets);
  one.look();
  expect(vi.getTimerCount()).toBe(0);
});

describe('the status in one line', () => {
  it('counts what is wanted, without what has completed or waits for its time', () => {
    const fleets = new Fleets([
      program({ instances: 2 }),
      program({ name: 'migrate' as never, restart: 'never' }),
      program({
        name: 'nightly' as never,
        restart: 'never',
        schedule: { cron: '0 0 * * *', timezone: null, overlap: 'skip' },
      }),
    ]);
    fleets.allReady();
    fleets.gone('migrate:0');
    expect(fleets.kindOf('migrate:0')).toBe('exited');
    expect(fleets.kindOf('nightly:0')).toBe('waiting');
    expect(statusOf(fleets.fleet)).toBe('2 of 2 running');
    fleets.stop(1);
    expect(statusOf(fleets.fleet)).toBe('1 of 1 running, 1 draining');
    fleets.gone(1);
    fleets.gone(0, 1);
    expect(statusOf(fleets.fleet)).toBe('0 of 1 running');
  });
});
