import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../src/cli/alive.ts';

let parent: ChildProcess | null = null;

afterEach(async () => {
  if (parent === null || parent.exitCode !== null || parent.signalCode !== null) return;
  parent.kill('SIGKILL');
  await once(parent, 'exit');
});

/** A process that has ended, below one that will never ask for its exit status. */
async function zombie(): Promise<number> {
  const script = 'sh -c "exit 0" & echo $!; exec sleep 60';
  parent = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  if (parent.stdout === null) throw new Error('no stdout');
  const [pid] = await once(createInterface(parent.stdout), 'line');
  return Number(pid);
}

describe('whether a process lives', () => {
  it('says so of this one, and of one that is not ours to signal', () => {
    expect(isAlive(process.pid)).toBe(true);
    expect(isAlive(1)).toBe(true);
  });

  it('says no of one that never was', () => {
    expect(isAlive(2 ** 22 + 1)).toBe(false);
  });

  it.skipIf(!existsSync('/proc/self/stat'))(
    'says no of one that has ended and that nobody reaps: signals still find it',
    async () => {
      const pid = await zombie();
      await expect.poll(() => isAlive(pid)).toBe(false);
      expect(() => process.kill(pid, 0)).not.toThrow();
    },
  );
});
