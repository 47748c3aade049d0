/** A process is looked into once, and again only when its number may be another's. */
import { expect, test } from 'vitest';
import { run } from '../../src/base/ids.ts';
import { type Allocation, Unmarked } from '../../src/os/unmarked.ts';

/** One scan after another; each says where the system stands and which of the processes 10 and 900 were looked into. */
function scans(...stands: (Allocation | null)[]): number[][] {
  let at = -1;
  const unmarked = new Unmarked(() => stands[at] ?? null, 1000);
  return stands.map(() => {
    at++;
    unmarked.beginScan();
    const read: number[] = [];
    for (const pid of [10, 900]) unmarked.unless(pid, pid, () => look(pid, read));
    return read;
  });
}

test('what is known to bear no mark is not looked into again', () => {
  expect(scans({ last: 950, forks: 0 }, { last: 960, forks: 10 }, { last: 960, forks: 10 })).toEqual([
    [10, 900],
    [],
    [],
  ]);
});

test('a number that has been given out since is looked into again', () => {
  expect(scans({ last: 800, forks: 0 }, { last: 900, forks: 100 })[1]).toEqual([900]);
  expect(scans({ last: 950, forks: 0 }, { last: 10, forks: 60 })[1]).toEqual([10]);
  expect(scans({ last: 950, forks: 0 }, { last: 9, forks: 59 })[1]).toEqual([]);
});

test('once the numbers may have gone round, nothing is known', () => {
  expect(scans({ last: 950, forks: 0 }, { last: 950, forks: 1000 })[1]).toEqual([10, 900]);
  expect(scans({ last: 950, forks: 0 }, null, { last: 950, forks: 0 })).toEqual([
    [10, 900],
    [10, 900],
    [10, 900],
  ]);
});

test('another session is another process, and one that bears the mark is asked each time', () => {
  const unmarked = new Unmarked(() => ({ last: 5, forks: 5 }), 1000);
  unmarked.beginScan();
  expect(unmarked.unless(10, 10, () => null)).toBeNull();
  expect(unmarked.unless(10, 11, () => run(7))).toBe(7);
  unmarked.beginScan();
  expect(unmarked.unless(10, 11, () => run(7))).toBe(7);
});

function look(pid: number, read: number[]): null {
  read.push(pid);
  return null;
}
