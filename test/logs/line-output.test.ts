/** Output line by line: each line once, whole, with its time and what it is of, whatever comes between. */
import { existsSync, readdirSync, readFileSync, rmSync, write, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { run } from '../../src/base/ids.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { filesOf } from './put-aside.ts';
import { canCarry, dice, ID, type Scene, until, useScene } from './rig.ts';
import { undressed } from './undress.ts';

const leaks = useLeakCheck();
const scene = useScene(leaks);
const TIMES = { timestamps: true } as const;
const LINES_OF_JSON = { format: 'json' } as const;

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
/** Without the times. */
const linesOf = (path: string): string => textOf(path).replaceAll(/^\d{4}-\S+Z /gm, 'T ');
const jsonOf = (path: string): { run: number; stream: string; message: string; partial?: boolean }[] =>
  textOf(path)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** By a thread of its own, which waits while the pipe is full. */
const writeOn = promisify(write);
async function writeAll(descriptor: number, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await writeOn(descriptor, bytes, at, bytes.length - at, null);
    at += bytesWritten;
  }
}

const LAST = Buffer.from('\nthe last of all\n');

async function sayLast(stdout: number, written: Buffer[]): Promise<void> {
  written.push(LAST);
  await writeAll(stdout, LAST);
}

const untilLast = (s: Scene): Promise<void> =>
  until('the last of all', () => existsSync(s.log) && readFileSync(s.log).includes('the last of all'));

const spoolsOf = (s: Scene): string[] => readdirSync(s.fifos).filter((name) => name.endsWith('.spool'));

describe.skipIf(!canCarry)('lines with times', () => {
  test('are there by themselves; one that has no end is held until it has', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: TIMES });
    writeSync(stdout, 'one\ntw');
    await until('a line', () => linesOf(s.log) === 'T one\n');
    writeSync(stdout, 'o\nthree');
    await until('another', () => linesOf(s.log) === 'T one\nT two\n');
    close();
    await s.over();
    expect(linesOf(s.log)).toBe('T one\nT two\nT three\n');
  });

  test('have the time at which they came', async () => {
    const s = scene();
    const before = Date.now();
    await s.write('one\n', s.log, { logging: TIMES });
    const time = Date.parse(textOf(s.log).slice(0, 24));
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  test('of a program that ends are there when its end is told, its last word included', async () => {
    const s = scene();
    for (let i = 0; i < 10; i++) await s.write(`word ${i}`, s.log, { run: run(i), logging: TIMES });
    expect(linesOf(s.log)).toBe(Array.from({ length: 10 }, (_, i) => `T word ${i}\n`).join(''));
  });

  test('wait for nobody who has not ended them: others of the same program go on after its end', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: TIMES });
    writeSync(stdout, 'first half, ');
    await s.over();
    writeSync(stdout, 'second half\n');
    await until('the second half', () => linesOf(s.log) === 'T first half, \nT second half\n');
    close();
  });

  test('are begun and ended while programs run: within a line nothing changes', async () => {
    const s = scene();
    const { stdout, close } = s.open();
    writeSync(stdout, 'one\ntw');
    await until('bytes', () => textOf(s.log) === 'one\ntw');
    s.follow(TIMES);
    writeSync(stdout, 'o\nthree\nfo');
    await until('a time', () => linesOf(s.log) === 'one\ntwo\nT three\n');
    s.follow({});
    writeSync(stdout, 'ur\n');
    await until('none', () => linesOf(s.log) === 'one\ntwo\nT three\nfour\n');
    expect(spoolsOf(s)).toEqual([]);
    writeSync(stdout, 'fi');
    await until('bytes as they are', () => linesOf(s.log) === 'one\ntwo\nT three\nfour\nfi');
    close();
  });

  test('that the daemon has left are written by the next one as they were begun, and what is held is held', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: TIMES });
    writeSync(stdout, 'one\ntw');
    await until('a line', () => linesOf(s.log) === 'T one\n');
    s.close();
    writeSync(stdout, 'o\nthree\n');
    s.adopt({ stdout: s.log, stderr: s.log });
    await until('the others', () => linesOf(s.log) === 'T one\nT two\nT three\n');
    close();
  });

  test('leave nothing behind when their instance goes', async () => {
    const s = scene();
    await s.write('one\n', s.log, { logging: TIMES });
    expect(spoolsOf(s)).toEqual([`${ID}.out.spool`]);
    s.captures.dismiss(ID);
    await until('its end', () => readdirSync(s.fifos).length === 0);
  });

  test('that were held by a stream which is there no more are written by the next daemon', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: TIMES });
    writeSync(stdout, 'one\ntw');
    await until('a line', () => linesOf(s.log) === 'T one\n');
    s.close();
    close();
    for (const end of ['', '.to']) {
      const path = join(s.fifos, `${ID}.out${end}`);
      rmSync(path);
    }
    s.captures.drain();
    expect(linesOf(s.log)).toBe('T one\nT tw\n');
    expect(spoolsOf(s)).toEqual([]);
  });
});

describe.skipIf(!canCarry)('lines of JSON', () => {
  test('say which run they are of, and which stream, also where both go to one file', async () => {
    const s = scene();
    const { stdout, stderr, close } = s.open(s.log, { run: run(17), logging: LINES_OF_JSON });
    writeSync(stdout, 'out\n');
    await until('a line', () => jsonOf(s.log).length === 1);
    writeSync(stderr, 'err');
    close();
    await s.over(run(17));
    expect(jsonOf(s.log).map(({ run, stream, message }) => [run, stream, message])).toEqual([
      [17, 'stdout', 'out'],
      [17, 'stderr', 'err'],
    ]);
  });

  test('of the next run are of that, and what the last one left is of the last one', async () => {
    const s = scene();
    const first = s.open(s.log, { run: run(1), logging: LINES_OF_JSON });
    writeSync(first.stdout, 'first\n');
    const second = s.open(s.log, { run: run(2), logging: LINES_OF_JSON });
    writeSync(second.stdout, 'second\n');
    first.close();
    second.close();
    await s.over(run(2));
    expect(jsonOf(s.log).map(({ run, message }) => [run, message])).toEqual([
      [1, 'first'],
      [2, 'second'],
    ]);
  });

  test('come with a run, and go with one; a stream that is another no more leaves nothing', async () => {
    const s = scene();
    await s.write('raw', s.log, { run: run(1) });
    await s.write('json\n', s.log, { run: run(2), logging: LINES_OF_JSON });
    await s.write('raw\n', s.log, { run: run(3) });
    expect(textOf(s.log)).toMatch(
      /^raw\n?\{"time":"[^"]*","instance":"worker:0","run":2,.*"message":"json"\}\nraw\n$/,
    );
    await until('the end of the other', () => readdirSync(s.fifos).every((name) => !name.includes('.err')));
    expect(spoolsOf(s)).toEqual([]);
  });
});

describe.skipIf(!canCarry)('any bytes in any portions', () => {
  test.each([
    ['with times', TIMES],
    ['as JSON', LINES_OF_JSON],
  ])('are lines that give them back: %s', async (_, logging) => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    const random = dice(seed);
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging });
    const written: Buffer[] = [];
    // What JSON cannot hold is the format's own test.
    const byte = (): number => (random(50) === 0 ? 10 : random(logging === TIMES ? 256 : 128));
    for (let i = 0; i < 60; i++) {
      const most = [1, 100, 5000, 70_000, 1_000_000][random(5)] ?? 1;
      const chunk = Buffer.from(Array.from({ length: random(most + 1) % 200_000 }, byte));
      written.push(chunk);
      await writeAll(stdout, chunk);
      if (random(8) === 0) s.captures.drain();
    }
    await sayLast(stdout, written);
    close();
    await untilLast(s);
    expect(givenBy(s, logging).equals(Buffer.concat(written)), `seed ${seed}`).toBe(true);
  });
});

const givenBy = (s: Scene, format: object): Buffer =>
  undressed(Buffer.concat(filesOf(s.log)), 'format' in format ? 'json' : 'raw');

describe.skipIf(!canCarry)('files of lines that are full', () => {
  test.each([
    ['with times', TIMES],
    ['as JSON', LINES_OF_JSON],
  ])('end with a line, however long it is, and all lines are in one of them: %s', async (_, format) => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    const random = dice(seed);
    const s = scene();
    const written: Buffer[] = [];
    const { stdout, close } = s.open(s.log, {
      logging: { ...format, maxBytes: 20_000 + random(50_000), keep: 1000 },
    });
    for (let i = 0; i < 40; i++) {
      const text = Buffer.alloc(random(random(10) === 0 ? 200_000 : 2000), 'some words\n and more ');
      written.push(text);
      await writeAll(stdout, text);
      s.follow({ ...format, maxBytes: 20_000 + random(50_000), keep: 1000 });
      s.captures.drain();
    }
    await sayLast(stdout, written);
    close();
    // A disk that takes its time is not waited for without end.
    await untilLast(s);
    const files = filesOf(s.log);
    expect(files.length, `seed ${seed}`).toBeGreaterThan(3);
    for (const file of files) expect(file.at(-1)).toBe(10);
    expect(givenBy(s, format).equals(Buffer.concat(written)), `seed ${seed}`).toBe(true);
  });

  test('have so many lines as fit, and the one that goes beyond', async () => {
    const s = scene();
    const { stdout, stderr, close } = s.open(s.log, { logging: { ...LINES_OF_JSON, maxBytes: 200 } });
    writeSync(stdout, 'one\ntwo\nthree\n');
    await until('lines', () => filesOf(s.log).length === 2);
    writeSync(stderr, 'four\nfive\n');
    await until('more', () => filesOf(s.log).length === 3);
    const messages = filesOf(s.log).map((file) => String(file).match(/"message":"\w+"/g)?.length);
    expect(messages).toEqual([2, 2, 1]);
    close();
  });
});
