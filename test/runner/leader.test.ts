import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { diedUnbegun, startLeader } from '../../src/runner/leader.ts';

let parent: ChildProcess | null = null;
afterEach(async () => {
  if (parent === null || parent.exitCode !== null || parent.signalCode !== null) return;
  parent.kill('SIGKILL');
  await once(parent, 'exit');
});

/** A child that has ended, of a process that will not take note of it: as it is right after a spawn. */
async function ended(child: string): Promise<number> {
  const script = `exec 3<&0; ${child} <&3 >/dev/null & echo $!; exec sleep 60 <&- 3<&-`;
  parent = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const { pid = 0, stdin, stdout } = parent;
  if (stdin === null || stdout === null) throw new Error('no pipes');
  const [line] = await once(createInterface(stdout), 'line');
  await expect.poll(() => readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('sleep\n');
  stdin.end();
  const dead = Number(line);
  await expect.poll(() => readFileSync(`/proc/${dead}/stat`, 'utf8')).toContain(') Z ');
  return dead;
}

describe.skipIf(!existsSync('/proc/self/stat'))('a child that has died before its program began', () => {
  it('is told from one whose program ran, and from what lives or never was', async () => {
    expect(diedUnbegun(await ended('(read -r _)'))).toBe(true);
    parent?.kill('SIGKILL');
    expect(diedUnbegun(await ended('cat'))).toBe(false);
    expect(diedUnbegun(process.pid)).toBe(false);
    expect(diedUnbegun(2 ** 22 + 1)).toBe(false);
  });
});

describe('starting a leader', () => {
  const fake = (pid: number | undefined): ChildProcess =>
    Object.assign(new EventEmitter(), { pid }) as unknown as ChildProcess; // nothing else of it is asked for
  const start = (pids: (number | undefined)[], dead: readonly number[]) => {
    const begun = pids.map(fake);
    let next = 0;
    const child = startLeader(
      () => begun[next++] ?? fake(0),
      (pid) => dead.includes(pid),
    );
    return { pid: child.pid, tries: next };
  };

  it('begins anew what a signal to our group has ended before it began, and nothing else', () => {
    expect(start([11, 12, 13], [11, 12])).toEqual({ pid: 13, tries: 3 });
    expect(start([11, 12], [])).toEqual({ pid: 11, tries: 1 });
  });

  it('leaves it at twenty tries, and at one where nothing could be begun', () => {
    const pids = Array.from({ length: 25 }, (_, n) => n + 1);
    expect(start(pids, pids)).toEqual({ pid: 20, tries: 20 });
    expect(start([undefined, 2], [2])).toEqual({ pid: undefined, tries: 1 });
  });
});
