/** The state folder is full, or can only be read: instances go on, what is not written down is told of, and written later. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StatusReply } from '../../src/protocol/status.ts';
import { kill } from './processes.ts';
import { steady } from './puppets.ts';
import { until } from './until.ts';
import { createWorld, type World } from './world.ts';

const run = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

function canMount(): boolean {
  const probe = createWorld();
  const mounted = run('mount', '-t', 'tmpfs', 'tmpfs', probe.dir);
  if (mounted) run('umount', '-l', probe.dir);
  rmSync(probe.dir, { recursive: true, force: true });
  return mounted;
}

const isAllowed = canMount();
if (!isAllowed) console.warn('the tests with a full disk are skipped: nothing can be mounted here');

/** With a state folder of this size; its own folders are elsewhere. */
async function onSmallDisk(size: string): Promise<{ world: World; disk: string }> {
  const world = createWorld();
  const disk = join(world.dir, 'state');
  mkdirSync(disk, { mode: 0o700 });
  onTestFinished(async () => {
    run('umount', '-l', disk);
    await world.close();
  });
  if (!run('mount', '-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', disk))
    throw new Error('cannot mount');
  world.configure({ worker: { ...steady, instances: 2 } });
  await world.succeed('start');
  return { world, disk };
}

async function killDaemon(world: World): Promise<void> {
  const { pid } = (await world.status()).daemon;
  kill(pid, 'SIGKILL');
  await until('it is gone', () => !existsSync(`/proc/${pid}`));
}

const pids = ({ instances }: StatusReply) => instances.map(({ id, pid }) => `${id} ${pid}`);
const isOwed = ({ daemon }: StatusReply): boolean =>
  daemon.warnings.some((text) => /cannot write .*journal/.test(text));

describe.skipIf(!isAllowed)('a state folder', { timeout: 90_000 }, () => {
  it('that is full costs no instance, be the daemon killed meanwhile or not, and nothing once there is space', async () => {
    const { world, disk } = await onSmallDisk('64k');
    const fill = join(disk, 'fill');
    expect(() => writeFileSync(fill, Buffer.alloc(1024 * 1024))).toThrow(/ENOSPC/);
    await world.succeed('scale', 'worker=4');
    await world.succeed('restart', 'worker:0');
    await world.see('it is told of', isOwed);
    for (const wish of [
      ['stop', 'worker:3'],
      ['start', 'worker:3'],
      ['scale', 'worker=4'],
      ['restart', 'worker:3'],
    ])
      expect((await world.succeed(...wish)).stdout).toMatch(
        /^what was asked for is not written down, and is forgotten if the daemon dies before it is: .*ENOSPC/m,
      );
    const before = await world.status();
    expect(before.daemon.warnings.join()).toMatch(
      /cannot write .*journal: ENOSPC: .* [1-9]\d* changed records? (is|are) not written down \(.*worker.*\), but written as soon as it goes again/,
    );
    expect(before.instances.map(({ state, ready }) => `${state} ${ready}`)).toEqual(
      Array(4).fill('running true'),
    );
    await killDaemon(world);
    await world.succeed('start');
    const during = await world.status();
    expect(
      pids(during).filter((one) => pids(before).includes(one)),
      'all that lived',
    ).toHaveLength(during.instances.length);
    expect(world.ofInstances()).toHaveLength(4);
    expect(isOwed(during)).toBe(true);
    rmSync(fill);
    await world.see('all is written', (status) => !isOwed(status), 20_000);
    expect(readFileSync(join(world.dir, 'logs', 'daemon.log'), 'utf8')).toMatch(
      /journal is written again, with all that was owed: [1-9]\d* records/,
    );
    expect((await world.succeed('start', 'worker:3')).stdout).not.toContain('not written');
    const after = await world.status();
    await killDaemon(world);
    await world.succeed('start');
    expect(pids(await world.status())).toEqual(pids(after));
    expect((await world.status()).daemon.warnings.join()).not.toMatch(/by the mark|as a whole|cannot write/);
  });

  it('that can only be read is no reason not to take up what runs', async () => {
    const { world, disk } = await onSmallDisk('256k');
    const before = pids(await world.status());
    await killDaemon(world);
    expect(run('mount', '-o', 'remount,ro', disk)).toBe(true);
    await world.succeed('start');
    expect(pids(await world.status())).toEqual(before);
    await world.succeed('stop', 'worker:1');
    const owed = await world.see('it is told of', isOwed);
    expect(owed.daemon.warnings.join()).toContain('EROFS');
    expect((await world.cli('start')).code, 'there is no second daemon').toBe(0);
    expect(run('mount', '-o', 'remount,rw', disk)).toBe(true);
    await world.see('all is written', (status) => !isOwed(status), 20_000);
    await killDaemon(world);
    await world.succeed('start');
    expect((await world.instance('worker:1')).state, 'the wish was written down').toBe('stopped');
  });
});
