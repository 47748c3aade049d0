/** The daemon's own log, and log files put aside by wish: `rotate`, `reopen`, SIGUSR2. */
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from './build.ts';
import { kill } from './processes.ts';
import { steady } from './puppets.ts';
import { until } from './until.ts';
import { createWorld, type World } from './world.ts';

let world: World;

beforeEach(() => {
  world = createWorld();
});
afterEach(() => world.close());

/** Ends a daemon as V8 does, with a word on stderr, by a signal that nobody heeds otherwise. */
const DOOMED = join(ROOT, 'test/rig/dooms-the-daemon.cjs');

const log = (name: string): string => join(world.dir, 'logs', name);
const read = (name: string): string => (existsSync(log(name)) ? readFileSync(log(name), 'utf8') : '');

/** Says a word a line whenever it is asked to by a signal. */
const teller = {
  ...steady,
  command: [
    '/bin/sh',
    '-c',
    'trap "echo told" USR1; echo READY=1 >&3; echo begun; while :; do sleep 0.05; done',
  ],
};

async function tells(name: string, times: number): Promise<void> {
  await world.succeed('signal', 'USR1', 'teller');
  await until(`${times} in ${name}`, () => read(name).split('told').length === times + 1, {
    seen: () => JSON.stringify(readdirSync(log('')).map((each) => [each, read(each).slice(-300)])),
  });
}

describe('log files', { timeout: 60_000 }, () => {
  it('are put aside by wish, of whoever is named or of all, and nothing of them is lost', async () => {
    world.configure({ teller, other: { ...teller, instances: 2 } });
    await world.succeed('start');
    await until('all have said that', () =>
      ['teller-0', 'other-1', 'other-0'].every((name) => read(`${name}.log`)),
    );
    expect((await world.succeed('rotate', 'teller')).stdout).toBe('1 log file put aside\n');
    expect(read('teller-0.log.1')).toBe('begun\n');
    await tells('teller-0.log', 1);
    expect(existsSync(log('other-0.log.1'))).toBe(false);
    expect(existsSync(log('daemon.log.1'))).toBe(false);

    expect((await world.succeed('rotate')).stdout).toBe('4 log files put aside\n');
    expect(read('teller-0.log.2')).toBe('begun\n');
    expect(read('teller-0.log.1')).toBe('told\n');
    expect(read('other-1.log.1')).toBe('begun\n');
    expect(read('daemon.log.1')).toContain('info the daemon has started');
    expect((await world.succeed('rotate', 'other')).stdout).toBe('nothing put aside\n');
    expect((await world.cli('rotate', 'nobody')).code).toBe(2);
  });

  it.each(['reopen', 'SIGUSR2'] as const)(
    'that somebody has moved away are written on at their paths after %s',
    async (by) => {
      world.configure({ teller });
      await world.succeed('start');
      await until('it has said that', () => read('teller-0.log') !== '');
      const { pid } = (await world.status()).daemon;
      for (const name of ['teller-0.log', 'daemon.log']) renameSync(log(name), log(`${name}-20260131`));
      if (by === 'reopen') expect((await world.succeed('reopen')).stdout).toBe('2 log files opened anew\n');
      else kill(pid, 'SIGUSR2');
      await until('it is opened anew', () => existsSync(log('teller-0.log')));
      await tells('teller-0.log', 1);
      expect(read('teller-0.log-20260131')).toBe('begun\n');
      if (by === 'SIGUSR2')
        await until('it is told of', () => read('daemon.log').includes('info log files are opened anew'));
      expect((await world.status()).daemon.pid, 'it lives').toBe(pid);
    },
  );
});

describe("the daemon's own log", { timeout: 60_000 }, () => {
  it('is as the config has it, also from a reload on', async () => {
    world.configure({ worker: steady }, { logs: { format: 'json' } });
    await world.succeed('start');
    const lines = (): { readonly time: string; readonly level: string; readonly message: string }[] =>
      read('daemon.log')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    expect(lines()).toContainEqual({
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      level: 'info',
      message: expect.stringContaining('the daemon has started'),
    });
    world.configure({ worker: steady }, { logs: { format: 'raw', max_size: '1B', keep: 2 } });
    const { stdout } = await world.succeed('reload');
    expect(stdout).toMatch(/logs\.max_size 50MB -> 1B/);
    kill((await world.status()).daemon.pid, 'SIGUSR2');
    await until('it is put aside', () => existsSync(log('daemon.log.1')));
    await until('it is written', () => /^\S+Z info log files are opened anew/.test(read('daemon.log')));
    expect((await world.succeed('logs', '--daemon', '-n', '1')).stdout).toMatch(
      /Z info log files are opened anew/,
    );
    await world.succeed('shutdown');
    const without = await world.cli('logs', '--daemon', '-n', '1');
    expect(without).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Z info the daemon has ended\n$/),
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'has what Node says when it cannot go on, also once it was put aside',
    async () => {
      await world.close();
      world = createWorld({ environment: { NODE_OPTIONS: `--require ${DOOMED}` } });
      world.configure({ worker: steady });
      await world.succeed('start');
      await world.succeed('rotate');
      const { pid } = (await world.status()).daemon;
      kill(pid, 'SIGUSR2'); // which it says in a new file
      await until('it is begun anew', () => read('daemon.log').includes('opened anew'));
      kill(pid, 'SIGURG');
      await until('it is gone', () => !existsSync(`/proc/${pid}`));
      expect(read('daemon.log')).toContain('the heap is out of limit');
    },
  );
});
