/** Keys of the daemon itself, and those whose effect is felt by all of it: each has a daemon of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { PlanChange, ReloadReply } from '../../../src/protocol/replies.ts';
import type { StatusReply } from '../../../src/protocol/status.ts';
import { ended } from '../life.ts';
import { until } from '../until.ts';
import type { Config, Fleet } from './fleet.ts';
import { heeds, READY, steady } from './row.ts';

export interface OwnRow {
  readonly key: string;
  readonly title: string;
  readonly config: Config;
  shows(fleet: Fleet): Promise<void>;
}

const set =
  (part: 'supervisor' | 'defaults' | 'groups', value: Record<string, unknown>) =>
  (config: Config): Config => ({ ...config, [part]: { ...config[part], ...value } });

const setOf =
  (program: string, value: Record<string, unknown>) =>
  (config: Config): Config => ({
    ...config,
    programs: { ...config.programs, [program]: { ...config.programs[program], ...value } },
  });

export const told = ({ changes, added, removed, rollouts }: ReloadReply) => ({
  changes,
  added,
  removed,
  rolled: rollouts.map(({ program }) => program),
});

const live = (program: string, key: string, from: string, to: string): PlanChange => ({
  ...{ program, key, from, to },
  effect: 'live',
  note: null,
});

const nothing = { changes: [], added: [], removed: [], rolled: [] };

export const look = async ({ client }: Fleet): Promise<StatusReply['instances']> =>
  (await client.status({ usage: false })).instances;

export const runs = async (fleet: Fleet): Promise<Record<string, number | null>> =>
  Object.fromEntries((await look(fleet)).map(({ id, pid }) => [id, pid]));

export const allReady = (fleet: Fleet, ids: readonly string[]): Promise<unknown> =>
  until(`${ids} are ready`, async () => {
    const ready = (await look(fleet)).filter((it) => it.ready).map(({ id }) => id);
    return ids.every((id) => ready.includes(id));
  });

const immutable = (key: string, to: (from: string) => string): OwnRow => ({
  key: `supervisor.${key}`,
  title: 'is said, and not applied: everything goes on as it was',
  config: { programs: { worker: steady } },
  async shows(fleet) {
    await allReady(fleet, ['worker:0']);
    const { daemon } = await fleet.client.status({ usage: false });
    const before = await runs(fleet);
    const from =
      { name: 'e2e', run_dir: fleet.world.runDir, socket_mode: '0600' }[key] ??
      `${fleet.world.dir}/${FOLDERS[key]}`;
    const reply = await fleet.change(set('supervisor', { [key]: to(from) }));
    expect(told(reply)).toEqual({
      ...nothing,
      changes: [
        {
          program: '',
          key: `supervisor.${key}`,
          from,
          to: to(from),
          effect: 'immutable',
          note: expect.stringContaining('not applied'),
        },
      ],
    });
    const after = await fleet.client.status({ usage: false });
    expect({ ...after.daemon, uptime_ms: 0 }).toEqual({ ...daemon, uptime_ms: 0 });
    expect(await runs(fleet)).toEqual(before);
    // Nor has it been taken on in secret: put back, it is no change.
    expect(told(await fleet.change(set('supervisor', { [key]: from })))).toEqual(nothing);
  },
});

const FOLDERS: Readonly<Record<string, string>> = { state_dir: 'state', log_dir: 'logs' };

const STUBBORN = { ...steady, command: heeds(READY, { TERM: ':', INT: 'exit 0' }), stop: { signal: 'INT' } };

export const OWN: readonly OwnRow[] = [
  immutable('name', () => 'another'),
  immutable('run_dir', (from) => `${from}-2`),
  immutable('state_dir', (from) => `${from}-2`),
  immutable('log_dir', (from) => `${from}-2`),
  immutable('socket_mode', () => '0660'),
  {
    key: 'supervisor.shutdown_timeout',
    title: 'limits the next shutdown',
    config: { programs: { worker: { ...STUBBORN, drain: { timeout: 'none' } } } },
    async shows(fleet) {
      await allReady(fleet, ['worker:0']);
      const reply = await fleet.change(set('supervisor', { shutdown_timeout: '100ms' }));
      expect(told(reply)).toEqual({
        ...nothing,
        changes: [live('', 'supervisor.shutdown_timeout', 'none', '100ms')],
      });
      await fleet.world.succeed('shutdown');
      expect(fleet.log.of('signalled').map(({ signal }) => signal)).toEqual(['TERM', 'INT']);
    },
  },
  {
    key: 'supervisor.logs',
    title: 'says at once what becomes of the log of the daemon',
    config: { programs: { worker: steady } },
    async shows(fleet) {
      await allReady(fleet, ['worker:0']);
      const logs = { format: 'json', max_size: '1B', keep: 1, compress: true, max_age: '1h' };
      const reply = await fleet.change(set('supervisor', { logs }));
      expect(told(reply)).toEqual({
        ...nothing,
        changes: [
          live('', 'supervisor.logs.max_size', '50MB', '1B'),
          live('', 'supervisor.logs.keep', '10', '1'),
          live('', 'supervisor.logs.max_age', 'none', '1h'),
          live('', 'supervisor.logs.compress', 'false', 'true'),
          live('', 'supervisor.logs.format', 'raw', 'json'),
        ],
      });
      await fleet.client.reopenLogs();
      await fleet.client.rotateLogs();
      const { pid } = (await fleet.client.status({ usage: false })).daemon;
      process.kill(pid, 'SIGUSR2'); // it says so in its log
      const folder = join(fleet.world.dir, 'logs');
      await until('it is as wished', () => {
        const names = readdirSync(folder).filter((name) => name.startsWith('daemon.log'));
        const text = names.includes('daemon.log') ? readFileSync(join(folder, 'daemon.log'), 'utf8') : '';
        return (
          names.sort().join() === 'daemon.log,daemon.log.1.gz' &&
          /^\{"time":"[^"]+","level":"info"/.test(text)
        );
      });
    },
  },
  {
    key: 'groups',
    title: 'says at once who is selected',
    config: { groups: { batch: ['one'] }, programs: { one: steady, two: steady, three: steady } },
    async shows(fleet) {
      await allReady(fleet, ['one:0', 'two:0', 'three:0']);
      const reply = await fleet.change(set('groups', { batch: ['two', 'three'] }));
      expect(told(reply)).toEqual({
        ...nothing,
        changes: [live('', 'groups.batch', '[one]', '[two, three]')],
      });
      await fleet.world.succeed('stop', '@batch');
      expect((await look(fleet)).map(({ state }) => state)).toEqual(['running', 'stopped', 'stopped']);
    },
  },
  {
    key: 'defaults',
    title: 'changes those programs that do not say otherwise',
    config: { defaults: { nice: 1 }, programs: { one: steady, two: { ...steady, nice: 5 } } },
    async shows(fleet) {
      await allReady(fleet, ['one:0', 'two:0']);
      const before = await runs(fleet);
      const reply = await fleet.change(set('defaults', { nice: 2 }));
      expect(told(reply)).toEqual({
        ...nothing,
        changes: [{ ...live('one', 'nice', '1', '2'), effect: 'rolling' }],
        rolled: ['one'],
      });
      await fleet.log.sees('it is rolled', (it) => it.type === 'rollout' && it.state === 'succeeded');
      const after = await runs(fleet);
      expect(after['one:0']).not.toBe(before['one:0']);
      expect(after['two:0']).toBe(before['two:0']);
    },
  },
  {
    key: 'programs',
    title: 'starts who comes, drains who goes, and touches nobody else',
    config: { programs: { stays: steady, goes: steady } },
    async shows(fleet) {
      await allReady(fleet, ['stays:0', 'goes:0']);
      const before = await runs(fleet);
      const reply = await fleet.change(({ programs: { stays = {} }, ...rest }) => ({
        ...rest,
        programs: { stays, comes: steady, idle: { ...steady, autostart: false } },
      }));
      expect(told(reply)).toEqual({ ...nothing, added: ['comes', 'idle'], removed: ['goes'] });
      await allReady(fleet, ['comes:0']);
      const gone = await fleet.log.sees('one goes', (it) => it.type === 'gone');
      expect(gone).toMatchObject({ instance: 'goes:0', drained: true, killed: false });
      expect((await look(fleet)).map(({ id, state }) => `${id} ${state}`)).toEqual([
        'stays:0 running',
        'comes:0 running',
        'idle:0 stopped',
      ]);
      expect((await runs(fleet))['stays:0']).toBe(before['stays:0']);
    },
  },
  {
    key: 'autostart',
    title: 'is of no matter to what runs and what does not, until the next start of everything',
    config: {
      programs: {
        idle: { ...steady, autostart: false },
        done: { ...steady, restart: 'never' },
      },
    },
    async shows(fleet) {
      await allReady(fleet, ['done:0']);
      process.kill((await runs(fleet))['done:0'] ?? 0, 'SIGUSR2');
      await fleet.log.sees('it is done', (it) => it.type === 'gone');
      expect(told(await fleet.change(setOf('idle', { autostart: true })))).toEqual({
        ...nothing,
        changes: [live('idle', 'autostart', 'false', 'true')],
      });
      expect(told(await fleet.change(setOf('done', { autostart: false })))).toEqual({
        ...nothing,
        changes: [live('done', 'autostart', 'true', 'false')],
      });
      const states = async () => (await look(fleet)).map(({ id, state }) => `${id} ${state}`);
      expect(await states()).toEqual(['idle:0 stopped', 'done:0 exited']);
      await fleet.world.succeed('start');
      expect(await states()).toEqual(['idle:0 running', 'done:0 exited']);
    },
  },
  {
    key: 'essential',
    title: 'takes everything down with an instance that is given up from now on',
    config: {
      programs: { vital: { ...steady, backoff: { give_up_after: 1 } }, other: steady },
    },
    async shows(fleet) {
      await allReady(fleet, ['vital:0', 'other:0']);
      const { daemon } = await fleet.client.status({ usage: false });
      expect(told(await fleet.change(setOf('vital', { essential: true })))).toEqual({
        ...nothing,
        changes: [live('vital', 'essential', 'false', 'true')],
      });
      process.kill((await runs(fleet))['vital:0'] ?? 0, 'SIGUSR1');
      await ended(daemon.pid);
      expect(fleet.world.left()).toEqual([]);
      const why = await fleet.log.sees('why it ends', (it) => it.type === 'daemon' && 'fault' in it);
      expect(why).toMatchObject({ fault: expect.stringMatching(/vital:0, which is essential/) });
    },
  },
];
