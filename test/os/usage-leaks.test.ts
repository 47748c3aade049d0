import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readlinkSync } from 'node:fs';
import { expect, it } from 'vitest';
import { closeLeaksLater } from '../../src/os/usage-leaks.ts';

const target = (descriptor: number): string => {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return 'closed';
  }
};

it.skipIf(process.platform !== 'linux')(
  'the descriptor of a process that is gone is closed, and nobody else’s',
  async () => {
    const child = spawn('sleep', ['60']);
    const [gone = 0, other] = [child.pid, process.pid];
    const leaked = openSync(`/proc/${gone}/stat`, 'r');
    const kept = openSync(`/proc/${other}/stat`, 'r');
    child.kill('SIGKILL');
    await once(child, 'exit');
    closeLeaksLater([gone], 0);
    await expect.poll(() => target(leaked)).not.toBe(`/proc/${gone}/stat`);
    expect(target(kept)).toBe(`/proc/${other}/stat`);
    closeLeaksLater([other], 0);
    await expect.poll(() => target(kept)).not.toBe(`/proc/${other}/stat`);
  },
);
