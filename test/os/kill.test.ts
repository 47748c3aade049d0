/** No signal ever reaches a process that merely bears the number of one that is gone. */
import { constants } from 'node:os';
import { expect, test, vi } from 'vitest';
import { loadLibc } from '../../src/os/libc.ts';
import { createLinuxScanner } from '../../src/os/linux-scanner.ts';
import { createMark } from '../../src/os/mark.ts';
import { readStat } from '../../src/os/proc.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { isAlive, useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);

for (const [how, libc] of [
  ['by pidfd', loadLibc()],
  ['by number', null],
] as const) {
  test(`a process with another start time is not signalled (${how})`, async () => {
    const h = hands();
    const run = h.fixture(1, 'ignores-term');
    const pid = h.pid(run);
    const start = readStat(pid)?.start ?? '';
    const scanner = createLinuxScanner(libc, createMark('/nowhere'));
    expect(scanner.kill({ pid, start: String(Number(start) - 1) }, 'SIGKILL')).toBe(false);
    expect(isAlive(pid)).toBe(true);
    expect(scanner.kill({ pid, start }, 'SIGKILL')).toBe(true);
    expect((await h.until('exited', run)).exit).toEqual({ kind: 'signal', signal: 'SIGKILL' });
  });
}

test('a leader that has ended is not signalled, and that is no error', async () => {
  const h = hands();
  const run = h.fixture(1, 'dies-at-once');
  await h.until('exited', run);
  h.processes.signal(run, 'TERM');
  h.processes.signalTree(run, 'KILL');
  expect(h.warned).toEqual([]);
});

test('a signal that the system refuses is said, and nothing else comes of it', async () => {
  const h = hands();
  const run = h.fixture(1, 'ignores-term');
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  h.processes.signal(run, 'TERM');
  kill.mockRestore();
  expect(h.warned).toEqual([expect.stringMatching(`cannot send TERM to process ${h.pid(run)}`)]);
  await h.end(run);
});

test('nor when it refuses one for a whole run', async () => {
  const h = hands('session');
  const run = h.spawn(1, ['bash', '-c', 'sleep 1000 & echo STATUS=$! >&3; wait']);
  const child = await h.child(run);
  const libc = loadLibc();
  if (libc === null) return;
  vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  vi.spyOn(libc, 'signalPidfd').mockReturnValue(constants.errno.EPERM);
  h.processes.signalTree(run, 'KILL');
  vi.restoreAllMocks();
  expect(h.warned).toEqual([
    `cannot send KILL to process ${h.pid(run)}: operation not permitted`,
    `cannot send KILL to process ${child}: operation not permitted`,
  ]);
  await h.end(run);
});

test('a stopped leader can end as it wants to: SIGCONT follows TERM', async () => {
  const h = hands();
  const run = h.spawn(1, ['bash', '-c', 'trap "exit 5" TERM; echo >&3; sleep 1000 & wait']);
  await h.until('notified', run);
  h.processes.signal(run, 'STOP');
  h.processes.signal(run, 'TERM');
  expect((await h.until('exited', run)).exit).toEqual({ kind: 'code', code: 5 });
  await h.empty(run);
});

test('a run that forks while it is killed does not get away', async () => {
  const h = hands();
  // A chain in which the newest starts the next one every 20 ms and stays; it ends by itself, should we not end it.
  const chain = 'f() { [ $1 = 40 ] || { sleep 0.02; (f $(($1 + 1)) &); }; echo >&3; exec sleep 1000; }; f 1';
  const run = h.spawn(1, ['bash', '-c', chain]);
  await h.until('notified', run, () => h.happened.length >= 5);
  h.react = (event) => {
    if (event.kind === 'tree' && event.left > 0) h.processes.signalTree(run, 'KILL');
  };
  await h.end(run);
});
