/** As on macOS: what the group of the leader shows, asked of ps. */
import { expect, test } from 'vitest';
import { useLeakCheck } from '../rig/leaks.ts';
import { isAlive, useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);

test('says that it tracks by group, and what that cannot do', () => {
  const { processes } = hands('ps');
  expect(processes.tracking).toBe('group');
  expect(processes.warnings).toHaveLength(2);
});

test('a run with nothing left is found empty', async () => {
  const h = hands('ps');
  const run = h.fixture(1, 'dies-at-once');
  await h.until('exited', run);
  h.processes.survey(run);
  expect((await h.until('tree', run)).left).toBe(0);
});

for (const [what, fixture] of [
  ['a grandchild that ignores TERM', 'leaves-grandchild-ignoring-term'],
  ['a grandchild that holds the standard output', 'holds-stdout'],
] as const) {
  test(`${what} is counted after its leader's exit, and killed`, async () => {
    const h = hands('ps');
    const run = h.fixture(1, fixture);
    const child = await h.child(run);
    await h.until('exited', run);
    h.processes.survey(run);
    expect((await h.until('tree', run)).left).toBe(1);
    h.processes.signalTree(run, 'KILL');
    await h.until('tree', run, ({ left }) => left === 0);
    expect(isAlive(child)).toBe(false);
  });
}

test('surveys at the same moment share one list', async () => {
  const h = hands('ps');
  const runs = Array.from({ length: 20 }, (_, i) => h.fixture(i + 1, 'dies-at-once'));
  for (const run of runs) await h.until('exited', run);
  for (const run of runs) h.processes.survey(run);
  expect(process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap')).toHaveLength(1);
  for (const run of runs) await h.until('tree', run, ({ left }) => left === 0);
});
