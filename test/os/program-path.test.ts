/** A program is found as execvp(3) finds it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { findExecutable } from '../../src/os/program-path.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tv-path-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const name of ['a', 'b', 'c']) mkdirSync(join(dir, name));
});

const put = (path: string, mode: number): void => {
  writeFileSync(join(dir, path), '');
  chmodSync(join(dir, path), mode);
};

const found = (PATH = `/nowhere:${dir}/a:${dir}/b:c`): string | null =>
  findExecutable('it', { directory: dir, environment: { PATH } });

it('in the first folder of the PATH that has it, seen from where it is to run', () => {
  expect(found()).toBeNull();
  put('c/it', 0o755);
  expect(found()).toBe(join(dir, 'c/it'));
  put('b/it', 0o755);
  expect(found()).toBe(join(dir, 'b/it'));
});

it('not where it may not be run, or is a folder, or its folder is none', () => {
  put('a/it', 0o644);
  expect(found(), 'the failure is about this one').toBe(join(dir, 'a/it'));
  put('c/it', 0o755);
  expect(found()).toBe(join(dir, 'c/it'));
  mkdirSync(join(dir, 'b/it'));
  expect(found()).toBe(join(dir, 'c/it'));
  expect(found(`${dir}/a/it:${dir}/c`)).toBe(join(dir, 'c/it'));
});
