/** One holder at a time; a holder that dies, however it dies, holds no longer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadLibc } from '../../src/os/libc.ts';
import { acquireLock } from '../../src/os/lock.ts';
import { bundle } from '../rig/bundle.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';

const leaks = useLeakCheck();
let module = '';
beforeAll(async () => {
  module = await bundle('src/os/lock.ts');
});
afterAll(() => rmSync(module));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

for (const [how, forced] of [
  ['with flock', undefined],
  ['with files alone', null],
] as const) {
  describe(how, () => {
    test('a second attempt is told who holds it, and release frees it', () => {
      const path = join(folder, 'lock');
      const first = acquireLock(path, forced);
      expect(first.ok).toBe(true);
      expect(acquireLock(path, forced)).toEqual({ ok: false, error: { heldBy: process.pid } });
      if (first.ok) first.value.release();
      const again = acquireLock(path, forced);
      expect(again.ok).toBe(true);
      if (again.ok) again.value.release();
    });

    test('twenty contenders at once give one holder, and its SIGKILL frees the lock', async () => {
      const path = join(folder, 'lock');
      const contenders = Array.from({ length: 20 }, () => contend(path, how));
      await Promise.all(contenders.map((one) => one.said('here')));
      for (const one of contenders) one.child.stdin?.write('go\n');
      const answers = await Promise.all(contenders.map((one) => one.said('held|taken \\d+|taken null')));
      const holder = contenders[answers.indexOf('held')];
      expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
      expect(acquireLock(path, forced)).toEqual({ ok: false, error: { heldBy: holder?.child.pid } });

      holder?.child.kill('SIGKILL');
      await holder?.ended;

      const next = acquireLock(path, forced);
      expect(next.ok).toBe(true);
      if (next.ok) next.value.release();
      for (const one of contenders) one.child.stdin?.end();
      await Promise.all(contenders.map((one) => one.ended));
    });
  });
}

test.runIf(loadLibc() !== null).each([
  ['with flock', undefined, null],
  ['with files alone', null, undefined],
])('who has it %s keeps out whoever comes in the other way', (_, first, second) => {
  const path = join(folder, 'lock');
  const held = acquireLock(path, first);
  expect(acquireLock(path, second)).toEqual({ ok: false, error: { heldBy: process.pid } });
  if (held.ok) held.value.release();
  const next = acquireLock(path, second);
  expect(next.ok).toBe(true);
  if (next.ok) next.value.release();
});

test('with files alone, a file left by a process whose number is another’s now is stale', () => {
  const path = join(folder, 'lock');
  writeFileSync(`${path}.pid`, `${process.pid} 1\n`);
  const lock = acquireLock(path, null);
  expect(lock.ok).toBe(true);
  expect(readFileSync(`${path}.pid`, 'utf8')).toMatch(new RegExp(`^${process.pid} (?!1\n)`));
});

function contend(path: string, how: string) {
  const program = fileURLToPath(new URL('../rig/lock-contender.mjs', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [program, module, path, how], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...leaks.environment },
  });
  let text = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const said = (pattern: string) =>
    within(
      `a contender to say ${pattern}`,
      new Promise<string>((resolve) => {
        const look = () => {
          const found = new RegExp(`^(${pattern})$`, 'm').exec(text)?.[1];
          if (found !== undefined) resolve(found);
        };
        child.stdout?.on('data', (chunk) => {
          text += chunk;
          look();
        });
        look();
      }),
    );
  return { child, said, ended };
}
