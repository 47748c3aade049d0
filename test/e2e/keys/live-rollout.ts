/** How a rolling restart goes: each key changed alone, and the next one goes by it. */
import { expect } from 'vitest';
import { until } from '../until.ts';
import type { Program } from '../world.ts';
import { type EventOf, type Ground, heeds, notes, READY, type Row, type Seat, steady } from './row.ts';

const two: Program = { ...steady, instances: 2 };
const brisk: Program = { min_healthy_time: '20ms', order: 'index' };

const roll = (seat: Seat) => seat.client.createRollouts({ selectors: [seat.name], keep_config: true });

/** One that is begun after the change comes to this. */
async function rolls(seat: Seat, to: EventOf<'rollout'>['state']): Promise<EventOf<'rollout'>> {
  await roll(seat);
  return seat.sees('rollout', (it) => it.state === to);
}

const turns = (seat: Seat, step: EventOf<'turn'>['step']): string[] =>
  seat.log
    .of('turn')
    .filter((it) => it.instance.startsWith(`${seat.name}:`) && it.step === step)
    .map((it) => it.instance.slice(seat.name.length));

interface Rolled {
  readonly key: string;
  readonly from?: (at: Ground) => Program;
  readonly to: Row['to'];
  readonly told?: Row['told'];
  readonly program?: Program;
  shows(seat: Seat): Promise<void>;
}

const rollout = ({ key, from = () => ({}), program = two, ...row }: Rolled): Row => ({
  key: `rollout.${key}`,
  program: (at) => ({ ...program, rollout: { ...brisk, ...from(at) } }),
  effect: 'live',
  told: undefined,
  ...row,
});

const check = (
  key: string,
  from: (at: Ground) => Program,
  to: Row['to'],
  shows: Rolled['shows'],
  told?: Row['told'],
): Row => rollout({ key: `check.${key}`, from: (at) => ({ check: from(at) }), to, told, shows });

/** Both turns are judged, and by the new one alone. */
async function isAskedAnew(seat: Seat, asked: () => readonly string[]): Promise<void> {
  await rolls(seat, 'succeeded');
  expect(asked()).toEqual(['new', 'new']);
}

/** Of the first one alone it says no. */
const notTheFirst: Program = { exec: 'test {{index}} = 1' };

export const LIVE_ROLLOUT: readonly Row[] = [
  rollout({
    key: 'max_surge',
    to: () => 1,
    told: { from: '0' },
    async shows(seat) {
      await rolls(seat, 'succeeded');
      expect(turns(seat, 'serving')).toEqual([':2']);
      expect((await seat.client.status({ usage: false, selectors: [seat.name] })).instances).toHaveLength(2);
    },
  }),
  rollout({
    key: 'canary',
    from: () => ({ canary_hold: 'manual' }),
    to: () => 1,
    told: { from: '0' },
    async shows(seat) {
      const { rollouts } = await roll(seat);
      const held = await seat.sees(
        'rollout',
        (it) => it.state === 'running' && /promoted/.test(it.reason ?? ''),
      );
      expect(turns(seat, 'done')).toEqual([':0']);
      expect(held.rollout).toBe(rollouts[0]?.id);
      await seat.client.promoteRollout(held.rollout);
      await seat.sees('rollout', (it) => it.state === 'succeeded');
    },
  }),
  rollout({
    key: 'canary_hold',
    from: () => ({ canary: 1, canary_hold: 'manual' }),
    to: () => '10ms',
    shows: async (seat) => void (await rolls(seat, 'succeeded')),
  }),
  rollout({
    key: 'check',
    to: () => ({ exec: 'false' }),
    told: { from: 'none', to: '{ exec: false, timeout: 30s }' },
    async shows(seat) {
      expect((await rolls(seat, 'paused')).reason).toMatch(/:0 did not pass the check: /);
      expect(turns(seat, 'draining')).toEqual([':0']);
    },
  }),
  check(
    'exec',
    (at) => ({ exec: notes(at, 'old') }),
    (at) => notes(at, 'new'),
    (seat) => isAskedAnew(seat, () => seat.notes().map(({ word }) => word)),
  ),
  check(
    'http',
    ({ url }) => ({ http: `${url}/old` }),
    ({ url }) => `${url}/new`,
    (seat) => isAskedAnew(seat, () => seat.asked()),
  ),
  check(
    'tcp',
    ({ doors: [old] }) => ({ tcp: old.port }),
    ({ doors: [, fresh] }) => fresh.port,
    async (seat) => {
      const [old, fresh] = seat.doors;
      await rolls(seat, 'succeeded');
      await until('the new door is knocked at', () => fresh.knocks() === 2);
      expect(old.knocks()).toBe(0);
    },
    ({ doors: [old, fresh] }) => ({ from: `localhost:${old.port}`, to: `localhost:${fresh.port}` }),
  ),
  check(
    'timeout',
    () => ({ exec: 'sleep 1000', timeout: '1h' }),
    () => '50ms',
    async (seat) => expect((await rolls(seat, 'paused')).reason).toMatch(/did not pass the check: .*50ms/),
  ),
  rollout({
    key: 'max_failures',
    from: () => ({ check: notTheFirst }),
    to: () => 1,
    told: { from: '0' },
    async shows(seat) {
      await rolls(seat, 'succeeded');
      expect([turns(seat, 'failed'), turns(seat, 'done')]).toEqual([[':0'], [':1']]);
    },
  }),
  rollout({
    key: 'on_failure',
    from: () => ({ check: notTheFirst, on_failure: 'pause' }),
    to: () => 'abort',
    shows: async (seat) => void (await rolls(seat, 'failed')),
  }),
  rollout({
    key: 'after_kill_hold',
    program: {
      ...two,
      command: heeds(READY, { TERM: 'true' }),
      drain: { timeout: '50ms', on_timeout: 'kill' },
    },
    from: () => ({ after_kill_hold: '0s' }),
    to: () => '1h',
    async shows(seat) {
      await roll(seat);
      await seat.sees('rollout', (it) =>
        /waits 1h from the end of \S+:0, which was killed/.test(it.reason ?? ''),
      );
      expect(turns(seat, 'draining')).toEqual([':0']);
    },
  }),
];
