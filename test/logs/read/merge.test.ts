/** Lines of several logs in the order of their times. */
import { expect, test } from 'vitest';
import { merge } from '../../../src/logs/read/merge.ts';
import type { Reader } from '../../../src/logs/read/reader.ts';
import { useLeakCheck } from '../../rig/leaks.ts';
import { dice } from '../rig.ts';
import { useLogs } from './rig.ts';

useLeakCheck();
const newLog = useLogs();
const T = Date.UTC(2026, 10, 23, 20);
const at = (ms: number): string => new Date(T + ms).toISOString();

async function merged(readers: readonly Reader[]): Promise<string[]> {
  const lines: string[] = [];
  await merge(
    readers,
    (_, some) => void lines.push(...some.map(({ bytes }) => bytes.toString())),
    (_, error) => {
      throw error;
    },
  );
  return lines;
}

test('by time, over rotated and compressed files, and what has none after what it follows', async () => {
  const [one, other] = [newLog(), newLog()];
  one.write(`${at(1)} a\n  of a\n${at(4)} b\n`);
  one.rotate();
  one.compress(1);
  one.write(`${at(6)} c\n`);
  other.write(`  lead\n${at(2)} x\n${at(4)} y\n  of y\n${at(7)} z\n`);
  const lines = await merged([await one.reader(), await other.reader()]);
  expect(lines.map((line) => line.split(' ').slice(1).join(' ').trim())).toEqual([
    'a',
    'of a',
    'lead',
    'x',
    'b',
    'y',
    'of y',
    'c',
    'z',
  ]);
});

test('what came between two looks is merged, too', async () => {
  const logs = [newLog(), newLog()];
  const readers = await Promise.all(logs.map((log) => log.reader({ lines: 0 }, { follow: true })));
  expect(await merged(readers)).toEqual([]);
  logs[1]?.write(`${at(2)} second\n`);
  logs[0]?.write(`${at(1)} first\n${at(3)} third\n`);
  expect((await merged(readers)).map((line) => line.slice(25))).toEqual(['first', 'second', 'third']);
});

test('a very long line is not interrupted', async () => {
  const [one, other] = [newLog(), newLog()];
  one.write(`${at(1)} ${'x'.repeat(3_000_000)}\n`);
  other.write(`${at(1)} short\n`);
  const lines = await merged([await one.reader(), await other.reader()]);
  expect(lines.length).toBeGreaterThan(3);
  expect(lines.at(-1)).toBe(`${at(1)} short`);
});

test('random logs, as if they were sorted', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  const roll = dice(seed);
  const logs = Array.from({ length: 6 }, newLog);
  const all: { time: number; line: string; log: number }[] = [];
  for (const [number, log] of logs.entries()) {
    let time = 0;
    for (let count = 0; count < 3000; count += 1) {
      time += roll(5);
      const line = `${at(time)} ${number}:${count}`;
      all.push({ time, line, log: number });
    }
    log.write(
      all
        .filter((each) => each.log === number)
        .map(({ line }) => `${line}\n`)
        .join(''),
    );
  }
  const lines = await merged(await Promise.all(logs.map((log) => log.reader())));
  const sorted = all.toSorted((a, b) => a.time - b.time || a.log - b.log).map(({ line }) => line);
  expect(lines, `SEED=${seed}`).toEqual(sorted);
});
