/** Lines are found in files that somebody else writes, however they are written, and nothing is held open afterwards. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LogPattern } from '../../src/core/plan.ts';
import { createLineWatch, type RealLineWatch } from '../../src/logs/line-watch.ts';
import { Lines } from '../../src/logs/lines.ts';
import { Tail } from '../../src/logs/tail.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';

// The event loop keeps its inotify descriptor once it has one.
beforeAll(() => watch(tmpdir(), { persistent: false }).close());
const leaks = useLeakCheck();

let folder: string;
let file: string;
let lines: RealLineWatch;
let warned: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'line-watch-'));
  file = join(folder, 'worker.log');
  warned = [];
  lines = createLineWatch((text) => warned.push(text));
});
afterEach(() => {
  lines.close();
  rmSync(folder, { recursive: true, force: true });
});

const text = (text: string): LogPattern => ({ kind: 'text', text });
const regex = (source: string, flags = ''): LogPattern => ({ kind: 'regex', source, flags });

/** Watches from where each of the files ends now. */
function waitFor(pattern: LogPattern, ...paths: string[]) {
  const found: string[] = [];
  let tell = (_: string): void => {};
  const told = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const places = (paths.length === 0 ? [file] : paths).map((path) => ({ path, from: lines.endOf(path) }));
  const end = lines.watch(places, pattern, (line) => {
    found.push(line);
    tell(line);
  });
  return {
    found,
    end,
    get line() {
      return within('a line', told);
    },
  };
}

/** Until everything that is there has been looked at: another watch has found what was written last. */
async function looked(path = file): Promise<void> {
  const mark = `mark ${Math.random()}`;
  const wait = waitFor(text(mark), path);
  appendFileSync(path, `${mark}\n`);
  await wait.line;
}

test('a line that is written later is found, and one that was there is not', async () => {
  writeFileSync(file, 'ready: the last run\n');
  const wait = waitFor(text('ready'));
  appendFileSync(file, 'starting\nit is ready: 7 workers\nready again\n');
  expect(await wait.line).toBe('it is ready: 7 workers');
  await looked();
  expect(wait.found.length).toBe(1);
});

test('an expression is found, with its flags, at each look anew', async () => {
  writeFileSync(file, '');
  const wait = waitFor(regex('^listening on (\\d+)$', 'gi'));
  appendFileSync(file, 'not Listening on 80\n');
  await looked();
  appendFileSync(file, 'Listening on 8080\r\n');
  expect(await wait.line).toBe('Listening on 8080');
});

test('a line that comes in parts is found when it is whole, also if a character is torn', async () => {
  writeFileSync(file, '');
  const wait = waitFor(regex('^größe: ok$'));
  const bytes = Buffer.from('größe: ok\n');
  const torn = bytes.indexOf(0xc3) + 1;
  appendFileSync(file, bytes.subarray(0, torn));
  await new Promise((resolve) => setTimeout(resolve, 30)); // so that it is looked at in between, most of the time
  appendFileSync(file, bytes.subarray(torn, -1));
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(wait.found).toEqual([]);
  appendFileSync(file, bytes.subarray(-1));
  expect(await wait.line).toBe('größe: ok');
});

test('a file that is yet to be made is awaited, its folder too', async () => {
  const path = join(folder, 'later', 'worker.log');
  const wait = waitFor(text('ready'), path);
  await looked();
  mkdirSync(join(folder, 'later'));
  writeFileSync(path, 'ready\n');
  expect(await wait.line).toBe('ready');
});

test('a file that is cut short is read from its beginning', async () => {
  writeFileSync(file, 'a rather long line of the last run\n');
  const wait = waitFor(text('ready'));
  appendFileSync(file, 'a part without its end');
  await looked(join(folder, 'other.log'));
  truncateSync(file);
  await looked(); // which is shorter than what was there
  appendFileSync(file, 'ready\n');
  expect(await wait.line).toBe('ready');
});

test('of a file that is replaced, the rest is read, and what takes its place from the beginning', async () => {
  writeFileSync(file, 'old\n');
  const [one, other] = [waitFor(text('last words')), waitFor(text('ready'))];
  await looked();
  renameSync(file, `${file}.1`);
  appendFileSync(`${file}.1`, 'last words\n');
  writeFileSync(file, 'ready\n');
  expect(await one.line).toBe('last words');
  expect(await other.line).toBe('ready');
});

test('several files are watched for one line, and it is told once', async () => {
  const other = join(folder, 'worker.err.log');
  const wait = waitFor(text('ready'), file, other, file);
  appendFileSync(other, 'ready on stderr\n');
  expect(await wait.line).toBe('ready on stderr');
  appendFileSync(file, 'ready on stdout\n');
  await looked();
  expect(wait.found).toEqual(['ready on stderr']);
});

test('nothing is told of a watch that has been ended, nor within the call', async () => {
  writeFileSync(file, 'ready\n');
  const found: string[] = [];
  const end = lines.watch([{ path: file, from: 0 }], text('ready'), (line) => found.push(line));
  expect(found).toEqual([]);
  end();
  end();
  await looked();
  expect(found).toEqual([]);
});

test('of an endless line the beginning counts, and the next line is seen', async () => {
  writeFileSync(file, '');
  const [begin, beyond, next] = [waitFor(text('begin')), waitFor(text('beyond')), waitFor(regex('^next$'))];
  appendFileSync(file, `begin ${'x'.repeat(3_000_000)} beyond\nnext\n`);
  expect((await begin.line).length).toBe(64 * 1024);
  expect(await next.line).toBe('next');
  expect(beyond.found).toEqual([]);
});

test('an expression that would take for ever is given up, and that is said', async () => {
  writeFileSync(file, '');
  const wait = waitFor(regex('^(a+)+$'));
  const began = performance.now();
  appendFileSync(file, `${'a'.repeat(5000)}b\n`);
  await within(
    'a warning',
    (async () => {
      while (warned.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    })(),
  );
  expect(performance.now() - began).toBeLessThan(3000);
  expect(warned[0]).toMatch(
    /^cannot look for \/\^\(a\+\)\+\$\/ in .*worker\.log any more: it takes too long/,
  );
  appendFileSync(file, 'aaa\n');
  await looked();
  expect(wait.found).toEqual([]);
});

test('what is no file does not hold anybody up', async () => {
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const wait = waitFor(text('ready'), fifo, '/dev/null', folder, file);
  appendFileSync(file, 'ready\n');
  expect(await wait.line).toBe('ready');
});

test('a flood is read through while it is written', async () => {
  writeFileSync(file, '');
  const wait = waitFor(regex('^done$'));
  for (let i = 0; i < 40; i++) {
    appendFileSync(file, 'a line like any other\n'.repeat(20_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  appendFileSync(file, 'done\n');
  expect(await wait.line).toBe('done');
});

test('a flood of empty lines is no reason to give up', async () => {
  writeFileSync(file, '');
  const wait = waitFor(regex('(done|ready)$'));
  appendFileSync(file, `${'\n'.repeat(1_000_000)}done\n`);
  expect(await wait.line).toBe('done');
  expect(warned).toEqual([]);
});

test('two hundred watches leave nothing open', async () => {
  const waits = Array.from({ length: 200 }, (_, i) => waitFor(text('ready'), `${file}.${i}`, file));
  await looked();
  for (const wait of waits.splice(0, 100)) wait.end();
  appendFileSync(file, 'ready\n');
  for (const wait of waits) expect(await wait.line).toBe('ready');
  expect(leaks.processes()).toEqual([]);
});

describe('lines', () => {
  test('are the same however the bytes come', () => {
    const bytes = Buffer.from('eins\r\n\nzweiß\n😀 drei\nrest');
    for (let size = 1; size <= bytes.length; size++) {
      const cut = new Lines();
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += size) found.push(...cut.push(bytes.subarray(at, at + size)));
      expect(found).toEqual(['eins', '', 'zweiß', '😀 drei']);
    }
  });
});

describe('what we have put around a line', () => {
  const STAMP = '2026-11-23T20:30:00.123Z';
  test.each([
    ['timestamps', `${STAMP} ready`, `${STAMP} not yet`],
    [
      'json',
      `{"time":"${STAMP}","run":1,"message":"ready"}`,
      `{"time":"${STAMP}","run":1,"message":"not yet"}`,
    ],
  ] as const)('is no part of it: %s', async (format, good, other) => {
    writeFileSync(file, '');
    const found = new Promise<string>((resolve) => {
      lines.watch([{ path: file, from: 0 }], regex('^(ready|time|2026)'), resolve, format);
    });
    appendFileSync(file, `${other}\n${good}\n`);
    expect(await within('the line', found)).toBe('ready');
  });
});

describe('files that are put aside', () => {
  test('are read to their ends, also where several of them are since the last look', () => {
    writeFileSync(file, 'one\n');
    const tail = new Tail(file, 0, () => {});
    expect(tail.read().lines).toEqual(['one']);
    appendFileSync(file, 'two\n');
    renameSync(file, `${file}.2`);
    writeFileSync(`${file}.1`, 'in the middle\n');
    writeFileSync(file, 'three\n');
    const read: string[] = [];
    for (let more = true; more; ) {
      const next = tail.read();
      read.push(...next.lines);
      more = next.more;
    }
    expect(read).toEqual(['two', 'in the middle', 'three']);
    appendFileSync(file, 'four\n');
    expect(tail.read().lines).toEqual(['four']);
    tail.close();
  });
});
