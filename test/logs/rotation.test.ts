/** Logs that are put aside when they are full or old: at the ends of lines, with every byte in one file, once. */
import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  write,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { useLeakCheck } from '../rig/leaks.ts';
import { endsOf, filesOf } from './put-aside.ts';
import { canCarry, dice, ID, type Scene, until, useScene } from './rig.ts';

const leaks = useLeakCheck();
const scene = useScene(leaks);
const LINE_BYTES = 64 * 1024;
const NEWLINE = 10;

/** By a thread of its own, which waits while the pipe is full. */
const writeOn = promisify(write);
async function writeAll(descriptor: number, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await writeOn(descriptor, bytes, at, bytes.length - at, null);
    at += bytesWritten;
  }
}

const sizesOf = (path: string): number[] => filesOf(path).map(({ length }) => length);
const textsOf = (path: string): string[] => filesOf(path).map(String);

/** Each is moved before the next one is written. */
async function say(s: Scene, stdout: number, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    writeSync(stdout, text);
    await s.drain();
  }
}

describe.skipIf(!canCarry)('a full file', () => {
  test('is put aside at the end of a line, and the next one begins with a line', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 10 } });
    await say(s, stdout, 'one\ntwo\nthree\nfour\n');
    expect(textsOf(s.log)).toEqual(['one\ntwo\nthree\n', 'four\n']);
    await say(s, stdout, 'fi', 've\nsix\nseven\neight\n');
    expect(textsOf(s.log)).toEqual(['one\ntwo\nthree\n', 'four\nfive\n', 'six\nseven\n', 'eight\n']);
    expect(endsOf(s.log)).toEqual(['', '.1', '.2', '.3']);
    close();
    await s.over();
  });

  test('stays what it is until there is more to be written', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 10 } });
    await say(s, stdout, '123456789\n');
    expect(endsOf(s.log)).toEqual(['']);
    await say(s, stdout, 'more\n');
    expect(textsOf(s.log)).toEqual(['123456789\n', 'more\n']);
    close();
    await s.over();
  });

  test('of which no line ends is cut, with all bytes in one or the other', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 1000 } });
    const binary = Buffer.alloc(150_000, 'x');
    await writeAll(stdout, binary);
    await s.drain();
    expect(sizesOf(s.log)).toEqual([1000 + LINE_BYTES, 1000 + LINE_BYTES, 150_000 - 2 * (1000 + LINE_BYTES)]);
    close();
    await s.over();
  });

  test('that was bigger already ends with its line all the same', async () => {
    const s = scene();
    writeFileSync(s.log, `${'x'.repeat(300_000)}\nbegun, `);
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 1000 } });
    await say(s, stdout, 'ended\nnext\n');
    expect(textsOf(s.log)).toEqual([`${'x'.repeat(300_000)}\nbegun, ended\n`, 'next\n']);
    close();
    await s.over();
  });

  test('goes with the oldest where as many are kept as are to be', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 1, keep: 2 } });
    await say(s, stdout, 'a\n', 'b\n', 'c\n', 'd\n', 'e\n');
    expect(textsOf(s.log)).toEqual(['c\n', 'd\n', 'e\n']);
    await until('the oldest to be removed', () => endsOf(s.log).length === 3);
    // Fewer from now on.
    s.follow({ maxBytes: 1, keep: 1 });
    await say(s, stdout, 'f\n');
    await until('two to be removed', () => endsOf(s.log).length === 2);
    expect(textsOf(s.log)).toEqual(['e\n', 'f\n']);
    s.follow({ maxBytes: 1, keep: 0 });
    await say(s, stdout, 'g\n');
    await until('all to be removed', () => endsOf(s.log).length === 1);
    expect(textsOf(s.log)).toEqual(['g\n']);
    close();
    await s.over();
  });

  test('fills the first gap in the row, and leaves alone what lies behind that', async () => {
    const s = scene();
    for (const n of [2, 3, 5]) writeFileSync(`${s.log}.${n}`, `${n}\n`);
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 1 } });
    await say(s, stdout, 'a\n', 'b\n');
    expect(endsOf(s.log)).toEqual(['', '.1', '.2', '.3', '.5']);
    expect(readFileSync(`${s.log}.1`, 'utf8')).toBe('a\n');
    await say(s, stdout, 'c\n');
    expect(endsOf(s.log)).toEqual(['', '.1', '.2', '.3', '.4', '.5']);
    expect(textsOf(s.log)).toEqual(['5\n', '3\n', '2\n', 'a\n', 'b\n', 'c\n']);
    close();
    await s.over();
  });

  test('has a successor for whoever could read it', async () => {
    const s = scene();
    writeFileSync(s.log, 'old\n', { mode: 0o600 });
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 1 } });
    await say(s, stdout, 'new\n');
    expect(textsOf(s.log)).toEqual(['old\n', 'new\n']);
    expect(statSync(s.log).mode & 0o777).toBe(0o600);
    close();
    await s.over();
  });

  test('that cannot be put aside grows on, which is said once, until nobody wants it to be', async () => {
    const s = scene();
    const log = join(s.folder, 'x'.repeat(254)); // its name cannot be any longer
    const { stdout, close } = s.open(log, { logging: { maxBytes: 1 } });
    const why = `cannot put ${log} aside: name too long; it grows on until that is possible`;
    await say(s, stdout, 'a\n', 'b\n', 'c\n');
    expect([s.said, s.captures.warnings]).toEqual([[why], [why]]);
    expect(readFileSync(log, 'utf8')).toBe('a\nb\nc\n');
    s.follow({});
    await until('another try', () => {
      writeSync(stdout, 'd\n');
      s.captures.drain();
      return s.captures.warnings.length === 0;
    });
    expect(s.said).toEqual([why]);
    close();
    await s.over();
  });
});

describe.skipIf(!canCarry)('an old file', () => {
  test('is put aside with the next line, and one that is empty is not', async () => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: { maxAgeMs: 300 } });
    writeFileSync(s.log, '');
    await new Promise((resolve) => setTimeout(resolve, 400));
    await say(s, stdout, 'a\n');
    expect(textsOf(s.log)).toEqual(['a\n']);
    await say(s, stdout, 'b\n');
    await until('its age', () => Date.now() - statSync(s.log).mtimeMs > 400);
    expect(endsOf(s.log)).toEqual(['']);
    await say(s, stdout, 'c\n');
    expect(textsOf(s.log)).toEqual(['a\nb\n', 'c\n']);
    close();
    await s.over();
  });
});

describe.skipIf(!canCarry)('somebody’s wish', () => {
  test('puts a file aside, an empty one not, and one within a line when that has ended', async () => {
    const s = scene();
    for (const path of [s.log, '/dev/null'])
      expect(s.captures.rotate([{ ...s.aim(), path }])).toEqual([{ path, outcome: 'nothing', why: null }]);
    expect(existsSync(s.log)).toBe(false);
    const { stdout, close } = s.open();
    expect(s.rotate()).toEqual([{ path: s.log, outcome: 'nothing', why: null }]);
    writeSync(stdout, 'one\n'); // what is in the pipe was written before
    expect(s.rotate()).toEqual([{ path: s.log, outcome: 'done', why: null }]);
    writeSync(stdout, 'two ');
    expect(s.rotate()).toEqual([{ path: s.log, outcome: 'later', why: null }]);
    await say(s, stdout, 'words\nthree\nfour\n');
    expect(textsOf(s.log)).toEqual(['one\n', 'two words\n', 'three\nfour\n']);
    close();
    await s.over();
    s.captures.dismiss(ID);
    appendFileSync(s.log, 'no end'); // nobody is there who would go on with it
    expect(s.rotate()).toEqual([{ path: s.log, outcome: 'done', why: null }]);
  });

  test('to reopen it goes to what is there at once, as logrotate wants it', async () => {
    const s = scene();
    const { stdout, close } = s.open();
    await say(s, stdout, 'one\n');
    renameSync(s.log, `${s.log}.old`);
    writeSync(stdout, 'two\n');
    expect(s.captures.reopen([s.aim()])).toEqual([{ path: s.log, outcome: 'done', why: null }]);
    await say(s, stdout, 'three\n');
    expect(readFileSync(`${s.log}.old`, 'utf8')).toBe('one\ntwo\n');
    expect(readFileSync(s.log, 'utf8')).toBe('three\n');
    close();
    await s.over();
  });
});

function replace(log: string): void {
  renameSync(log, `${log}.elsewhere`);
  writeFileSync(log, '');
}

describe.skipIf(!canCarry)('what lies there meanwhile', () => {
  test.each([
    ['is removed', (log: string) => rmSync(log)],
    ['is moved away', (log: string) => renameSync(log, `${log}.elsewhere`)],
    ['is replaced', replace],
    ['is cut short', (log: string) => truncateSync(log)],
  ])('%s: what comes goes on, and is put aside in its turn', async (_, act) => {
    const s = scene();
    const { stdout, close } = s.open(s.log, { logging: { maxBytes: 10 } });
    await say(s, stdout, '123456789\n');
    act(s.log);
    await until('a look', () => {
      writeSync(stdout, 'a line\n');
      s.captures.drain();
      return existsSync(s.log) && statSync(s.log).size > 0 && existsSync(`${s.log}.1`);
    });
    expect(new Set(textsOf(s.log).join('').split('\n').filter(Boolean))).toEqual(new Set(['a line']));
    for (const text of textsOf(s.log).slice(0, -1)) expect(text).toBe('a line\na line\n');
    close();
    await s.over();
  });
});

describe.skipIf(!canCarry)('whatever is written', () => {
  test('is in one of the files, once and in order; each ends with its line', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    const random = dice(seed);
    const s = scene();
    const logging = { maxBytes: 1 + random(200_000), keep: 1000 };
    const { stdout, close } = s.open(s.log, { logging });
    const written: Buffer[] = [];
    for (let i = 0; i < 150; i++) {
      const most = [0, 10, 100, 5000, 60_000, 200_000][random(6)] ?? 0;
      const line = Buffer.from(Array.from({ length: random(most + 1) }, () => random(256)));
      for (let at = line.indexOf(NEWLINE); at >= 0; at = line.indexOf(NEWLINE, at)) line[at] = 0;
      const isEnded = i > 0 && random(10) > 0;
      const chunk = isEnded ? Buffer.concat([line, Buffer.from('\n')]) : line;
      written.push(chunk);
      for (let at = 0; at < chunk.length; ) {
        const to = at + 1 + random(chunk.length);
        await writeAll(stdout, chunk.subarray(at, to));
        at = to;
        if (random(4) === 0) await s.drain();
      }
      if (random(20) === 0) s.follow({ ...logging, maxBytes: 1 + random(200_000) });
      if (random(20) === 0) s.rotate({ keep: 1000 });
    }
    close();
    await s.over();
    const files = filesOf(s.log);
    expect(Buffer.concat(files).equals(Buffer.concat(written)), `seed ${seed}`).toBe(true);
    expect(files.length, `seed ${seed}`).toBeGreaterThan(3);
    for (const file of files.slice(0, -1)) {
      const lastLine = file.length - file.lastIndexOf(NEWLINE) - 1;
      expect(lastLine === 0 || lastLine >= LINE_BYTES, `seed ${seed}`).toBe(true);
    }
  });
});
