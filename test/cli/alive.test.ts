import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../src/cli/alive.ts';

let parent: ChildProcess | null = null;

afterEach(async () => {
  if (parent === null || parent.exitCode !== null || parent.signalCode !== null) return;
  parent.kill('SIGKILL');
  await once(parent, 'exit');
});

/** A process that has ended, below one that is no shell any more and will never ask for its exit status. */
async function zombie(): Promise<number> {
  const script = 'exec 3<&0; cat <&3 >/dev/null & echo $!; exec sleep 60 <&- 3<&-';
  parent = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const { pid = 0, stdin, stdout } = parent;
  if (stdin === null || stdout === null) throw new Error('no pipes');
  const [child] = await once(createInterface(stdout), 'line');
  await expect.poll(() => readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('sleep\n');
  stdin.end(); // now it ends
  return Number(child);
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
