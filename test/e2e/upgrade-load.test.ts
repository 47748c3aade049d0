/**
 * The daemon replaced again and again under a working fleet. `UPGRADES=20` for more of them than the suite takes the
 * time for; the figures are printed then.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { tally } from '../../src/example/tally.ts';
import { ROOT } from './build.ts';
import { newWorld } from './life.ts';
import { probe } from './prober.ts';
import { until } from './until.ts';
import { install } from './versions.ts';

const TIMES = Number(process.env.UPGRADES ?? 5);
const INSTANCES = 20;
const runner = join(ROOT, 'dist/example/file-queue.js');

it(`${TIMES} upgrades in a row under 20 working runners: no signal, no restart, no job cut, and nobody is refused`, {
  timeout: 60_000 + TIMES * 10_000,
}, async (test) => {
  const world = newWorld(test, (dir) => ({
    worker: {
      command: [
        process.execPath,
        '--require',
        join(ROOT, 'test/rig/notes-signals.cjs'),
        runner,
        '--dir',
        join(dir, 'queue'),
      ],
      environment: { NOTE_SIGNALS_IN: join(dir, 'signals') },
      instances: INSTANCES,
      ready: { when: 'notify', timeout: '60s' },
    },
  }));
  const queue = join(world.dir, 'queue');
  const fill = async (jobs: number): Promise<void> => {
    execFileSync(process.execPath, [runner, '--dir', queue, '--fill', String(jobs), '--seconds', '0.3-0.9']);
  };
  await fill(INSTANCES * 6 * TIMES);
  const versions = [install(world.dir, '0.8.0'), install(world.dir, '0.9.0')];
  await world.succeed('start');
  const before = await world.status();
  const prober = probe(world.socket(), 2);
  test.onTestFinished(() => prober.end());
  const bare: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const outcome = await world.by(versions[time % 2] ?? ROOT, 'upgrade');
    expect(outcome, `upgrade ${time + 1}`).toMatchObject({ code: 0 });
    bare.push(bareStartMs());
    expect(outcome.stdout).toMatch(
      new RegExp(`^upgraded the daemon from .* in \\d+ ms; ${INSTANCES} instances run on untouched$`, 'm'),
    );
  }
  await until('the last one answers', () => prober.gaps().length === TIMES);
  await prober.end();
  const after = await world.status();
  expect(prober.failures).toEqual([]);
  expect(after.daemon).toMatchObject({
    pid: before.daemon.pid,
    handovers: TIMES,
    version: TIMES % 2 === 1 ? '0.8.0' : '0.9.0',
  });
  const told = ({ instances }: typeof before) =>
    instances.map(({ id, pid, run, restarts, state }) => ({ id, pid, run, restarts, state }));
  expect(told(after)).toEqual(told(before));
  expect(existsSync(join(world.dir, 'signals')) ? readFileSync(join(world.dir, 'signals'), 'utf8') : '').toBe(
    '',
  );
  const gaps = prober.gaps().sort((a, b) => a - b);
  if (process.env.UPGRADES !== undefined) {
    console.log(
      `gaps in ms: median ${middle(gaps)}, longest ${gaps.at(-1)}, of ${gaps.join(' ')}; Node alone takes ${middle(bare)} to start; ${prober.answers} answers`,
    );
  }
  // Most of it is the start of Node: on a machine that is busy with others that takes its time, as everything does.
  expect(middle(gaps)).toBeLessThan(Math.max(500, 10 * middle(bare)));
  await connect(world.socket()).shutdown({ how: 'drain' });
  await until('all are down', () => world.left().length === 0, { timeoutMs: 30_000 });
  const { begun, done, interrupted, doneTwice, underWay } = tally(queue);
  expect({ begun, interrupted, doneTwice, underWay }).toEqual({
    begun: done,
    interrupted: 0,
    doneTwice: [],
    underWay: 0,
  });
});

/** How long Node takes to start at the moment. */
function bareStartMs(): number {
  const began = performance.now();
  execFileSync(process.execPath, ['-e', '0']);
  return Math.round(performance.now() - began);
}

const middle = (of: readonly number[]): number => of.toSorted((a, b) => a - b)[of.length >> 1] ?? 0;
