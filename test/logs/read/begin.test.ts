/** Where the reading of a log begins and ends, over rotated and compressed files. */
import { truncateSync, utimesSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Sieve } from '../../../src/logs/read/scan.ts';
import { useLeakCheck } from '../../rig/leaks.ts';
import { dice } from '../rig.ts';
import { type Log, texts, useLogs } from './rig.ts';

useLeakCheck();
const newLog = useLogs();

const T = Date.UTC(2026, 10, 23, 20);
const at = (second: number): string => new Date(T + second * 1000).toISOString();

/** Line 0 to 29, a second each: the oldest ten compressed, the newest ten in the file itself. */
function thirty(): Log {
  const log = newLog();
  for (let second = 0; second < 30; second += 1) {
    if (second === 10 || second === 20) log.rotate();
    log.write(`${at(second)} line ${second}\n`);
  }
  log.compress(2);
  return log;
}

const numbers = (lines: readonly string[]): number[] => lines.map((line) => Number(line.split(' ').at(-1)));
const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
const isOdd = (line: string): boolean => /[13579]$/.test(line);
const odd: Sieve = (lines) => lines.map((line) => isOdd(line.toString()));

describe('over rotated files', () => {
  test('all of it, from the oldest on', async () => {
    expect(numbers(await thirty().lines())).toEqual(range(0, 30));
  });

  test.each([0, 1, 9, 10, 11, 20, 21, 29, 30, 31])('the last %d lines', async (lines) => {
    expect(numbers(await thirty().lines({ lines }))).toEqual(range(Math.max(0, 30 - lines), 30));
  });

  test.each([-5, 0, 5, 10, 15, 20, 29, 30])('since second %d', async (since) => {
    expect(numbers(await thirty().lines({ since: T + since * 1000 }))).toEqual(range(Math.max(0, since), 30));
  });

  test.each([-1, 0, 5, 9, 10, 19, 20, 40])('until second %d', async (until) => {
    expect(numbers(await thirty().lines({ until: T + until * 1000 }))).toEqual(
      range(0, Math.min(30, until + 1)),
    );
  });

  test('within two times, and the last of these', async () => {
    const wish = { since: T + 5000, until: T + 14_000 };
    expect(numbers(await thirty().lines(wish))).toEqual(range(5, 15));
    expect(numbers(await thirty().lines({ ...wish, lines: 7 }))).toEqual(range(8, 15));
    expect(numbers(await thirty().lines({ ...wish, lines: 50 }))).toEqual(range(5, 15));
    expect(await thirty().lines({ since: T + 15_000, until: T + 14_000 })).toEqual([]);
  });

  test('the last of those that are meant', async () => {
    expect(numbers(await thirty().lines({ lines: 3, sieve: odd }))).toEqual([25, 27, 29]);
    expect(numbers(await thirty().lines({ lines: 12, sieve: odd }))).toEqual(
      range(3, 15).map((each) => each * 2 + 1),
    );
    expect(numbers(await thirty().lines({ lines: 50, sieve: odd })).length).toBe(15);
  });

  test('what is written or rotated after the beginning is not shown', async () => {
    const log = thirty();
    const reader = await log.reader({ lines: 25 });
    log.write('later\n');
    log.rotate();
    log.write('much later\n');
    expect(numbers(await texts(reader))).toEqual(range(5, 30));
  });
});

test('a line without a time belongs to the one before it', async () => {
  const log = newLog();
  log.write(`${at(0)} a\n  at a.js:1\n${at(5)} b\n  at b.js:1\n${at(9)} c`);
  expect(await log.lines({ since: T + 1000 })).toEqual([`${at(5)} b`, '  at b.js:1', `${at(9)} c`]);
  expect(await log.lines({ until: T + 8000 })).toEqual([
    `${at(0)} a`,
    '  at a.js:1',
    `${at(5)} b`,
    '  at b.js:1',
  ]);
});

test('where no line has a time, its file has one', async () => {
  const log = newLog();
  log.write('a\n');
  log.rotate();
  log.write('b\n');
  utimesSync(`${log.path}.1`, T / 1000, T / 1000);
  utimesSync(log.path, T / 1000 + 60, T / 1000 + 60);
  expect(await log.lines({ since: T + 1000 })).toEqual(['b']);
  expect(await log.lines({ since: T - 1000 })).toEqual(['a', 'b']);
  expect(await log.lines({ since: T + 61_000 })).toEqual([]);
  expect(await log.lines({ until: T + 1000 })).toEqual(['a']);
});

test('nothing, an empty file and one that was moved away', async () => {
  const log = newLog();
  expect(await log.lines({ lines: 10 })).toEqual([]);
  log.write('');
  expect(await log.lines({ lines: 10 })).toEqual([]);
  log.write('a\nb');
  log.rotate();
  expect(await log.lines({ lines: 10 })).toEqual(['a', 'b']);
});

test('a damaged compressed file does not hide the others', async () => {
  const log = thirty();
  truncateSync(`${log.path}.2.gz`, 20);
  expect(numbers((await log.lines()).slice(-20))).toEqual(range(10, 30));
});

test('of random logs the same as by reading all of them', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  const roll = dice(seed);
  for (let round = 0; round < 12; round += 1) {
    const log = newLog();
    const model: { line: string; time: number }[] = [];
    let time = T;
    let [rotations, hasTime] = [0, false];
    const count = 1 + roll(400);
    for (let number = 0; number < count; number += 1) {
      time += roll(3) * 1000;
      const own = number === 0 || roll(4) > 0;
      const length = roll(30) === 0 ? roll(400_000) : roll(50);
      const line = `${own ? `${new Date(time).toISOString()} ` : '  '}${'x'.repeat(length)} ${number}`;
      model.push({ line, time: own ? time : (model.at(-1)?.time ?? 0) });
      log.write(`${line}\n`);
      hasTime ||= own;
      // A file in which no line has a time is chosen by its date.
      if (roll(60) > 0 || !hasTime) continue;
      hasTime = false;
      log.rotate();
      rotations += 1;
    }
    if (!hasTime && rotations > 0) {
      model.push({ line: `${new Date(time).toISOString()} last`, time });
      log.write(`${model.at(-1)?.line}\n`);
    }
    for (let number = 1; number <= rotations; number += 1) if (roll(3) > 0) log.compress(number);
    const said = `SEED=${seed}, round ${round}`;
    const lines = 1 + roll(count + 5);
    expect(await log.lines({ lines }), said).toEqual(model.slice(-lines).map(({ line }) => line));
    const since = T + roll(count) * 1000;
    const until = since + roll(count) * 1000;
    const meant = model.filter((each) => each.time >= since && each.time <= until).map(({ line }) => line);
    expect(await log.lines({ since, until }), said).toEqual(meant);
    const some = meant.filter(isOdd).slice(-5);
    expect(await log.lines({ since, until, sieve: odd, lines: 5 }), said).toEqual(some);
  }
}, 30_000);
