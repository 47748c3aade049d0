import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OwnLogPlan } from '../../src/core/plan.ts';
import { LineFile } from '../../src/daemon/line-file.ts';
import { OwnLog } from '../../src/daemon/own-log.ts';
import type { LogChange } from '../../src/logs/captures.ts';
import { until } from '../e2e/until.ts';
import { useLeakCheck } from '../rig/leaks.ts';

useLeakCheck();
const PLAN: OwnLogPlan = { maxBytes: null, keep: 3, maxAgeMs: null, compress: false, format: 'raw' };

let folder: string;
let path: string;
let log: OwnLog;
let echoed: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-log-'));
  path = join(folder, 'daemon.log');
  echoed = [];
  log = new OwnLog(folder, PLAN, (text) => echoed.push(text));
});
afterEach(() => {
  log.close();
  rmSync(folder, { recursive: true, force: true });
});

const lines = (): string[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z info /, ''));

describe("the daemon's own log", () => {
  it('is made when there is something to say, and not readable by everybody', () => {
    log.flush();
    expect(readdirSync(folder)).toEqual([]);
    log.say('one');
    log.say('two');
    expect(readdirSync(folder)).toEqual([]);
    log.flush();
    expect(lines()).toEqual(['one', 'two', '']);
    expect(statSync(path).mode & 0o007).toBe(0);
    expect(echoed).toEqual(['one', 'two']);
  });

  it('goes on at the end of what an earlier daemon has written', () => {
    log.say('one');
    log.flush();
    log.close();
    log = new OwnLog(folder, PLAN, null);
    log.say('two');
    log.flush();
    expect(lines()).toEqual(['one', 'two', '']);
  });

  it.runIf(process.platform === 'linux')(
    'on a full disk loses lines, which it counts, and nothing else',
    () => {
      symlinkSync('/dev/full', path);
      for (let i = 0; i < 3; i++) {
        log.say(`lost ${i}`);
        expect(() => log.flush()).not.toThrow();
      }
      unlinkSync(path);
      log.say('found');
      log.flush();
      expect(lines()).toEqual([
        expect.stringMatching(/Z warn 3 lines are missing here: ENOSPC: no space left on device, write$/),
        'found',
        '',
      ]);
      log.say('next');
      log.flush();
      expect(lines()).toEqual([
        expect.stringMatching(/Z warn 3 lines are missing here: ENOSPC: no space left on device, write$/),
        'found',
        'next',
        '',
      ]);
    },
  );

  it('whose folder is gone does not throw, and goes on once it is back', () => {
    rmSync(folder, { recursive: true });
    log.say('lost');
    expect(() => log.flush()).not.toThrow();
    expect(echoed).toEqual(['lost']);
  });

  const read = (name = 'daemon.log'): string => readFileSync(join(folder, name), 'utf8');

  it('says how much each line matters, and keeps one happening together', () => {
    log.say('well');
    log.say('not so well', 'warn');
    log.say('bad\n  at one\n  at two', 'error');
    log.flush();
    expect(read().replace(/^\S+Z /gm, '')).toBe(
      'info well\nwarn not so well\nerror bad\n    at one\n    at two\n',
    );
  });

  it('is an object a line as JSON, from the moment when that is wanted', () => {
    log.say('before');
    log.flush();
    log.follow({ ...PLAN, format: 'json' });
    log.say('two "lines"\nof one', 'warn');
    log.flush();
    const [raw = '', json = ''] = read().trimEnd().split('\n');
    expect(raw).toMatch(/Z info before$/);
    expect(JSON.parse(json)).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: 'warn',
      message: 'two "lines"\nof one',
    });
  });

  it('is put aside when it is large enough, and loses no line but with the oldest file', async () => {
    log.follow({ ...PLAN, maxBytes: 500, keep: 100 });
    for (let i = 0; i < 100; i++) {
      log.say(`line ${i}`);
      log.flush();
    }
    const names = readdirSync(folder);
    for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(500);
    const rows = names.sort((a, b) => Number(b.slice(11)) - Number(a.slice(11))); // daemon.log itself has no number
    const all = rows.flatMap((name) => [...read(name).matchAll(/line (\d+)/g)].map(([, n]) => Number(n)));
    expect(all).toEqual(Array.from({ length: 100 }, (_, i) => i));
    log.follow({ ...PLAN, maxBytes: 500, keep: 0 });
    for (let i = 0; i < 20; i++) {
      log.say(`line ${i}`);
      log.flush();
    }
    await until('the others are gone', () => readdirSync(folder).join() === 'daemon.log');
  });

  it('is put aside when it is old enough, and only with something to say', async () => {
    log.say('old');
    log.flush();
    log.follow({ ...PLAN, maxAgeMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5)); // the age is the very matter
    log.flush();
    expect(readdirSync(folder)).toEqual(['daemon.log']);
    log.say('new');
    log.flush();
    expect(read('daemon.log.1')).toMatch(/old\n$/);
    expect(read()).toMatch(/new\n$/);
  });

  it('is compressed once it was put aside, where that is wanted', async () => {
    log.follow({ ...PLAN, compress: true });
    log.say('one');
    expect(log.rotate()).toBe('done');
    await until('it is compressed', () => readdirSync(folder).join() === 'daemon.log.1.gz');
    expect(gunzipSync(readFileSync(`${path}.1.gz`)).toString()).toMatch(/one\n$/);
    log.say('two');
    log.rotate();
    await until('both are', () => readdirSync(folder).sort().join() === 'daemon.log.1.gz,daemon.log.2.gz');
  });

  it('is put aside by wish, but not while it is empty', () => {
    expect(log.rotate()).toBe('nothing');
    log.say('one');
    expect(log.rotate()).toBe('done');
    expect(read('daemon.log.1')).toMatch(/one\n$/);
    expect(log.rotate()).toBe('nothing');
    log.say('two');
    log.flush();
    expect(read()).toMatch(/two\n$/);
  });

  it('goes on at its path once it is reopened, also where somebody has put another file there', () => {
    log.say('one');
    log.flush();
    renameSync(path, `${path}.moved`);
    writeFileSync(path, 'theirs\n');
    log.reopen();
    log.say('two');
    log.flush();
    expect(read()).toMatch(/^theirs\n.* two\n$/);
    expect(read('daemon.log.moved')).toMatch(/one\n$/);
  });

  it('whose last line was cut off begins a new one', () => {
    writeFileSync(path, 'a line that somebody was killed ov');
    log.say('next');
    log.flush();
    expect(read()).toMatch(/^a line that somebody was killed ov\n\S+Z info next\n$/);
  });

  it('tells once that it cannot be written, and once that it can', () => {
    const lineBytes = '2026-01-31T14:00:00.000Z info lost 0\n'.length;
    const changes: LogChange[] = [];
    log.changed = (change) => changes.push(change);
    mkdirSync(path);
    for (let i = 0; i < 3; i++) log.sayNow(`lost ${i}`);
    expect(log.trouble).toMatch(/^cannot write .*daemon\.log: .*; 3 lines are missing in it$/);
    rmSync(path, { recursive: true });
    log.sayNow('found');
    log.sayNow('next');
    expect(log.trouble).toBeNull();
    expect(changes).toEqual([
      {
        ...{ path, state: 'failing', why: expect.stringContaining('EISDIR'), droppedBytes: 0 },
        sentence: expect.stringMatching(
          /^cannot write .*: EISDIR.*; what the daemon has to say is dropped and counted$/,
        ),
      },
      {
        ...{ path, state: 'well', why: null, droppedBytes: 3 * lineBytes },
        sentence: `${path} can be written to again; 3 lines are missing in it`,
      },
    ]);
  });

  it('that cannot be put aside grows on, and says so', () => {
    // With two more characters its name is too long.
    const file = new LineFile(
      join(folder, 'x'.repeat(254)),
      { ...PLAN, maxBytes: 10 },
      { folder: 'log_dir', mode: 0o640 },
    );
    for (let i = 0; i < 3; i++) file.append(`line ${i}\n`);
    file.end();
    expect(readFileSync(file.path, 'utf8')).toBe('line 0\nline 1\nline 2\n');
    expect(file.stuckFor).toBe('name too long');
    expect(file.rotate()).toBe('failed');
  });
});
