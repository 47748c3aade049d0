/** An end for want of memory is told as what it is. */
import { describe, expect, test, vi } from 'vitest';
import { Cgroup } from '../../src/os/cgroup.ts';
import { findCgroupPlace } from '../../src/os/cgroup-place.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { NO_LIMITS, useHands } from './hands.ts';

const hands = useHands(useLeakCheck());

const whyNot = ((): string | null => {
  const place = findCgroupPlace('/no/such/run/dir');
  place?.home.remove();
  if (place === null) return 'there is no cgroup v2 that may be written to';
  return place.own.words('cgroup.controllers').includes('memory')
    ? null
    : 'the memory controller is not one of cgroup v2 here';
})();
if (whyNot !== null) console.warn(`the test of an OOM kill is skipped: ${whyNot}`);

describe.skipIf(whyNot !== null)('memory_max', () => {
  test('ends the whole run, and its exit says why', async () => {
    const h = hands();
    const hungry = 'const all = []; for (;;) all.push(Buffer.alloc(1e6, 1))';
    const run = h.spawn(1, [process.execPath, '-e', hungry], {
      limits: { ...NO_LIMITS, memoryMax: 64 * 1024 * 1024 },
    });
    expect((await h.until('exited', run)).exit).toEqual({ kind: 'signal', signal: 'SIGKILL', oom: true });
    await h.empty(run);
  });
});

test('an end by somebody’s SIGKILL is not one for want of memory', async () => {
  const h = hands();
  const run = h.spawn(1, ['sleep', '1000']);
  process.kill(h.pid(run), 'SIGKILL');
  expect((await h.until('exited', run)).exit).toEqual({ kind: 'signal', signal: 'SIGKILL' });
});

test('an end by SIGKILL is, where the kernel has counted one', async () => {
  vi.spyOn(Cgroup.prototype, 'oomKills').mockReturnValue(1);
  const h = hands();
  const run = h.spawn(1, ['sleep', '1000']);
  process.kill(h.pid(run), 'SIGKILL');
  const oom = h.processes.tracking === 'cgroup' ? { oom: true } : {};
  expect((await h.until('exited', run)).exit).toEqual({ kind: 'signal', signal: 'SIGKILL', ...oom });
});
