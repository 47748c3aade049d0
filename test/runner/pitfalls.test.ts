/** What libraries of this kind ship broken. Each title is a line of that list; each has been seen to fail. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createRunner } from '../../src/runner/index.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { isAlive, isGone, lines, useScenes } from './commands.ts';
import { FakeHost, holdTime, pass, stateOf } from './fake-host.ts';

const leaks = useLeakCheck();
const scene = useScenes(leaks);
afterEach(() => void vi.useRealTimers());

describe('children', () => {
  it("ends a job's group as a group: a grandchild goes with its leader", async () => {
    const { runner } = scene();
    const job = runner.begin('7');
    const child = runner.spawn('sh', ['-c', 'sleep 100 & echo $!; wait'], {
      signal: job.cancel,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const grandchild = Number(await lines(child.stdout)());
    runner.abort();
    job.end();
    await runner.drained();
    expect(isAlive(grandchild)).toBe(false);
  });

  it('ends a grandchild that ignores SIGTERM, after its leader has gone', async () => {
    const { runner } = scene();
    const child = runner.spawn('sh', ['-c', '(trap "" TERM; echo on; exec sleep 100) & echo $!; wait'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      killAfterMs: 200,
    });
    const next = lines(child.stdout);
    const grandchild = Number([await next(), await next()].filter((line) => line !== 'on')[0]);
    expect(isAlive(grandchild)).toBe(true);
    runner.abort();
    await runner.drained();
    await isGone(grandchild);
  });

  it('asks before it kills: who ends in time is not killed', async () => {
    const { runner } = scene();
    const script = `process.on('SIGTERM', () => { console.log('saved'); process.exit(); });
      setInterval(() => {}, 1000);
      console.log('on');`;
    const child = runner.spawn(process.execPath, ['-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      killAfterMs: 60_000,
    });
    const next = lines(child.stdout);
    expect(await next()).toBe('on');
    runner.abort();
    expect(await next()).toBe('saved');
    await runner.drained();
  });
});

describe('signals', () => {
  it('a remembered stop does not keep a later cancel from escalating', async () => {
    holdTime();
    const { runner } = scene({ cancelGraceMs: 1000 });
    const job = runner.begin('7');
    runner.stop();
    runner.stop();
    const over = runner.drained();
    runner.abort();
    expect(job.cancel.aborted).toBe(true);
    await pass(1000);
    expect((await over).reason).toBe('forced');
  });

  it('releasing twice releases nobody else', () => {
    const host = new FakeHost();
    const first = createRunner({ host });
    first.uninstall();
    const second = createRunner({ host });
    first.uninstall();
    expect(() => createRunner({ host })).toThrow('its signals have an owner');
    host.signal('SIGTERM');
    expect([first.quiet.aborted, second.quiet.aborted]).toEqual([false, true]);
    second.uninstall();
  });

  it("other people's handlers stay, and are called when they were", () => {
    const heard: string[] = [];
    const { runner, host } = scene();
    host.on('SIGTERM', () => heard.push('theirs'));
    host.signal('SIGTERM');
    runner.uninstall();
    host.signal('SIGTERM');
    expect(heard).toEqual(['theirs', 'theirs']);
  });

  it('the same signal twice within milliseconds (to the group, and as a forward) is one wish', async () => {
    holdTime();
    const { runner, host } = scene();
    runner.begin('7');
    for (const ms of [3, 200]) {
      host.signal('SIGTERM');
      await pass(ms);
    }
    host.signal('SIGINT');
    await pass(5000);
    expect([runner.quiet.aborted, runner.cancel.aborted]).toEqual([true, false]);
    host.signal('SIGTERM');
    expect(runner.cancel.aborted).toBe(true);
  });
});

describe('time', () => {
  it('a hook has a limit, also where none was given', async () => {
    holdTime();
    const { runner } = scene();
    runner.onShutdown('redis', () => new Promise(() => {}));
    runner.stop();
    const over = runner.drained();
    await pass(9999);
    expect(await stateOf(over)).toBe('pending');
    await pass(1);
    expect((await over).reason).toBe('hookFailed');
  });

  it('a deadline keeps the process alive until it is over', async () => {
    const active = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = active();
    const { runner } = scene({ deadlineMs: 60_000 });
    runner.begin('7');
    runner.stop();
    expect(active()).toBe(before + 1);
  });

  it('heartbeats go on while it drains and while its hooks run', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tv-beats-'));
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    const fd = openSync(join(dir, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK);
    const beats = (): number => {
      try {
        const buffer = Buffer.alloc(65_536);
        return buffer.toString('utf8', 0, readSync(fd, buffer)).split('WATCHDOG=1\n').length - 1;
      } catch {
        return 0; // EAGAIN: nothing was said
      }
    };
    holdTime();
    const { runner } = scene(
      {},
      { TSUP_VISOR_NOTIFY_FD: String(fd), WATCHDOG_USEC: '2000000', WATCHDOG_PID: '4711' },
    );
    const job = runner.begin('7');
    runner.onShutdown('slow', () => new Promise((resolve) => setTimeout(resolve, 5000)));
    beats();
    runner.stop();
    const over = runner.drained();
    await pass(5000);
    expect(beats(), 'while it drains').toBe(5);
    job.end();
    await pass(4000);
    expect(beats(), 'while its hooks run').toBe(4);
    await pass(1000);
    await over;
    beats();
    await pass(5000);
    expect(beats(), 'after the end').toBe(0);
    closeSync(fd);
    rmSync(dir, { recursive: true });
  });
});
