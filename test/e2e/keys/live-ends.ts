/** What becomes of an instance that has ended by itself is decided by what the config says at that moment. */
import { expect } from 'vitest';
import type { Program } from '../world.ts';
import { type Row, type Seat, steady } from './row.ts';

/** The process that runs ends in this way. */
const endBy = (seat: Seat, signal: 'SIGUSR1' | 'SIGUSR2'): void => {
  process.kill(seat.before.pid ?? 0, signal);
};
const crash = (seat: Seat): void => endBy(seat, 'SIGUSR1');
const endWell = (seat: Seat): void => endBy(seat, 'SIGUSR2');

const HOUR_MS = 3_600_000;

/** How long after its end it is to be tried again. */
async function delayAfterCrash(seat: Seat): Promise<number> {
  crash(seat);
  const { retry_at, last_exit } = await seat.see('it is in backoff', ({ state }) => state === 'backoff');
  return Date.parse(retry_at ?? '') - Date.parse(last_exit?.at ?? '');
}

const backoff = (key: string, from: Program, to: unknown, shows: Row['shows'], told?: Row['told']): Row => ({
  key: `backoff.${key}`,
  program: () => ({ ...steady, backoff: { max: '20h', jitter: '0%', ...from } }),
  to: () => to,
  told,
  effect: 'live',
  shows,
});

/** Crashes it, and once more when it is back: how long the second delay was. */
async function secondDelay(seat: Seat): Promise<number> {
  crash(seat);
  const { run, pid } = await seat.renewed(seat.before.run);
  process.kill(pid ?? 0, 'SIGUSR1');
  const gone = await seat.sees('gone', (it) => it.run === run);
  const next = await seat.sees('spawned', (it) => it.run > (run ?? 0));
  return next.mono_ms - gone.mono_ms;
}

export const LIVE_ENDS: readonly Row[] = [
  {
    key: 'restart',
    program: () => steady,
    to: () => 'never',
    told: { from: 'always' },
    effect: 'live',
    async shows(seat) {
      endWell(seat);
      const ended = await seat.see('it has ended for good', ({ state }) => state === 'exited');
      expect(ended.run).toBe(seat.before.run);
    },
  },
  {
    key: 'restart',
    program: () => ({ ...steady, restart: 'on_failure' }),
    to: () => 'always',
    effect: 'live',
    async shows(seat) {
      endWell(seat);
      await seat.renewed(seat.before.run);
    },
  },
  {
    key: 'success_exit_codes',
    program: () => ({ ...steady, restart: 'on_failure' }),
    to: () => [0, 7],
    told: { from: '[0]', to: '[0, 7]' },
    effect: 'live',
    async shows(seat) {
      crash(seat);
      const ended = await seat.see('7 is as good as 0', ({ state }) => state === 'exited');
      expect(ended.run).toBe(seat.before.run);
    },
  },
  {
    key: 'backoff',
    program: () => ({ ...steady, backoff: { initial: '1h', max: '1h', jitter: '0%' } }),
    to: () => 'none',
    told: {
      from: '{ initial: 1h, factor: 2, max: 1h, jitter: 0%, reset_after: 10s, give_up_after: 10 }',
    },
    effect: 'live',
    async shows(seat) {
      crash(seat);
      await seat.renewed(seat.before.run);
    },
  },
  backoff('initial', { initial: '2h' }, '1h', async (seat) => {
    expect(Math.abs((await delayAfterCrash(seat)) - HOUR_MS), 'not two').toBeLessThan(10_000);
  }),
  backoff('max', { initial: '100ms', factor: 100, max: '100ms', reset_after: '1h' }, '1s', async (seat) => {
    const delay = await secondDelay(seat);
    expect(delay).toBeGreaterThanOrEqual(999);
    expect(delay).toBeLessThan(5000);
  }),
  backoff('jitter', { initial: '1h' }, '50%', async (seat) => {
    const off = Math.abs((await delayAfterCrash(seat)) - HOUR_MS);
    expect(off).toBeGreaterThan(100);
    expect(off).toBeLessThanOrEqual(HOUR_MS / 2 + 10_000);
  }),
  backoff('factor', { initial: '200ms', factor: 1, reset_after: '1h' }, 5, async (seat) => {
    expect(await secondDelay(seat)).toBeGreaterThanOrEqual(999);
  }),
  backoff('reset_after', { initial: '100ms', factor: 100, reset_after: '1h' }, '0s', async (seat) => {
    // 10 s, did the first failure still count.
    expect(await secondDelay(seat)).toBeLessThan(5000);
  }),
  backoff(
    'give_up_after',
    { initial: '1h' },
    1,
    async (seat) => {
      crash(seat);
      const ended = await seat.see('it is given up', ({ state }) => state === 'failed');
      expect(ended.message).toMatch(/given up after (one|1) /);
    },
    { from: '10' },
  ),
];
