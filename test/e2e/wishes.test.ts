/** What people have wished for holds when the daemon is killed, and when the machine is: there only wishes are believed. */

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { ROOT } from './build.ts';
import { build } from './builds.ts';
import { ended } from './life.ts';
import { endMarked, kill } from './processes.ts';
import { drainsUntilThereIs, steady } from './puppets.ts';
import { until } from './until.ts';
import { createWorld, type Outcome, type Program, type World } from './world.ts';

/** The kernel makes a number for each of its starts; here it is a file that the test writes. */
const BOOT = ['sh', '-c', 'mount --bind "$TV_BOOT" /proc/sys/kernel/random/boot_id; exec "$0" "$@"'];
const canBoot =
  spawnSync('unshare', ['--mount', 'sh', '-c', 'mount --bind /dev/null /proc/sys/kernel/random/boot_id'])
    .status === 0;
if (!canBoot) console.warn('wishes are not tested over a boot: nothing can be mounted here');

type Cut = 'the daemon is killed' | 'the machine is';
const CUTS: readonly Cut[] = canBoot ? ['the daemon is killed', 'the machine is'] : ['the daemon is killed'];

interface Machine {
  readonly world: World;
  /** Ends one or the other as hard as can be, and starts the daemon again: by `start`, without a name. */
  cut(how: Cut): Promise<Outcome>;
}

async function machine(
  { onTestFinished }: TestContext,
  programs: Readonly<Record<string, Program>>,
): Promise<Machine> {
  const bootId = `/tmp/tv-boot-${randomUUID()}`;
  const through = canBoot ? ['unshare', '--mount', ...BOOT] : [];
  const world = createWorld({ through, environment: { TV_BOOT: bootId } });
  onTestFinished(async () => {
    await world.close();
    rmSync(bootId, { force: true });
  });
  writeFileSync(bootId, `${randomUUID()}\n`);
  world.configure(programs);
  await world.succeed('start');
  return {
    world,
    async cut(how) {
      if (how === 'the machine is') {
        await endMarked(`TV_TEST=${world.dir}`);
        // As it is with /run, which is in memory.
        rmSync(world.runDir, { recursive: true });
        writeFileSync(bootId, `${randomUUID()}\n`);
      } else {
        const { daemon } = await world.status();
        kill(daemon.pid, 'SIGKILL');
        await ended(daemon.pid);
      }
      return world.cli('start', '--no-wait');
    },
  };
}

const states = async (world: World): Promise<string> =>
  (await world.status()).instances.map(({ id, state }) => `${id} ${state}`).join(', ');
const allReady = (world: World) =>
  world.see('all that is wanted is ready', ({ instances }) =>
    instances.every(({ ready, wanted }) => ready === (wanted === 'up')),
  );

describe.concurrent.each(CUTS)('when %s', { timeout: 120_000 }, (how) => {
  it('what was stopped stays stopped and is named in the answer, what was scaled stays scaled', async (test) => {
    const { world, cut } = await machine(test, {
      worker: { ...steady, instances: 2 },
      other: steady,
      spare: { ...steady, autostart: false },
    });
    await world.succeed('stop', 'other', 'worker:1');
    await world.succeed('scale', 'worker=4');
    await world.succeed('start', 'spare');
    for (const again of [1, 2]) {
      const { stdout, code } = await cut(how);
      expect(code, stdout).toBe(0);
      expect(stdout, `at start ${again}`).toMatch(/other:0.*stopped|stopped.*other:0/);
      await allReady(world);
      expect(await states(world)).toBe(
        'worker:0 running, worker:1 stopped, worker:2 running, worker:3 running, other:0 stopped, spare:0 running',
      );
    }
    await world.succeed('start', 'other', 'worker:1');
    await cut(how);
    await allReady(world);
    expect(await states(world)).not.toContain('stopped');
  });

  it('nobody is blamed for it', async (test) => {
    const { world, cut } = await machine(test, { worker: { ...steady, instances: 2 } });
    await cut(how);
    const { instances } = await allReady(world);
    expect(instances.map(({ restarts, last_exit }) => [restarts, last_exit])).toEqual([
      [0, null],
      [0, null],
    ]);
    expect(world.ofInstances()).toHaveLength(2);
  });

  it('a rolling restart goes on, and all have the new build', async (test) => {
    const job = (name: string): Program => ({
      ...drainsUntilThereIs('done-{{index}}'),
      instances: 4,
      environment: { BUILD: name },
      rollout: { min_healthy_time: '50ms', order: 'index' },
    });
    const { world, cut } = await machine(test, { worker: job('one') });
    const finish = (index: number) => writeFileSync(join(world.dir, `done-${index}`), '');
    finish(0);
    world.configure({ worker: job('two') });
    await world.succeed('rolling-restart', '--detach', 'worker');
    await world.see('the second one drains', ({ instances }) =>
      instances.some(({ id, state }) => id === 'worker:1' && state === 'draining'),
    );
    await cut(how);
    for (const index of [1, 2, 3]) finish(index);
    await world.succeed('rollout', 'wait', 'worker');
    await allReady(world);
    const { rollouts, instances } = await world.status();
    expect(rollouts.map(({ state, done, total }) => [state, done, total])).toEqual([['succeeded', 4, 4]]);
    expect(new Set(instances.map(({ revision }) => revision)).size).toBe(1);
    expect(world.ofInstances().every(({ environment }) => environment.includes('BUILD=two'))).toBe(true);
  });

  it('a plan that was gone back to is kept', async (test) => {
    const { world, cut } = await machine(test, { worker: build('one') });
    world.configure({ worker: build('crashes') });
    expect((await world.cli('rolling-restart', 'worker')).code).toBe(1);
    await world.succeed('rollout', 'revert', 'worker');
    await world.see('it is reverted', ({ rollouts }) => rollouts.every(({ state }) => state === 'reverted'));
    await cut(how);
    await allReady(world);
    expect(world.ofInstances().every(({ environment }) => environment.includes('BUILD=one'))).toBe(true);
  });

  it('what has run to completion is not run again, unless it was the machine', async (test) => {
    const ran = { command: ['bash', '-c', 'echo ran >> ran.txt'], restart: 'never' };
    const { world, cut } = await machine(test, { migrate: ran, worker: steady });
    const file = join(world.dir, 'ran.txt');
    await until('it has run', () => existsSync(file));
    await world.see('it is done', ({ instances }) =>
      instances.some(({ id, state }) => id === 'migrate:0' && state === 'exited'),
    );
    rmSync(file);
    await cut(how);
    await allReadyBut(world, 'migrate:0');
    await world.see('it is done', ({ instances }) =>
      instances.some(({ id, state }) => id === 'migrate:0' && state === 'exited'),
    );
    expect(existsSync(file)).toBe(how === 'the machine is');
  });
});

const allReadyBut = (world: World, but: string) =>
  world.see('the others are ready', ({ instances }) =>
    instances.every(({ id, ready }) => ready || id === but),
  );

describe.concurrent.each([
  ['back', -3_600_000],
  ['forward', 3_600_000],
] as const)('when the clock is set %s by an hour while no daemon runs', { timeout: 120_000 }, (_, byMs) => {
  it('a drain has as much time left as it had', async ({ onTestFinished }) => {
    const clock = `/tmp/tv-clock-${randomUUID()}`;
    writeFileSync(clock, '0');
    const world = createWorld({
      environment: {
        TV_CLOCK: clock,
        NODE_OPTIONS: `--require ${join(ROOT, 'test/rig/sets-the-clock.cjs')}`,
      },
    });
    onTestFinished(async () => {
      await world.close();
      rmSync(clock, { force: true });
    });
    world.configure({ worker: drainsUntilThereIs('done') });
    await world.succeed('start');
    await world.succeed('stop', '--no-wait', 'worker');
    const before = await world.instance('worker:0');
    kill((await world.status()).daemon.pid, 'SIGKILL');
    await until('it is gone', async () => (await world.cli('status')).code === 4);
    writeFileSync(clock, String(byMs));
    await world.succeed('start', '--no-wait');
    const { state, drain } = await world.instance('worker:0');
    expect(state).toBe('draining');
    expect(drain?.elapsed_ms).toBeGreaterThan(before.drain?.elapsed_ms ?? 0);
    expect(drain?.elapsed_ms).toBeLessThan(60_000);
    const leftMs = Date.parse(drain?.deadline ?? '') - (Date.now() + byMs);
    expect(leftMs).toBeGreaterThan(60_000);
    expect(leftMs).toBeLessThan(120_000);
    writeFileSync(join(world.dir, 'done'), '');
    await world.see('it has drained', ({ instances }) => instances[0]?.state === 'stopped');
  });
});
