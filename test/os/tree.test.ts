/** Every process of a run is found and can be ended, whatever it has done to hide. */
import { expect, test } from 'vitest';
import { useLeakCheck } from '../rig/leaks.ts';
import { isAlive, useHands } from './hands.ts';
import { describeTree } from './tree-cases.ts';

const leaks = useLeakCheck();
describeTree(leaks, 'session');
const hands = useHands(leaks);

test('an orphan without mark, in a session of its own, is given to the only run whose leader has ended', async () => {
  const h = hands('session');
  const other = h.fixture(2, 'ignores-term');
  const run = h.fixture(1, 'leaves-grandchild-without-mark');
  const child = await h.child(run);
  leaks.watchSession(child);
  await h.until('exited', run);
  h.processes.survey(run);
  await h.until('tree', run, ({ left }) => left === 1);
  await h.empty(run);
  expect(isAlive(child)).toBe(false);
  await h.end(other);
});

test('an orphan that could be of either of two runs is nobody’s, and reported', async () => {
  const h = hands('session');
  const first = h.fixture(1, 'leaves-grandchild-without-mark');
  const child = await h.child(first);
  leaks.watchSession(child);
  const second = h.fixture(2, 'dies-at-once');
  await Promise.all([h.until('exited', first), h.until('exited', second)]);
  h.processes.survey(first);
  h.processes.survey(second);
  await Promise.all([h.until('tree', first), h.until('tree', second)]);
  expect(h.processes.strays).toBe(1);
  expect(isAlive(child)).toBe(true);
  process.kill(child, 'SIGKILL');
  await expect.poll(() => isAlive(child) || leaks.zombies() > 0).toBe(false);
});

test('a hundred leaders that end in one tick cost few looks, restarts included', async () => {
  const h = hands('session');
  const runs = Array.from({ length: 100 }, (_, i) => h.spawn(i + 1, ['sleep', '1000']));
  h.react = (event) => {
    if (event.kind === 'exited' && event.run <= 100) h.processes.survey(event.run);
    if (event.kind === 'tree' && event.left === 0 && event.run <= 100) {
      h.processes.forget(event.run);
      h.spawn(event.run + 100, ['true']);
    }
  };
  // In one go, so that one SIGCHLD tells of all.
  for (const run of runs) process.kill(h.pid(run), 'SIGKILL');
  const busyUntil = performance.now() + 5000; // where others keep the processors, ending takes its time too
  while (performance.now() < busyUntil && runs.some((run) => isAlive(h.pid(run))));
  for (const run of runs) await h.until('exited', (run + 100) as typeof run); // a number is what makes a run
  expect(h.happened.filter((event) => event.kind === 'tree' && event.left === 0)).toHaveLength(100);
  expect(h.processes.scans).toBeLessThan(10);
});

test('orphans that have ended are reaped although nobody asks', async () => {
  const h = hands('session');
  const run = h.spawn(1, [
    'bash',
    '-c',
    'for i in 1 2 3; do (setsid bash -c "sleep 0.05 & exit"); done; sleep 0.2; echo over >&3; exec sleep 1000',
  ]);
  await h.until('notified', run);
  await expect.poll(() => leaks.zombies()).toBe(0);
  await h.end(run);
});
