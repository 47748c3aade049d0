/** Release folders with a link that a deploy swaps: what runs is one release, and a revert goes back to the last. */
import { mkdirSync, readlinkSync, realpathSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Client, connect } from '../../src/client/index.ts';
import { until } from './until.ts';
import { createWorld, type World } from './world.ts';

const RELEASES = [41, 42].map((release) => `releases/${release}`);

/** In one step, so that there is always one. */
function pointTo({ dir }: World, release: string): void {
  symlinkSync(release, join(dir, 'next'));
  renameSync(join(dir, 'next'), join(dir, 'current'));
}

const WORKER = {
  directory: 'current',
  command: 'bash worker.sh',
  instances: 2,
  ready: { when: 'notify' },
  backoff: { initial: '10ms' },
  rollout: { min_healthy_time: '10ms' },
};

/** In which release each instance runs, and which one its code is of. */
async function releasesOf(world: World, client: Client): Promise<string[]> {
  const { instances } = await client.status({ usage: false });
  const root = `${realpathSync(world.dir)}/`;
  return instances.map(({ pid, message }) => {
    const folder = readlinkSync(`/proc/${pid}/cwd`).replace(root, '');
    return `${folder}, ${message}`;
  });
}

const both = (release: string): string[] => Array.from({ length: 2 }, () => `${release}, of ${release}`);

const [old = '', fresh = ''] = RELEASES;

it('a crash comes back with the release that ran, a deploy with the new one, and a revert with the old', async (test) => {
  const world = createWorld();
  test.onTestFinished(() => world.close());
  for (const release of RELEASES) {
    mkdirSync(join(world.dir, release), { recursive: true });
    const script = `echo STATUS=of ${release} >&3; echo READY=1 >&3; exec sleep 1000 3>&-\n`;
    writeFileSync(join(world.dir, release, 'worker.sh'), script);
  }
  pointTo(world, old);
  world.configure({ worker: WORKER });
  await world.succeed('start');
  const client = connect(world.socket());
  expect(await releasesOf(world, client)).toEqual(both(old));

  pointTo(world, fresh);
  const first = async () => (await client.status({ usage: false })).instances[0];
  const { pid, run } = (await first()) ?? {};
  process.kill(pid ?? 0, 'SIGKILL');
  await until('it is started again', async () => {
    const now = await first();
    return now?.run !== run && now?.ready === true;
  });
  expect(await releasesOf(world, client)).toEqual(both(old));

  const { stderr } = await world.succeed('rolling-restart', 'worker');
  expect(stderr).toMatch(/worker: directory \S+\/releases\/41 -> \S+\/releases\/42/);
  expect(await releasesOf(world, client)).toEqual(both(fresh));

  await world.succeed('rollout', 'revert', 'worker');
  await world.succeed('rollout', 'wait', 'worker');
  expect(await releasesOf(world, client)).toEqual(both(old));
  expect(readlinkSync(join(world.dir, 'current')), 'what is on disk is not ours').toBe(fresh);
});
