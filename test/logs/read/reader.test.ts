/** Reading on in a log that is rotated, compressed, cut short and replaced meanwhile: each line once. */
import { readFileSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LINE_BYTES } from '../../../src/logs/read/cutter.ts';
import { useLeakCheck } from '../../rig/leaks.ts';
import { dice } from '../rig.ts';
import { rest, texts, useLogs } from './rig.ts';

useLeakCheck();
const newLog = useLogs();
const FROM_NOW = { lines: 0 };
const FOLLOW = { follow: true };

test('what is added is read in whole lines', async () => {
  const log = newLog();
  log.write('old\n');
  const reader = await log.reader(FROM_NOW, FOLLOW);
  expect(await texts(reader)).toEqual([]);
  log.write('new\nha');
  expect(await texts(reader)).toEqual(['new']);
  log.write('lf\n');
  expect(await texts(reader)).toEqual(['half']);
  log.write('no end');
  expect(await texts(reader)).toEqual([]);
  expect(reader.rest()?.bytes.toString()).toBe('no end');
});

test('a file that is yet to be made is read from its beginning', async () => {
  const log = newLog();
  const reader = await log.reader(FROM_NOW, FOLLOW);
  expect(await texts(reader)).toEqual([]);
  log.write('first\n');
  expect(await texts(reader)).toEqual(['first']);
});

test('several rotations between two looks, some compressed, lose nothing', async () => {
  const log = newLog();
  const reader = await log.reader(FROM_NOW, FOLLOW);
  log.write('a\n');
  expect(await texts(reader)).toEqual(['a']);
  log.write('b\n');
  for (const line of ['c', 'd', 'e', 'f']) {
    log.rotate();
    log.write(`${line}\n`);
  }
  for (const number of [4, 3, 1]) log.compress(number);
  expect(await texts(reader)).toEqual(['b', 'c', 'd', 'e', 'f']);
});

test('files of one length that were written in the same moment are told apart when they are compressed', async () => {
  const log = newLog();
  const reader = await log.reader(FROM_NOW, FOLLOW);
  log.write('a\n');
  expect(await texts(reader)).toEqual(['a']);
  for (const line of ['b', 'c', 'd']) {
    log.rotate();
    log.write(`${line}\n`);
  }
  for (const number of [1, 2, 3]) utimesSync(`${log.path}.${number}`, 1e9, 1e9);
  for (const number of [3, 2, 1]) log.compress(number);
  expect(await texts(reader)).toEqual(['b', 'c', 'd']);
});

test('what is still written to a file that was moved away is read before what takes its place', async () => {
  const log = newLog();
  const reader = await log.reader(FROM_NOW, FOLLOW);
  log.write('a\n');
  expect(await texts(reader)).toEqual(['a']);
  renameSync(log.path, `${log.path}.1`);
  expect(await texts(reader)).toEqual([]);
  writeFileSync(`${log.path}.1`, 'late\n', { flag: 'a' });
  writeFileSync(log.path, ''); // as logrotate does, before it tells whoever writes
  expect(await texts(reader)).toEqual(['late']);
  writeFileSync(`${log.path}.1`, 'later\n', { flag: 'a' });
  expect(await texts(reader)).toEqual(['later']);
  writeFileSync(`${log.path}.1`, 'last\n', { flag: 'a' });
  log.write('new\n');
  expect(await texts(reader)).toEqual(['last', 'new']);
});

test('a line that goes on in the next file is one', async () => {
  const log = newLog();
  const reader = await log.reader(FROM_NOW, FOLLOW);
  log.write('first ha');
  await texts(reader);
  log.rotate();
  log.write('lf\n');
  expect(await texts(reader)).toEqual(['first half']);
});

test('files that went before they were read are said to be missing', async () => {
  const log = newLog();
  const missed: string[] = [];
  const reader = await log.reader(FROM_NOW, { ...FOLLOW, missed: () => void missed.push(log.path) });
  log.write('a\n');
  await texts(reader);
  for (let number = 0; number < 6; number += 1) {
    log.rotate(2);
    log.write(`${number}\n`);
  }
  expect(await texts(reader)).toEqual(['3', '4', '5']);
  expect(missed.length).toBe(1);
});

test('a file that is cut short is read from its beginning, one that is removed and made anew, too', async () => {
  const log = newLog();
  log.write('a rather long line\n');
  const reader = await log.reader(FROM_NOW, FOLLOW);
  truncateSync(log.path);
  log.write('short\n');
  expect(await texts(reader)).toEqual(['short']);
  rmSync(log.path);
  expect(await texts(reader)).toEqual([]);
  log.write('new\n');
  expect(await texts(reader)).toEqual(['new']);
});

test('what a dead daemon has written half, and the next one cuts off and writes again, is read once', async () => {
  const log = newLog();
  const head = '2026-11-23T20:30:00.123Z a line of the first\n'.repeat(3);
  log.write(head);
  const reader = await log.reader(FROM_NOW, { ...FOLLOW, isRewritten: true });
  log.write('2026-11-23T20:30:01.123Z one\n2026-11');
  expect((await texts(reader)).length).toBe(1);
  truncateSync(log.path, head.length);
  expect(await texts(reader)).toEqual([]);
  log.write('2026-11-23T20:30:01.123Z one\n2026-11-23T20:30:02.123Z two\n');
  expect(await texts(reader)).toEqual(['2026-11-23T20:30:02.123Z two']);
});

test('a very long line comes in parts, none of which tears a character', async () => {
  const log = newLog();
  const reader = await log.reader(FROM_NOW, FOLLOW);
  const text = 'xü€😀'.repeat(300_000);
  log.write(`${text}\nnext\n`);
  const lines = await rest(reader);
  const parts = lines.slice(0, -1).map(({ bytes }) => bytes);
  expect(Buffer.concat(parts).toString()).toBe(text);
  expect(parts.map(String).join('')).toBe(text);
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(LINE_BYTES * 1.1);
  expect(lines.map(({ isTorn }) => isTorn)).toEqual([...parts.slice(1).map(() => true), false, false]);
  expect(lines.map(({ isRest }) => isRest)).toEqual([false, ...parts.slice(1).map(() => true), false]);
});

test('bytes that are no text are what they were', async () => {
  const log = newLog();
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256)).filter(
    (byte) => byte !== 10,
  );
  log.write(Buffer.concat([bytes, Buffer.from('\n')]));
  const [line] = await rest(await log.reader());
  expect(line?.bytes.equals(bytes)).toBe(true);
});

test('random writing, rotating, compressing and looking: each line once, in order', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  const roll = dice(seed);
  for (let round = 0; round < 15; round += 1) {
    const log = newLog();
    const reader = await log.reader(FROM_NOW, FOLLOW);
    const [written, seen]: [string[], string[]] = [[], []];
    let pending = '';
    for (let step = 0; step < 150; step += 1) {
      const what = roll(10);
      if (what < 5) {
        const line = `${written.length} ${'y'.repeat(roll(8) === 0 ? roll(100_000) : roll(80))}`;
        written.push(line);
        const text = `${pending}${line}\n`;
        const cut = roll(text.length + 1);
        log.write(text.slice(0, cut));
        pending = text.slice(cut);
      } else if (what === 5 && readFileSync(log.path, { flag: 'a+' }).length > 0) {
        log.rotate();
        log.write('');
      } else if (what === 6) log.compress(1 + roll(4));
      else if (what === 7) seen.push(...(await texts(reader)));
    }
    log.write(pending);
    seen.push(...(await texts(reader)));
    expect(seen, `SEED=${seed}, round ${round}`).toEqual(written);
  }
}, 30_000);
