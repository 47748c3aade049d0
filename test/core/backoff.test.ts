/** The arithmetic of waiting, and when an instance is given up. */
import { expect, test } from 'vitest';
import { run } from '../../src/base/ids.ts';
import { backoffDelay, givesUp } from '../../src/core/instance/backoff.ts';
import type { BackoffPlan } from '../../src/core/plan.ts';
import { Bench, program } from './rig.ts';

const PLAN: BackoffPlan = {
  initialMs: 100,
  factor: 2,
  maxMs: 1000,
  jitter: 0,
  resetAfterMs: 5000,
  giveUpAfter: 3,
};

test.each([
  [1, 100],
  [2, 200],
  [3, 400],
  [4, 800],
  [5, 1000],
  [60, 1000],
])('after failure %i the wait is %i ms', (failures, ms) => {
  expect(backoffDelay(PLAN, failures, run(1))).toBe(ms);
});

test('the jitter stays within its share, differs between runs, and is the same for the same run', () => {
  const delays = Array.from({ length: 1000 }, (_, i) =>
    backoffDelay({ ...PLAN, jitter: 0.1 }, 1, run(i + 1)),
  );
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(90);
  expect(Math.max(...delays)).toBeLessThanOrEqual(110);
  expect(new Set(delays).size).toBeGreaterThan(15);
  expect(delays.reduce((sum, ms) => sum + ms, 0) / delays.length).toBeCloseTo(100, 0);
  expect(backoffDelay({ ...PLAN, jitter: 0.1 }, 1, run(7))).toBe(delays[6]);
});

test('it gives up at the limit and not before, and never without one', () => {
  expect([1, 2, 3, 4].map((failures) => givesUp(PLAN, failures))).toEqual([false, false, true, true]);
  expect(givesUp({ ...PLAN, giveUpAfter: null }, 1_000_000)).toBe(false);
});

const crash = (bench: Bench) => {
  bench.code(1);
  bench.tree(0);
};

test('crashes in a row wait longer each time, then it has failed and says why', () => {
  const bench = new Bench();
  bench.running();
  crash(bench);
  expect(bench.phase).toMatchObject({ kind: 'backoff', until: 150, because: 'crash' });
  bench.after(100);
  bench.spawned();
  crash(bench);
  expect(bench.phase).toMatchObject({ kind: 'backoff', until: 350 });
  bench.after(200);
  bench.spawned();
  crash(bench);
  expect(bench.phase).toEqual({
    kind: 'failed',
    because: 'crash',
    why: 'exited with code 1 after 0ms; given up after 3 tries in a row',
  });
});

test('a run that was ready for long enough lets the count begin anew; one that was not does not', () => {
  const bench = new Bench().running();
  crash(bench);
  bench.after(100);
  bench.spawned();
  bench.after(50);
  bench.now += 4999;
  crash(bench);
  expect(bench.instance.failures).toBe(2);
  bench.after(200);
  bench.spawned();
  bench.after(50);
  bench.now += 5000;
  crash(bench);
  expect(bench.instance.failures).toBe(1);
});

test('the time that it takes to end does not count as a good stretch', () => {
  const bench = new Bench().running();
  crash(bench);
  bench.after(100);
  bench.spawned();
  bench.after(50);
  bench.code(1);
  bench.tree(1);
  bench.now += 60_000;
  bench.tree(0);
  expect(bench.instance.failures).toBe(2);
});

test('without a backoff a crash is followed by the next run at once, for ever', () => {
  const bench = new Bench(program({ backoff: null })).running();
  for (let i = 0; i < 50; i++) {
    const before = bench.run;
    crash(bench);
    expect(bench.phase.kind).toBe('spawning');
    expect(bench.run).toBe(before + 1);
    bench.spawned();
  }
});

test('without a backoff, what cannot even be spawned is not tried in a busy loop', () => {
  const bench = new Bench(program({ backoff: null }));
  bench.start();
  bench.spawnFailed();
  expect(bench.phase).toEqual({
    kind: 'backoff',
    until: 100,
    because: 'spawn error',
    why: 'cannot start: ENOENT',
  });
  expect(bench.after(100)).toMatchObject([{ type: 'spawn' }]);
});

test('a spawn error counts as a failure, and the last one is given up', () => {
  const bench = new Bench();
  bench.start();
  for (const ms of [100, 200]) {
    bench.spawnFailed();
    expect(bench.phase.kind).toBe('backoff');
    bench.after(ms);
  }
  bench.spawnFailed();
  expect(bench.phase).toMatchObject({ kind: 'failed', because: 'spawn error' });
});

test('a start by the operator forgets the failures, in backoff and after giving up', () => {
  const bench = new Bench().running();
  crash(bench);
  bench.start();
  expect(bench.instance.failures).toBe(0);
  expect(bench.phase.kind).toBe('spawning');
});
