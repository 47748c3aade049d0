/** `usage` sums whole trees and leaves nothing open. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { run } from '../../src/base/ids.ts';
import { createSampler } from '../../src/os/usage.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { whyNoCgroups } from './cgroups.ts';
import { useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);

/** They are kept for a while, for whoever looks again soon. */
const descriptorsGone = (before: number) =>
  expect.poll(() => readdirSync('/proc/self/fd').length, { timeout: 10_000 }).toBeLessThanOrEqual(before);

test('the processes of a run are summed, and a run that is gone is missing', async () => {
  const before = readdirSync('/proc/self/fd').length;
  const h = hands();
  const living = h.fixture(1, 'double-forks');
  const dead = h.fixture(2, 'dies-at-once');
  await h.child(living);
  await h.until('exited', dead);
  const usage = await h.processes.usage([living, dead, run(99)]);
  expect([...usage.keys()]).toEqual([living]);
  expect(usage.get(living)?.processes).toBe(2);
  expect(usage.get(living)?.memoryBytes).toBeGreaterThan(1_000_000);
  await h.end(living);
  await descriptorsGone(before + 6); // the hands' own: they are closed after the test
});

test('twenty looks leave no descriptor open', async () => {
  const h = hands();
  const runs = [1, 2, 3].map((n) => h.spawn(n, ['sleep', '1000']));
  const before = readdirSync('/proc/self/fd').length;
  for (let i = 0; i < 20; i++) await h.processes.usage(runs);
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + runs.length);
  await descriptorsGone(before);
  for (const each of runs) await h.end(each);
});

test('processor time counts since the last look, also that of a process which has come in between', async () => {
  const readings = new Map([[10, { cpuMs: 1000, ageMs: 10_000, memoryBytes: 5 }]]);
  let now = 5000;
  const sampler = createSampler(
    async () => readings,
    () => now,
  );
  const pids = new Map([[run(1), [10, 11]]]);
  expect((await sampler.sample(pids)).get(run(1))).toEqual({ processes: 1, cpuPercent: 10, memoryBytes: 5 });
  now += 250;
  readings.set(10, { cpuMs: 1050, ageMs: 10_250, memoryBytes: 5 });
  readings.set(11, { cpuMs: 75, ageMs: 200, memoryBytes: 7 });
  const second = (await sampler.sample(pids)).get(run(1));
  expect(second).toEqual({ processes: 2, cpuPercent: 50, memoryBytes: 12 });
});

test('what a cgroup has added up counts in place of its processes: short-lived ones are in it', async () => {
  let now = 5000;
  const accounts = { cpu: 1000, memory: null as number | null };
  const asked: number[][] = [];
  const sampler = createSampler(
    async (pids) => {
      asked.push(pids);
      return new Map([[10, { cpuMs: 1, ageMs: 1, memoryBytes: 5 }]]);
    },
    () => now,
    () => ({ cpuMs: () => accounts.cpu, memoryBytes: () => accounts.memory }),
    (pid) => pid * 1000,
  );
  const look = async () => (await sampler.sample(new Map([[run(1), [10, 11]]]))).get(run(1));
  expect(await look()).toEqual({ processes: 1, cpuPercent: 9.1, memoryBytes: 5 }); // 1 s in the 11 s of the oldest
  now += 1000;
  accounts.cpu += 1500;
  accounts.memory = 77;
  expect(await look()).toEqual({ processes: 2, cpuPercent: 150, memoryBytes: 77 });
  expect(asked).toEqual([[10, 11]]); // once all of it is known, no process is looked into
});

test.skipIf(whyNoCgroups !== null)('the work of children that have come and gone is the run’s', async () => {
  const h = hands();
  const began = performance.now();
  const spin = 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done';
  const busy = h.spawn(1, ['sh', '-c', `sh -c '${spin}'; echo >&3; exec sleep 1000`]);
  await h.until('notified', busy);
  const usage = (await h.processes.usage([busy])).get(busy);
  expect(usage?.processes).toBe(1);
  // In milliseconds, as a share of the time it depends on what else this machine has to do.
  const most = performance.now() - began;
  expect(((usage?.cpuPercent ?? 0) / 100) * most).toBeGreaterThan(50);
  await h.end(busy);
});
