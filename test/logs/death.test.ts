/** The daemon may die at any moment, and be away for as long as it likes: no byte is lost, and none comes twice. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LogSettings } from '../../src/core/plan.ts';
import { bundle } from '../rig/bundle.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { endsOf, filesOf } from './put-aside.ts';
import { canCarry, dice, ID, type Scene, until, useScene } from './rig.ts';
import { undressed } from './undress.ts';

const leaks = useLeakCheck();
const scene = useScene(leaks);
const KILLS = Number(process.env.KILLS ?? 50);
let reader = '';

beforeAll(async () => {
  reader = await bundle('test/logs/reader.ts');
});

/** There when the promise says so. */
async function begin(
  s: Scene,
  more: readonly string[] = [],
  logging: Partial<LogSettings> = {},
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [reader, s.fifos, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, ...leaks.environment, LOGGING: JSON.stringify(logging) },
  });
  s.others.add(child.pid ?? 0);
  await within('a reader', new Promise((resolve) => child.stdout?.once('data', resolve)));
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await within('its end', gone);
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/**
 * Lines of many lengths, numbered, until `stop` is there: at about `rate` bytes a millisecond; 0: as fast as they go one
 * by one; without end: many at a time.
 */
const writer = (stop: string, rate: number): string[] => [
  process.execPath,
  '-e',
  `const fs = require('fs');
   let n = 0, sent = 0, text = '';
   const began = Date.now();
   const write = (text) => {
     const bytes = Buffer.from(text);
     for (let at = 0; at < bytes.length; ) at += fs.writeSync(1, bytes, at);
   };
   const turn = () => {
     do {
       const line = n++ + ' ' + 'x'.repeat(n * 7919 % 300) + '\\n';
       if (${rate} === Infinity) text += line;
       else write(line);
       sent += line.length;
     } while (${rate} === 0 ? n % 64 !== 0 : ${rate} === Infinity ? n % 2048 !== 0 : sent < (Date.now() - began) * ${rate});
     write(text);
     text = '';
     if (fs.existsSync(${JSON.stringify(stop)})) write('last ' + n + '\\n');
     else setTimeout(turn, ${rate === 0 || rate === Number.POSITIVE_INFINITY ? 0 : 1});
   };
   turn();`,
];

/** The first line that is not the next one; null: all of them are there, once and in order. */
function firstFault(text: Buffer): string | null {
  let n = 0;
  for (let from = 0; from < text.length; n++) {
    const to = text.indexOf(10, from);
    const line = text.toString('latin1', from, to < 0 ? text.length : to);
    if (line === `last ${n}`) return to === text.length - 1 ? null : 'something comes after the last line';
    if (line !== `${n} ${'x'.repeat(((n + 1) * 7919) % 300)}`) return `line ${n}: ${line}`;
    from = to < 0 ? text.length : to + 1;
  }
  return `the last line is missing, after ${n} lines`;
}

const statOf = (path: string): { readonly size: number; readonly ino: number } =>
  statSync(path, { throwIfNoEntry: false }) ?? { size: 0, ino: 0 };

/** Of a file that may be larger than a string can be, and not there for a moment. */
function endOf(path: string): string {
  if (!existsSync(path)) return ''; // put aside, and nothing has come since
  const end = Buffer.alloc(100);
  const file = openIfThere(path);
  if (file === null) return '';
  const length = readSync(file, end, 0, end.length, Math.max(0, statOf(path).size - end.length));
  closeSync(file);
  return end.toString('latin1', 0, length);
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    return null;
  }
}

describe.skipIf(!canCarry)('whoever is killed while it reads', () => {
  test.each<[string, number, Partial<LogSettings>, string?]>([
    ['as fast as it goes', 0, {}],
    ['in large pieces, through a second FIFO', Number.POSITIVE_INFINITY, {}, 'second'],
    [
      'in large pieces, through a second FIFO, with rotations',
      Number.POSITIVE_INFINITY,
      { maxBytes: 2_000_000, keep: 1000 },
      'second',
    ],
    ['2 MB a second', 2000, {}],
    ['as fast as it goes, with times', 0, { timestamps: true }],
    ['2 MB a second, with times', 2000, { timestamps: true }],
    ['as fast as it goes, as JSON', 0, { format: 'json' }],
    ['2 MB a second, as JSON', 2000, { format: 'json' }],
    ['as fast as it goes, with rotations', 0, { maxBytes: 500_000, keep: 1000 }],
    ['as fast as it goes, with times and rotations', 0, { timestamps: true, maxBytes: 500_000, keep: 1000 }],
    [
      'half a megabyte a second, as JSON with rotations',
      500,
      { format: 'json', maxBytes: 100_000, keep: 1000 },
    ],
  ])(
    'has written every byte once: %s',
    async (_, rate, logging, second) => {
      const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
      const random = dice(seed);
      const s = scene();
      const stop = join(s.folder, 'stop');
      let child = await begin(s, [s.log, ...writer(stop, rate)], logging);
      for (let i = 0; i < KILLS / 2; i++) {
        const { size, ino } = statOf(s.log);
        await until('more', () => statOf(s.log).size > size || statOf(s.log).ino !== ino);
        await new Promise((resolve) => setTimeout(resolve, random(20)));
        await kill(child);
        if (second !== undefined && i === 0) execFileSync('mkfifo', [join(s.fifos, `${ID}.out.mid`)]);
        child = await begin(s, [], logging);
      }
      writeFileSync(stop, '');
      await until('the last line', () => /\blast \d+\b/.test(endOf(s.log)));
      await kill(child);
      const log = Buffer.concat(filesOf(s.log));
      const { timestamps = false, format = 'raw' } = logging;
      const bytes = timestamps || format === 'json' ? undressed(log, format) : log;
      expect(firstFault(bytes), `seed ${seed}`).toBeNull();
    },
    60_000 + KILLS * 1000,
  );
});

describe.skipIf(!canCarry)('whoever is killed while it puts files aside', () => {
  test.each([
    ['plain', false],
    ['compressed', true],
  ])(
    'has every byte in one of them, once: %s',
    async (_, compress) => {
      const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
      const random = dice(seed);
      const s = scene();
      const stop = join(s.folder, 'stop');
      const logging = { maxBytes: 60_000, keep: 5000, compress };
      let child = await begin(s, [s.log, ...writer(stop, 500)], logging);
      for (let i = 0; i < KILLS / 5; i++) {
        const count = endsOf(s.log).length;
        await until('more files', () => endsOf(s.log).length > count);
        await new Promise((resolve) => setTimeout(resolve, random(20)));
        await kill(child);
        child = await begin(s, [], logging);
      }
      writeFileSync(stop, '');
      await until('the last line', () => /^last \d+$/m.test(endOf(s.log)));
      const isDone = (): boolean => !endsOf(s.log).some((end) => /^\.\d+$/.test(end));
      if (compress) await until('all to be compressed', isDone);
      await kill(child);
      const files = filesOf(s.log);
      expect(firstFault(Buffer.concat(files)), `seed ${seed}`).toBeNull();
      for (const file of files.slice(0, -1)) {
        expect(file.length, `seed ${seed}`).toBeGreaterThanOrEqual(60_000);
        expect(file.length, `seed ${seed}`).toBeLessThan(60_000 + 400);
        expect(file.at(-1), `seed ${seed}`).toBe(10);
      }
    },
    60_000 + KILLS * 1000,
  );
});

describe.skipIf(!canCarry)('while nobody reads', () => {
  test('a program waits when its pipe is full, and not before; nothing of it is lost', async () => {
    const s = scene();
    const go = join(s.folder, 'go');
    // A megabyte fits; how far it has come is in a file beside it.
    const far = join(s.folder, 'far');
    const script = `until [ -e ${go} ]; do sleep 0.01; done
      for n in 1 2 3 4 5 6; do head -c 500000 /dev/zero; echo $n; echo $n >> ${far}; done`;
    await kill(await begin(s, [s.log, 'sh', '-c', script]));
    writeFileSync(go, '');
    await until('a full pipe', () => textOf(far) === '1\n2\n');
    const child = await begin(s);
    await until('all of it', () => textOf(s.log).endsWith('6\n'));
    const parts = [1, 2, 3, 4, 5, 6].map((n) => `${'\0'.repeat(500_000)}${n}\n`);
    expect(textOf(s.log) === parts.join('')).toBe(true);
    await kill(child);
  });

  test('a program that ends leaves its last words', async () => {
    const s = scene();
    const go = join(s.folder, 'go');
    const done = join(s.folder, 'done');
    const script = `until [ -e ${go} ]; do sleep 0.01; done; echo bye; touch ${done}`;
    await kill(await begin(s, [s.log, 'sh', '-c', script]));
    writeFileSync(go, '');
    await until('its end', () => existsSync(done) && leaks.processes().length === 0);
    expect(textOf(s.log)).toBe('');
    const child = await begin(s);
    await until('its last words', () => textOf(s.log) === 'bye\n');
    // It is over, and nobody knows it: its FIFO goes, and so does what has kept it.
    await until('the end of its FIFO', () => readdirSync(s.fifos).length === 0);
    await kill(child);
  });
});

describe.skipIf(!canCarry)('the next daemon', () => {
  test('reads on from whoever still holds a FIFO that somebody has removed', async () => {
    const s = scene();
    const go = join(s.folder, 'go');
    const { stdout, close } = s.open();
    const script = `echo before; until [ -e ${go} ]; do sleep 0.01; done; echo after`;
    const { child, ended } = s.start(['sh', '-c', script], stdout);
    close();
    await until('a line', () => textOf(s.log) === 'before\n');
    s.close();
    rmSync(s.fifos, { recursive: true });
    s.adopt({ pid: child.pid ?? null, stdout: s.log, stderr: s.log });
    await until('its keeper', () => existsSync(join(s.fifos, 'keeper')));
    expect(s.warned).toEqual([]);
    writeFileSync(go, '');
    await ended;
    await s.over();
    expect(textOf(s.log)).toBe('before\nafter\n');
  });

  test('does nothing about a program that writes to its file by itself, as an older version had it', async () => {
    const s = scene();
    const { child, ended } = s.start(['sleep', '0.2'], 2);
    s.adopt({ pid: child.pid ?? null, stdout: s.log, stderr: s.log });
    await ended;
    await s.over();
    expect(existsSync(s.fifos) ? readdirSync(s.fifos) : []).toEqual([]);
  });
});
