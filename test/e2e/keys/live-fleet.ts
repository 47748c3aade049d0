/** How many there are, when they run, what they wait for, when they are worn, and how they are rolled. */
import { expect } from 'vitest';
import type { Program } from '../world.ts';
import { heeds, quick, READY, type Row, type Seat, steady } from './row.ts';

const two: Program = { ...steady, instances: 2 };

/** The next run is replaced because of this. */
async function isWorn(seat: Seat, why: 'memory' | 'age'): Promise<void> {
  expect(await seat.sees('worn', (it) => it.run === seat.before.run)).toMatchObject({ why });
  await seat.sees('gone', (it) => it.run === seat.before.run);
  const phase = await seat.sees('phase', (it) => it.run === seat.before.run && it.to === 'draining');
  expect(phase.because).toBe(why);
}

const worn = (key: string, from: unknown, to: unknown, told?: Row['told']): Row => ({
  key,
  program: () => ({ ...steady, ...(from === undefined ? {} : { max_memory: from }) }),
  to: () => to,
  told,
  effect: 'live',
  actsAtOnce: true,
  shows: (seat) => isWorn(seat, 'memory'),
});

const roll = (seat: Seat) => seat.client.createRollouts({ selectors: [seat.name], keep_config: true });

const rollout = (key: string, from: Program, to: unknown, shows: Row['shows'], told?: Row['told']): Row => ({
  key: `rollout.${key}`,
  program: () => ({ ...two, rollout: { min_healthy_time: '20ms', ...from } }),
  to: () => to,
  told,
  effect: 'live',
  shows,
});

const other = (name: string): string => `${name}-other`;

const SECONDLY = '* * * * * *';
const NEVER = '0 0 0 29 2 *';

/** It runs until it is told to end. */
const scheduled = (schedule: Program): Program => ({ ...steady, restart: 'never', schedule });

export const LIVE_FLEET: readonly Row[] = [
  {
    key: 'instances',
    program: () => two,
    to: () => 3,
    effect: 'live',
    async shows(seat) {
      const added = await seat.see('another is ready', ({ ready }) => ready, 2).catch(() => seat.now(2));
      expect(added).toMatchObject({ id: `${seat.name}:2`, ready: true });
      expect((await seat.now(0)).run).toBe(seat.before.run);
      expect(seat.log.of('signalled').filter((it) => it.instance.startsWith(seat.name))).toEqual([]);
    },
  },
  {
    key: 'instances',
    program: () => two,
    to: () => 1,
    effect: 'live',
    actsAtOnce: true,
    async shows(seat) {
      const gone = await seat.sees('gone');
      expect(gone).toMatchObject({ instance: `${seat.name}:1`, drained: true, killed: false });
      expect(await seat.now(0)).toMatchObject({ run: seat.before.run, state: 'running' });
    },
  },
  worn('max_memory', undefined, { size: '64KB', for: '0s' }, { from: 'none', to: '{ size: 64KB, for: 0s }' }),
  worn('max_memory.size', { size: '1GB', for: '0s' }, '64KB'),
  worn('max_memory.for', { size: '64KB', for: '1h' }, '0s'),
  {
    key: 'max_age',
    program: () => steady,
    to: () => '1s',
    told: { from: 'none' },
    effect: 'live',
    actsAtOnce: true,
    shows: (seat) => isWorn(seat, 'age'),
  },
  {
    key: 'depends_on',
    program: () => steady,
    others: ({ name }) => ({ [other(name)]: steady }),
    to: ({ name }) => [other(name)],
    told: ({ name }) => ({ key: `depends_on.${other(name)}`, from: '(not set)', to: 'ready' }),
    effect: 'live',
    async shows(seat) {
      const on = other(seat.name);
      await seat.client.stop({ selectors: [on] });
      expect(await seat.now(), 'no job is interrupted').toMatchObject({ run: seat.before.run, ready: true });
      process.kill(seat.before.pid ?? 0, 'SIGUSR1');
      const waits = await seat.see('its next run waits', ({ state }) => state === 'waiting');
      expect(waits).toMatchObject({
        waits_for: on,
        message: expect.stringContaining('stopped by the operator'),
      });
      await seat.client.start({ selectors: [on] });
      await seat.renewed(seat.before.run);
    },
  },
  {
    key: 'priority',
    program: () => steady,
    others: ({ name }) => ({ [other(name)]: steady }),
    to: () => 1,
    told: { from: '0' },
    effect: 'live',
    async shows(seat) {
      const both = { selectors: [seat.name, other(seat.name)] };
      await seat.client.stop(both);
      const { seq } = await seat.client.reload({ dry_run: true });
      await seat.client.start(both);
      const begun = seat.log.all
        .filter((it) => it.type === 'phase' && it.seq > seq && it.to === 'spawning' && it.from === 'stopped')
        .flatMap((it) => ('program' in it && it.program.startsWith(seat.name) ? it.program : []));
      expect(begun, 'lower ones first').toEqual([other(seat.name), seat.name]);
    },
  },
  {
    key: 'schedule.cron',
    begins: false,
    program: () => scheduled({ cron: NEVER }),
    to: () => SECONDLY,
    effect: 'live',
    actsAtOnce: true,
    async shows(seat) {
      expect(seat.before).toMatchObject({ state: 'waiting', run: null });
      await seat.see('it runs', ({ run, state }) => run !== null && state === 'running');
    },
  },
  {
    key: 'schedule.timezone',
    begins: false,
    program: () => scheduled({ cron: '0 12 29 2 *', timezone: 'UTC' }),
    to: () => 'Asia/Tokyo',
    effect: 'live',
    async shows(seat) {
      expect(seat.before.next_run).toMatch(/-02-29T12:00:00/);
      expect((await seat.now()).next_run).toMatch(/-02-29T03:00:00/);
    },
  },
  {
    key: 'schedule.overlap',
    begins: false,
    program: () => scheduled({ cron: SECONDLY, overlap: 'skip' }),
    to: () => 'queue',
    effect: 'live',
    actsAtOnce: true,
    async shows(seat) {
      await seat.sees('schedule', (it) => it.what === 'queued');
      const { pid, run } = await seat.see('it runs', ({ state }) => state === 'running');
      process.kill(pid ?? 0, 'SIGUSR2');
      await seat.sees('spawned', (it) => it.run > (run ?? 0));
    },
  },
  rollout(
    'max_parallel',
    {},
    2,
    async (seat) => {
      await roll(seat);
      await seat.sees('rollout', (it) => it.state === 'succeeded');
      const steps = seat.log.of('turn').filter((it) => it.instance.startsWith(seat.name));
      expect(
        steps.slice(0, 2).map(({ step }) => step),
        'both at once',
      ).toEqual(['draining', 'draining']);
    },
    { from: '1' },
  ),
  rollout('min_healthy_time', { min_healthy_time: '1h', healthy_deadline: 'none' }, '10ms', async (seat) => {
    await roll(seat);
    await seat.sees('rollout', (it) => it.state === 'succeeded');
  }),
  {
    ...rollout('healthy_deadline', {}, '100ms', async (seat) => {
      await roll(seat);
      const paused = await seat.sees('rollout', (it) => it.state === 'paused');
      expect(paused.reason).toMatch(/was not healthy within 100ms/);
    }),
    // Its first run is ready at once, its second never.
    program: ({ dir }) => ({
      ...quick,
      command: heeds(`mkdir ${dir}/first && ${READY}`),
      rollout: { min_healthy_time: '20ms', healthy_deadline: '20s' },
    }),
  },
  rollout('order', { order: 'index' }, 'oldest', async (seat) => {
    await seat.client.restart({ selectors: [`${seat.name}:0`], keep_config: true });
    await roll(seat);
    await seat.sees('rollout', (it) => it.state === 'succeeded');
    const first = await seat.sees('turn');
    expect(first.instance, 'the younger one is second').toBe(`${seat.name}:1`);
  }),
];
