/** A daemon is killed just as it asks several instances to drain: each of them is asked all the same, and none twice. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fill } from '../../src/example/fill.ts';
import { tally } from '../../src/example/tally.ts';
import { fileQueue, ROOT } from './build.ts';
import { until } from './until.ts';
import { createWorld, type Program, type World } from './world.ts';

let world: World;
beforeEach(() => {
  const preload = join(ROOT, 'test/rig/dies-asking.cjs');
  world = createWorld({ environment: { NODE_OPTIONS: `--require ${preload}` } });
});
afterEach(() => world.close());

const three: Program = {
  instances: 3,
  ready: { when: 'notify' },
  drain: { timeout: 'none' },
  stop: { timeout: '60s' },
};

/** Stops them, the highest first; the daemon dies as it comes to the middle one, and another one begins. */
async function stopWithDeath(when: 'before' | 'after'): Promise<void> {
  writeFileSync(join(world.dir, 'dooming'), `${when} 2`);
  expect((await world.cli('stop', 'worker')).code).not.toBe(0);
  expect(existsSync(join(world.dir, 'dooming'))).toBe(false);
  await world.succeed('start', '--no-wait');
}

describe.each(['before', 'after'] as const)('a daemon that is killed %s the signal', (when) => {
  it('has the next one ask whoever answers, once, and no job is cut', async () => {
    const queue = join(world.dir, 'queue');
    mkdirSync(queue);
    world.configure({ worker: { ...three, command: fileQueue(queue, '--parallel', '1') } });
    fill(queue, 3, { min: 3, max: 3 });
    await world.succeed('start');
    await world.see('each has a job', ({ instances }) => instances.every(({ in_flight }) => in_flight === 1));
    await stopWithDeath(when);
    const { instances } = await world.see('all are stopped', (status) =>
      status.instances.every(({ state }) => state === 'stopped'),
    );
    for (const { last_exit } of instances) expect(last_exit).toMatchObject({ drained: true, killed: false });
    expect(tally(queue)).toMatchObject({ jobs: 3, waiting: 0, missing: [] });
  });

  it('leaves of those who know nothing of the question only one in doubt, and that is said', async () => {
    // Ends when it is told to, and counts how often it was asked.
    const script =
      'trap "echo asked >> asked-$TSUP_VISOR_INDEX" TERM; echo READY=1 >&3; until [ -e go ]; do sleep 0.05; done';
    world.configure({ worker: { ...three, command: ['/bin/sh', '-c', script] } });
    await world.succeed('start');
    await stopWithDeath(when);
    const times = (): number[] =>
      [0, 1, 2].map((index) => {
        const file = join(world.dir, `asked-${index}`);
        return existsSync(file) ? readFileSync(file, 'utf8').split('asked').length - 1 : 0;
      });
    const middle = when === 'before' ? 0 : 1;
    await until('the others are asked', () => times().join() === `1,${middle},1`, {
      seen: () => times().join(),
    });
    const { instances } = await world.status();
    expect(instances.map(({ state }) => state)).toEqual(['draining', 'draining', 'draining']);
    const inDoubt = 'may not have been asked to drain, since the last daemon died in the act';
    expect(instances.map(({ message }) => message.includes(inDoubt))).toEqual([false, true, false]);
    writeFileSync(join(world.dir, 'go'), '');
    await world.see('all are stopped', (status) =>
      status.instances.every(({ state }) => state === 'stopped'),
    );
    expect(times()).toEqual([1, middle, 1]);
  });
});
