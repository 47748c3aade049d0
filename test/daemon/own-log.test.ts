import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OwnLog } from '../../src/daemon/own-log.ts';
import { useLeakCheck } from '../rig/leaks.ts';

useLeakCheck();
let folder: string;
let path: string;
let log: OwnLog;
let echoed: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-log-'));
  path = join(folder, 'daemon.log');
  echoed = [];
  log = new OwnLog(folder, (text) => echoed.push(text));
});
afterEach(() => {
  log.close();
  rmSync(folder, { recursive: true, force: true });
});

const lines = (): string[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, ''));

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
    log = new OwnLog(folder, null);
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
        '3 lines are missing here: ENOSPC: no space left on device, write',
        'found',
        '',
      ]);
      log.say('next');
      log.flush();
      expect(lines()).toEqual([
        '3 lines are missing here: ENOSPC: no space left on device, write',
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
});
