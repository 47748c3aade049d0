/** The check that finds what other tests leave behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { beginLeakCheck } from './leaks.ts';

it.skipIf(process.platform !== 'linux')('names a process that is left, and ends it', async () => {
  const check = beginLeakCheck();
  const child = spawn('sleep', ['1000'], { env: { ...process.env, ...check.environment }, detached: true });
  const ended = once(child, 'exit');
  expect(check.processes()).toEqual([`process ${child.pid} sleep 1000 `]);
  await expect(check.end()).rejects.toThrow(`process ${child.pid} sleep 1000`);
  expect(await ended).toEqual([null, 'SIGKILL']);
});

it('waits for those that are just ending', async () => {
  const check = beginLeakCheck();
  const env = { ...process.env, ...check.environment };
  const all = Array.from({ length: 20 }, () => spawn('sleep', ['1000'], { env, stdio: 'ignore' }));
  for (const child of all) child.kill('SIGKILL');
  await check.end();
  expect(check.processes()).toEqual([]);
});
