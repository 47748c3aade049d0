/** No signal ever reaches a process that merely bears the number of one that is gone. */
import { expect, test } from 'vitest';
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

test('a stopped leader can end: SIGCONT follows TERM', async () => {
  const h = hands();
  const run = h.spawn(1, ['sleep', '1000']);
  h.processes.signal(run, 'STOP');
  h.processes.signal(run, 'TERM');
  expect((await h.until('exited', run)).exit).toEqual({ kind: 'signal', signal: 'SIGTERM' });
});

test('a run that forks while it is killed does not get away', async () => {
  const h = hands();
  const run = h.spawn(1, ['bash', '-c', 'f() { sleep 0.001; (f &) ; sleep 1000; }; f & f & echo >&3; wait']);
  await h.until('notified', run);
  h.processes.survey(run);
  await h.until('tree', run, ({ left }) => left >= 6);
  h.react = (event) => {
    if (event.kind === 'tree' && event.left > 0) h.processes.signalTree(run, 'KILL');
  };
  await h.end(run);
});
