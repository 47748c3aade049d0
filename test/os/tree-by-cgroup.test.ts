/** The same by cgroups: the kernel itself says what belongs to a run. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCgroups } from '../../src/os/cgroup-home.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { homeOf, whyNoCgroups } from './cgroups.ts';
import { isAlive, useHands } from './hands.ts';
import { describeTree } from './tree-cases.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);

describe.skipIf(whyNoCgroups !== null)('by cgroups', () => {
  describeTree(leaks);

  test('that they are is said', () => {
    expect(hands().processes.tracking).toBe('cgroup');
    expect(hands('session').processes.tracking).toBe('session');
  });

  test('a program is in the group of its run before its first instruction', async () => {
    const h = hands();
    const run = h.spawn(7, ['grep', '0::', '/proc/self/cgroup'], { stdout: join(h.folder, 'out') });
    await h.until('exited', run);
    expect(readFileSync(join(h.folder, 'out'), 'utf8').trim().endsWith('/run-7')).toBe(true);
  });

  test('an orphan without mark, in a session of its own, is told from another run’s, and found without a look at the machine', async () => {
    const h = hands();
    const run = h.fixture(1, 'leaves-grandchild-without-mark');
    const child = await h.child(run);
    leaks.watchSession(child);
    const other = h.fixture(2, 'dies-at-once');
    await Promise.all([h.until('exited', run), h.until('exited', other)]);
    h.processes.survey(run);
    h.processes.survey(other);
    expect((await h.until('tree', run)).left).toBe(1);
    expect((await h.until('tree', other)).left).toBe(0);
    h.processes.signalTree(other, 'KILL');
    expect(isAlive(child)).toBe(true);
    await h.empty(run);
    expect(isAlive(child)).toBe(false);
    expect(h.processes.scans).toBe(0);
  });

  test('what a program has put into a group of its own, below, is counted and killed', async () => {
    const h = hands();
    const run = h.spawn(1, [
      'bash',
      '-c',
      'mkdir "$0/run-1/own"; setsid bash -c "echo \\$\\$ > $0/run-1/own/cgroup.procs; echo STATUS=\\$\\$ >&3; exec env -i sleep 1000" & exec sleep 1000',
      homeOf(h.folder),
    ]);
    const child = await h.child(run);
    leaks.watchSession(child);
    h.processes.survey(run);
    expect((await h.until('tree', run)).left).toBe(1);
    expect(existsSync(`${homeOf(h.folder)}/run-1/own`)).toBe(true);
    await h.end(run);
    expect(isAlive(child)).toBe(false);
    expect(existsSync(`${homeOf(h.folder)}/run-1`)).toBe(false);
  });

  test('a group is gone with its run, that of a failed start at once, and the home with the hands', async () => {
    const h = hands();
    const home = homeOf(h.folder);
    const run = h.fixture(1, 'dies-at-once');
    expect(existsSync(`${home}/run-1`)).toBe(true);
    await h.until('exited', run);
    h.processes.forget(run);
    expect(existsSync(`${home}/run-1`)).toBe(false);
    h.spawn(2, ['/no/such/program']);
    expect(existsSync(`${home}/run-2`)).toBe(false);
    h.close();
    expect(existsSync(home)).toBe(false);
  });

  test('empty groups that a killed daemon has left are removed at the start of the next', () => {
    const h = hands();
    const home = homeOf(h.folder);
    mkdirSync(`${home}/run-41/below`, { recursive: true });
    openCgroups(h.folder);
    expect(existsSync(`${home}/run-41`)).toBe(false);
  });
});
