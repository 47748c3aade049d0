/** What a health check asks, and what its answers mean, changes for the instance that runs. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { until } from '../until.ts';
import type { Program } from '../world.ts';
import { type Ground, notes, type Row, type Seat, steady } from './row.ts';

const health = (
  key: string,
  from: (at: Ground) => Program,
  to: (at: Ground) => unknown,
  shows: Row['shows'],
  more?: Pick<Row, 'told' | 'before' | 'actsAtOnce'>,
): Row => ({
  key: `health.${key}`,
  program: (at) => ({ ...steady, health: { interval: '20ms', failures: 1, action: 'none', ...from(at) } }),
  to,
  effect: 'live',
  shows,
  ...more,
});

/** Well as long as this file is there. */
const sign = ({ dir }: Ground): string => join(dir, 'well');
const test = (at: Ground): string => `test -e ${sign(at)}`;
const well = (at: Ground): Program => {
  writeFileSync(sign(at), '');
  return { exec: test(at) };
};

const stays = async (seat: Seat): Promise<void> =>
  expect(await seat.now()).toMatchObject({ run: seat.before.run, state: 'running' });

const asks = (seat: Seat): string[] => seat.notes().map(({ word }) => word);

async function isAskedAnew(seat: Seat, asked: () => readonly string[]): Promise<void> {
  await until('the new question is asked twice', () => asked().filter((it) => it === 'new').length >= 2);
  const first = asked().indexOf('new');
  expect(asked().slice(0, first), 'before').not.toContain('new');
  expect(asked().slice(first), 'the old question').not.toContain('old');
  await stays(seat);
}

const unhealthy = (seat: Seat) => seat.sees('health', (it) => !it.ok && it.run === seat.before.run);

export const LIVE_HEALTH: readonly Row[] = [
  {
    key: 'health',
    program: () => steady,
    to: () => ({ exec: 'false', interval: '20ms', failures: 2 }),
    told: {
      from: 'none',
      to: '{ exec: false, interval: 20ms, timeout: 3s, failures: 2, action: restart }',
    },
    effect: 'live',
    actsAtOnce: true,
    async shows(seat) {
      const told = await unhealthy(seat);
      expect(told.run).toBe(seat.before.run);
      expect(seat.signals(seat.before.run), 'drained').toEqual(['TERM']);
    },
  },
  health(
    'exec',
    (at) => ({ exec: notes(at, 'old') }),
    (at) => notes(at, 'new'),
    (seat) => isAskedAnew(seat, () => asks(seat)),
  ),
  health(
    'http',
    ({ url }) => ({ http: `${url}/old` }),
    ({ url }) => `${url}/new`,
    (seat) => isAskedAnew(seat, () => seat.asked()),
  ),
  health(
    'tcp',
    ({ doors: [old] }) => ({ tcp: old.port }),
    ({ doors: [, fresh] }) => fresh.port,
    async (seat) => {
      const [old, fresh] = seat.doors;
      await until('the new door is knocked at', () => fresh.knocks() > 0);
      const before = old.knocks();
      await until('and again', () => fresh.knocks() > 2);
      expect(old.knocks()).toBe(before);
      await stays(seat);
    },
    { told: ({ doors: [old, fresh] }) => ({ from: `localhost:${old.port}`, to: `localhost:${fresh.port}` }) },
  ),
  health(
    'interval',
    (at) => ({ exec: notes(at, 'asked'), interval: '1h' }),
    () => '20ms',
    async (seat) => {
      await until('it is asked more than once', () => asks(seat).length > 2);
      await stays(seat);
    },
  ),
  health(
    'timeout',
    ({ dir }) => ({ exec: `bash -c 'mkdir ${dir}/first 2>&- || exec sleep 1000'`, timeout: '1h' }),
    () => '100ms',
    async (seat) => {
      expect((await unhealthy(seat)).detail).toMatch(/100ms/);
      await stays(seat);
    },
  ),
  health(
    'failures',
    () => ({ exec: 'false', failures: 1_000_000 }),
    () => 2,
    async (seat) => {
      await unhealthy(seat);
      expect(await seat.now()).toMatchObject({ healthy: false });
      await stays(seat);
    },
  ),
  health(
    'action',
    well,
    () => 'restart',
    async (seat) => {
      rmSync(sign(seat), { force: true });
      await unhealthy(seat);
      await seat.sees('exited', (it) => it.run === seat.before.run);
      expect(seat.signals(seat.before.run), 'drained').toEqual(['TERM']);
    },
  ),
  health(
    'action',
    () => ({ exec: 'false' }),
    () => 'restart',
    async (seat) => {
      await seat.sees('exited', (it) => it.run === seat.before.run);
      expect(seat.signals(seat.before.run), 'drained').toEqual(['TERM']);
    },
    { actsAtOnce: true },
  ),
];
