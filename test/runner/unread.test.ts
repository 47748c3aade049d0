/** While no daemon lives, nobody reads what a runner reports; once 64 KiB are said, the pipe is full. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../e2e/until.ts';
import { bundle } from '../rig/bundle.ts';
import { fillPipe } from '../rig/full-pipe.ts';

it('does not wait for a pipe that is full, and says the newest once there is room', async ({
  onTestFinished,
}) => {
  const dir = mkdtempSync(join(tmpdir(), 'tv-unread-'));
  const pipe = fillPipe(dir);
  const runner = await bundle('src/runner/index.ts');
  const script = `
    import { createReporter } from ${JSON.stringify(runner)};
    const it = createReporter();
    for (let n = 0; n < 100; n++) it.inFlight(n);
    process.stdout.write('works on');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, TSUP_VISOR_NOTIFY_FD: '3' },
    stdio: ['ignore', 'pipe', 'inherit', pipe.descriptor],
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
    pipe.close();
    rmSync(dir, { recursive: true });
  });
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until('it works on', () => said === 'works on');

  for (let left = pipe.size; left > 0; ) left -= readSync(pipe.descriptor, Buffer.alloc(left));
  const heard = Buffer.alloc(100);
  expect(heard.toString('utf8', 0, readSync(pipe.descriptor, heard))).toBe('X_INFLIGHT=99\n');
});
