/** A daemon is killed just as it asks several instances to drain: each of them is asked all the same, and none twice. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ROOT } from './build.ts';
import { createWorld, type Program, type World } from './world.ts';

let world: World;
let dooming: string;
beforeEach(() => {
  const preload = join(ROOT, 'test/rig/dies-asking.cjs');
  world = createWorld({ environment: { NODE_OPTIONS: `--require ${preload}` } });
  dooming = join(world.dir, 'dooming');
});
afterEach(() => world.close());

const three: Program = {
  instances: 3,
  ready: { when: 'notify' },
  drain: { timeout: 'none' },
  stop: { timeout: '60s' },
};

/** Stops them, the highest first; the daemon dies as it comes to the middle one, and another one begins. */
async function stopWithDeath(): Promise<void> {
  await world.succeed('start');
  writeFileSync(dooming, 'worker:1');
  expect((await world.cli('stop', 'worker')).code).not.toBe(0);
  await world.succeed('start', '--no-wait');
}

it('who uses the runner is asked whether it was, and drains at once', async () => {
  const queue = join(world.dir, 'queue');
  mkdirSync(queue);
  const command = [process.execPath, join(ROOT, 'dist/example/file-queue.js'), '--dir', queue];
  world.configure({ worker: { ...three, command } });
  await stopWithDeath();
  const { instances } = await world.see('all are stopped', ({ instances }) =>
    instances.every(({ state }) => state === 'stopped'),
  );
  for (const { last_exit } of instances) expect(last_exit).toMatchObject({ drained: true, killed: false });
});

it('of those who know nothing of the question, only the one that it came to is left in doubt, and that is said', async () => {
  const script =
    'trap "echo asked >> $TSUP_VISOR_INDEX; exit 0" TERM; echo READY=1 >&3; while :; do sleep 0.05; done';
  world.configure({ worker: { ...three, command: ['/bin/sh', '-c', script] } });
  await stopWithDeath();
  const { instances } = await world.see('two are stopped', ({ instances }) =>
    [0, 2].every((index) => instances[index]?.state === 'stopped'),
  );
  expect(instances[1]).toMatchObject({ state: 'draining' });
  expect(instances[1]?.message).toContain(
    'may not have been asked to drain, since the last daemon died in the act',
  );
  await world.succeed('signal', 'TERM', 'worker:1');
  await world.see('it is stopped as well', ({ instances }) => instances[1]?.state === 'stopped');
});
