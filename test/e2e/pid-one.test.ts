/** The real command as the first process of a container: it drains, it reaps, and it says how it ended. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import type { StatusReply } from '../../src/protocol/status.ts';
import { kill } from './processes.ts';
import { crashesAtOnce, drainsUntilThereIs, steady } from './puppets.ts';
import { until } from './until.ts';
import { type Begun, createWorld, type Program, type World } from './world.ts';

const CONTAINER = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const canContain = spawnSync('unshare', [...CONTAINER.slice(1), 'true']).status === 0;
if (!canContain) console.warn('the daemon as PID 1 is not tested: this user may not make namespaces');

interface Container {
  readonly world: World;
  readonly command: Begun;
  /** The pid of its first process, as it is seen out here. */
  init(): number;
}

function run(
  { onTestFinished }: TestContext,
  programs: Readonly<Record<string, Program>>,
  ...words: string[]
): Container {
  const world = createWorld({ through: CONTAINER });
  onTestFinished(() => world.close());
  world.configure(programs);
  return again(world, ...words);
}

function again(world: World, ...words: string[]): Container {
  const command = world.begin(...(words.length > 0 ? words : ['start', '--foreground']));
  const init = (): number => {
    const found = world.processes().find(({ ppid }) => ppid === command.child.pid);
    if (found === undefined) throw new Error('no container');
    return found.pid;
  };
  return { world, command, init };
}

const answers = (world: World) => until('it answers', () => existsSync(join(world.runDir, 'control.sock')));

async function allReady(world: World, count: number): Promise<StatusReply> {
  await answers(world);
  return world.see(
    'all are ready',
    ({ instances }) => instances.filter(({ ready }) => ready).length === count,
  );
}

/** Those that belong to the container, by their namespace: marked or not. */
function zombiesWith(init: number): string[] {
  const space = readlinkSync(`/proc/${init}/ns/pid`);
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isZombieIn(name, space));
}

function isZombieIn(pid: string, space: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2) === 'Z' && readlinkSync(`/proc/${pid}/ns/pid`) === space;
  } catch {
    return false;
  }
}

describe.skipIf(!canContain).concurrent('the first process of a container', { timeout: 60_000 }, () => {
  it('lets jobs finish at a SIGTERM, also when that comes again, and ends with 0', async (test) => {
    const container = run(test, { worker: { ...drainsUntilThereIs('done'), instances: 2 }, steady });
    const { world, command } = container;
    const { daemon } = await allReady(world, 3);
    expect(daemon.pid).toBe(1);
    kill(container.init(), 'SIGTERM');
    const isDraining = (state: string) => state === 'draining';
    await world.see('both drain', ({ instances }) => {
      return instances.filter(({ state }) => isDraining(state)).length === 2;
    });
    kill(container.init(), 'SIGTERM');
    await world.see('they drain on', ({ instances }) => {
      return instances.filter(({ state }) => isDraining(state)).length === 2;
    });
    writeFileSync(join(world.dir, 'done'), '');
    const { code, stderr } = await command.ended;
    expect(code, stderr).toBe(0);
    expect(world.left()).toEqual([]);
  });

  it('ends with 1 when an essential program is given up, after the jobs of the others', async (test) => {
    const bad = { ...crashesAtOnce, essential: true, autostart: false };
    const container = run(test, { worker: drainsUntilThereIs('done'), bad });
    const { world, command } = container;
    await allReady(world, 1);
    // It is a PID 1 as well, and finds the daemon there.
    await world.succeed('start', '--no-wait', 'bad');
    await world.see('the other drains', ({ instances }) =>
      instances.some(({ id, state }) => id === 'worker:0' && state === 'draining'),
    );
    writeFileSync(join(world.dir, 'done'), '');
    const { code, stderr } = await command.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('bad:0');
  });

  it('reaps whatever comes to it, of its own runs and of strangers', async (test) => {
    const orphans = 'for i in 1 2 3 4 5; do (setsid sh -c "sleep 0.1; exit $i" &); done; sleep 0.01';
    const forks = { ...steady, command: ['bash', '-c', `${orphans}; echo READY=1 >&3; exec sleep 1000`] };
    const container = run(test, { forks, crashes: { ...crashesAtOnce, command: ['bash', '-c', orphans] } });
    const { world, command } = container;
    await answers(world);
    await world.see('one is up, one is given up', ({ instances }) =>
      instances.every(({ ready, state }) => ready || state === 'failed'),
    );
    const init = container.init();
    // As `docker exec` brings them in: nobody in there has started these.
    const strangers = spawnSync('nsenter', ['-t', String(init), '-p', '-m', 'sh', '-c', orphans]);
    expect(strangers.status).toBe(0);
    await until('no zombie is left', () => zombiesWith(init).length === 0, {
      seen: () => zombiesWith(init).join(),
    });
    kill(init, 'SIGTERM');
    expect((await command.ended).code).toBe(0);
  });

  it('is not replaced by another version, and says what its version is', async (test) => {
    const { world } = run(test, { steady });
    await allReady(world, 1);
    const { code, stdout, stderr } = await world.cli('upgrade', '--force');
    expect({ code, stdout }).toEqual({ code: 6, stdout: '' });
    expect(stderr).toMatch(
      /cannot upgrade the first process of a container: the image is its version; start a container/,
    );
  });

  it('stays in the foreground without being told, and says so', async (test) => {
    const container = run(test, { worker: drainsUntilThereIs('done') }, 'start');
    const { world, command } = container;
    await allReady(world, 1);
    kill(container.init(), 'SIGTERM');
    await world.see('it drains', ({ instances }) => instances.some(({ state }) => state === 'draining'));
    writeFileSync(join(world.dir, 'done'), '');
    const { code, stderr } = await command.ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('the first process of its container');
  });

  it('killed with all of its container, is followed by one that begins everything once, and blames nobody', async (test) => {
    const first = run(test, { worker: { ...steady, instances: 3 } });
    const { world } = first;
    await allReady(world, 3);
    const before = (await world.status()).instances.map(({ run }) => run);
    kill(first.init(), 'SIGKILL');
    await first.command.ended;
    await until('the container is gone', () => world.left().length === 0);
    rmSync(join(world.runDir, 'control.sock'));
    const second = again(world);
    const { instances } = await allReady(world, 3);
    expect(world.ofInstances().filter(({ command }) => command.startsWith('sleep'))).toHaveLength(3);
    expect(instances.map(({ restarts, last_exit }) => [restarts, last_exit])).toEqual(
      Array.from({ length: 3 }, () => [0, null]),
    );
    expect(instances.every(({ run }) => !before.includes(run))).toBe(true);
    kill(second.init(), 'SIGTERM');
    expect((await second.command.ended).code).toBe(0);
    expect(existsSync(join(world.runDir, 'control.sock'))).toBe(false);
  });
});
