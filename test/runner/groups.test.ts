import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hasLiving } from '../../src/runner/groups.ts';

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'tv-groups-'));
});
afterEach(() => rmSync(proc, { recursive: true, force: true }));

function aProcess(pid: number, state: string, group: number, name = 'job'): void {
  mkdirSync(join(proc, String(pid)));
  writeFileSync(join(proc, String(pid), 'stat'), `${pid} (${name}) ${state} 1 ${group} ${group} 0 -1\n`);
}

it('a group lives for as long as one of it does, its leader or another', () => {
  aProcess(50, 'S', 50);
  expect(hasLiving(50, proc)).toBe(true);
  aProcess(61, 'S', 60, ') Z 1 50 (');
  expect(hasLiving(60, proc)).toBe(true);
  expect(hasLiving(61, proc)).toBe(false);
});

it('a group of zombies does not: nobody may ever reap them', () => {
  aProcess(50, 'Z', 50);
  aProcess(51, 'X', 50);
  expect(hasLiving(50, proc)).toBe(false);
});

it.each(['an empty folder', 'nothing'])(
  'a group counts as living where /proc is %s: nobody could know',
  (what) => {
    if (what === 'nothing') rmSync(proc, { recursive: true });
    expect(hasLiving(50, proc)).toBe(true);
  },
);
