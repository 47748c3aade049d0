/** Keys that the process itself has from its start: a rolling restart brings them in. */
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Fifo } from '../../../src/logs/fifo.ts';
import { type Ground, READY, type Row, type Seat, steady } from './row.ts';

type Look = (pid: number) => string;

interface Looked {
  readonly key: string;
  readonly asRoot?: true;
  readonly program?: Row['program'];
  readonly to: Row['to'];
  readonly told?: Row['told'];
  /** What is to be seen of a process. */
  readonly look: Look;
  /** Before the change; not given: anything but what it is afterwards. */
  readonly was?: string;
  is(at: Ground): string;
}

/** What is to be seen of the process is seen before the change, and of another process afterwards. */
function rolled({ look, was, is, program = () => steady, ...row }: Looked): Row {
  const seen = new Map<string, string>();
  return {
    ...row,
    program,
    effect: 'rolling',
    before: ({ name }, { pid }) => void seen.set(name, look(pid ?? 0)),
    async shows(seat) {
      if (was === undefined) expect(seen.get(seat.name)).not.toBe(is(seat));
      else expect(seen.get(seat.name)).toBe(was);
      const { pid } = await rolledOut(seat);
      expect(look(pid ?? 0)).toBe(is(seat));
    },
  };
}

/** The status once its rolling restart is over, which has replaced the process. */
export async function rolledOut(seat: Seat): ReturnType<Seat['now']> {
  const id = seat.reply.rollouts[0]?.id;
  const { state, reason } = await seat.sees('rollout', (it) => it.rollout === id && it.state !== 'running');
  expect(state, reason ?? '').toBe('succeeded');
  const after = await seat.now();
  expect(after.pid).not.toBe(seat.before.pid);
  return after;
}

const read = (pid: number, file: string): string => readFileSync(`/proc/${pid}/${file}`, 'latin1');
const argv: Look = (pid) => read(pid, 'cmdline').split('\0').slice(0, -1).join(' ');
const variable =
  (name: string): Look =>
  (pid) =>
    read(pid, 'environ')
      .split('\0')
      .find((it) => it.startsWith(`${name}=`)) ?? '';
const status =
  (name: string): Look =>
  (pid) =>
    (new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(read(pid, 'status')) ?? [])[1] ?? '';
const limit =
  (name: string): Look =>
  (pid) =>
    (new RegExp(`^${name}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(read(pid, 'limits')) ?? []).slice(1).join(' ');
const link =
  (name: string): Look =>
  (pid) =>
    readlinkSync(`/proc/${pid}/${name}`);

/** Where what it writes there ends up: it writes into a pipe, and beside that stands where its bytes are carried. */
const carried =
  (name: string): Look =>
  (pid) =>
    Fifo.targetOf(link(name)(pid)) ?? 'nowhere';

/** Without a folder of its own: another user may not enter the test's. */
const anywhere = { ...steady, directory: '/', command: ['bash', '-c', `${READY}; exec sleep 1000`] };

const limits: readonly (readonly [name: string, shown: string, to: unknown, bytes: number])[] = [
  ['nofile', 'Max open files', 512, 512],
  ['core', 'Max core file size', '1MB', 1 << 20],
  ['nproc', 'Max processes', 4000, 4000],
  ['memlock', 'Max locked memory', '32KB', 32 << 10],
  ['fsize', 'Max file size', '64MB', 64 << 20],
  ['stack', 'Max stack size', '4MB', 4 << 20],
  ['cpu', 'Max cpu time', '1h', 3600],
  ['as', 'Max address space', '2GB', 2 ** 31],
  ['data', 'Max data size', '1GB', 2 ** 30],
  ['rss', 'Max resident set', '1GB', 2 ** 30],
];

/** What a controller of cgroup v2 does. Where there is none, the turn fails with the reason and nothing runs without its limit. */
function controlled(key: string, to: string, controller: string, file: string, is: string): Row {
  return {
    key: `limits.${key}`,
    program: () => steady,
    to: () => to,
    told: { from: 'none' },
    effect: 'rolling',
    async shows(seat) {
      const { state, reason } = await seat.sees('rollout', (it) => it.state !== 'running');
      if (state === 'succeeded') {
        expect(readFileSync(join(cgroupOf(await seat.now()), file), 'utf8').trim()).toBe(is);
        return;
      }
      const { tracking } = (await seat.client.status({ usage: false })).daemon;
      expect(state).toBe('paused');
      expect(reason, `tracking by ${tracking}`).toContain(
        `${key} needs ${tracking === 'cgroup' ? `the ${controller} controller of cgroup v2` : 'cgroup'}`,
      );
      expect((await seat.now()).pid).toBe(null);
    },
  };
}

function cgroupOf({ pid }: { readonly pid: number | null }): string {
  const own = /^0::(.*)$/m.exec(read(pid ?? 0, 'cgroup'))?.[1] ?? '';
  const mounted = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1] ?? '';
  return join(mounted, own);
}

export const ROLLING: readonly Row[] = [
  rolled({
    key: 'command',
    program: () => ({ ...steady, command: ['bash', '-c', `${READY}; exec sleep 1000`] }),
    to: () => ['bash', '-c', `${READY}; exec sleep 1001`],
    told: {
      from: `bash -c '${READY}; exec sleep 1000'`,
      to: `bash -c '${READY}; exec sleep 1001'`,
    },
    look: argv,
    was: 'sleep 1000',
    is: () => 'sleep 1001',
  }),
  rolled({
    key: 'shell',
    // Split into words, `true` is nobody's; to a shell it is a second command, for which it stays.
    program: () => ({ ...steady, command: `bash -c "${READY}; exec sleep 1000"; true` }),
    to: () => true,
    told: {
      key: 'command',
      from: `bash -c '${READY}; exec sleep 1000;' true`,
      to: `/bin/sh -c 'bash -c "${READY}; exec sleep 1000"; true'`,
    },
    look: (pid) => argv(pid).slice(0, 10),
    was: 'sleep 1000',
    is: () => '/bin/sh -c',
  }),
  rolled({
    key: 'directory',
    program: ({ dir }) => ({ ...steady, directory: dir }),
    to: () => '/',
    look: link('cwd'),
    is: () => '/',
  }),
  rolled({
    key: 'environment',
    program: () => ({ ...steady, environment: { COLOUR: 'blue {{index}}' } }),
    to: () => ({ COLOUR: 'red {{index}}' }),
    told: { key: 'environment.COLOUR', from: 'blue {{index}}', to: 'red {{index}}' },
    look: variable('COLOUR'),
    was: 'COLOUR=blue 0',
    is: () => 'COLOUR=red 0',
  }),
  rolled({
    key: 'env_file',
    program({ dir }) {
      for (const it of ['one', 'two']) writeFileSync(join(dir, it), `FILE=${it}\n`);
      return { ...steady, env_file: join(dir, 'one') };
    },
    to: ({ dir }) => join(dir, 'two'),
    told: ({ dir }) => ({ from: `[${dir}/one]`, to: `[${dir}/two]` }),
    look: variable('FILE'),
    was: 'FILE=one',
    is: () => 'FILE=two',
  }),
  rolled({
    key: 'inherit_environment',
    to: () => ['PATH', 'TV_TEST'],
    told: { from: 'true', to: '[PATH, TV_TEST]' },
    look: variable('NO_COLOR'),
    was: 'NO_COLOR=1',
    is: () => '',
  }),
  rolled({
    key: 'user',
    asRoot: true,
    program: () => anywhere,
    to: () => '65534',
    told: { from: 'inherit' },
    look: status('Uid'),
    was: '0',
    is: () => '65534',
  }),
  rolled({
    key: 'group',
    asRoot: true,
    program: () => anywhere,
    to: () => '1',
    told: { from: 'inherit' },
    look: status('Gid'),
    was: '0',
    is: () => '1',
  }),
  rolled({
    key: 'umask',
    program: () => ({ ...steady, umask: '022' }),
    to: () => '027',
    look: status('Umask'),
    was: '0022',
    is: () => '0027',
  }),
  rolled({
    key: 'nice',
    program: () => ({ ...steady, nice: 1 }),
    to: () => 5,
    look: (pid) => String(getPriority(pid)),
    was: '1',
    is: () => '5',
  }),
  ...limits.map(([name, shown, to, bytes]) =>
    rolled({
      key: `limits.${name}`,
      to: () => to,
      told: { from: 'inherit' },
      look: limit(shown),
      is: () => `${bytes} ${bytes}`,
    }),
  ),
  rolled({
    key: 'watchdog',
    program: () => ({ ...steady, watchdog: '2h' }),
    to: () => '1h',
    look: variable('WATCHDOG_USEC'),
    was: 'WATCHDOG_USEC=7200000000',
    is: () => 'WATCHDOG_USEC=3600000000',
  }),
  rolled({
    key: 'logs.stdout',
    to: ({ dir }) => join(dir, 'out-{{index}}'),
    told: { from: 'default' },
    look: carried('fd/1'),
    is: ({ dir }) => join(dir, 'out-0'),
  }),
  rolled({
    key: 'logs.stderr',
    to: ({ dir }) => join(dir, 'err-{{index}}'),
    told: { from: 'merge' },
    look: carried('fd/2'),
    is: ({ dir }) => join(dir, 'err-0'),
  }),
  controlled('memory_max', '1GB', 'memory', 'memory.max', String(2 ** 30)),
  controlled('cpu_max', '150%', 'cpu', 'cpu.max', '150000 100000'),
  {
    key: 'schedule',
    program: () => ({ ...steady, restart: 'never' }),
    to: () => '0 0 1 1 *',
    told: { from: 'none', to: '{ cron: 0 0 1 1 *, timezone: local, overlap: skip }' },
    effect: 'rolling',
    actsAtOnce: true, // nobody waits for the replacement, which comes when it is time
    async shows(seat) {
      const after = await seat.see('it waits for its time', ({ state }) => state === 'waiting');
      expect(after.next_run).toMatch(/^\d{4}-/);
      expect(seat.signals(seat.before.run)).toEqual(['TERM']);
    },
  },
];
