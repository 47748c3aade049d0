import { getEventListeners, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ExecError } from '../../src/runner/index.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { isAlive, isGone, lines, useScenes } from './commands.ts';
import { stateOf } from './fake-host.ts';

const leaks = useLeakCheck();
const scene = useScenes(leaks);
const SAYS_PIDS = 'sleep 100 & echo $$ $!; wait';

async function failure(promise: Promise<unknown>): Promise<ExecError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ExecError) return error;
  throw new Error(`it did not fail as a command: ${String(error)}`);
}

describe('a command', () => {
  it('leads a session and a group of its own', async () => {
    const { runner } = scene();
    const { stdout } = await runner.exec('sh', ['-c', 'echo $$; cut -d" " -f5,6 /proc/$$/stat'], {
      capture: true,
    });
    const [pid, group, session] = stdout.trim().split(/\s/);
    expect([group, session]).toEqual([pid, pid]);
  });

  it('that fails says how, with what it said', async () => {
    const { runner } = scene();
    const failed = await failure(
      runner.exec('sh', ['-c', 'echo out; echo err >&2; exit 3'], { capture: true }),
    );
    expect(failed).toMatchObject({
      message: 'sh exited with code 3',
      code: 3,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(await failure(runner.exec('sh', ['-c', 'kill -9 $$']))).toMatchObject({
      message: 'sh was ended by SIGKILL',
      signal: 'SIGKILL',
    });
  });

  it.each([
    [
      'does not exist',
      'no-such-program',
      [],
      'no-such-program cannot be started: spawn no-such-program ENOENT',
    ],
    ['has too many arguments', 'true', ['x'.repeat(4_000_000)], 'true cannot be started: spawn E2BIG'],
  ])('that %s fails as a command, and its job is over', async (_what, file, args, message) => {
    const { runner } = scene();
    expect((await failure(runner.exec(file, args))).message).toBe(message);
    expect(runner.inFlight).toBe(0);
  });

  it('is found without a PATH', async () => {
    const { runner } = scene();
    expect(await runner.exec('true', [], { env: leaks.environment })).toEqual({ stdout: '', stderr: '' });
  });

  it('has the channels to the supervisor in neither environment', async () => {
    const channels = {
      TSUP_VISOR_NOTIFY_FD: '987',
      NOTIFY_SOCKET: '/x',
      WATCHDOG_USEC: '1000000',
      WATCHDOG_PID: '1',
    };
    const { runner } = scene({}, { ...channels, OF_OURS: '1' });
    const env = { ...leaks.environment, ...channels, OF_OURS: '2' };
    const asked = [
      runner.exec('/usr/bin/env', [], { capture: true }),
      runner.exec('/usr/bin/env', [], { capture: true, env }),
    ];
    const said = (await Promise.all(asked)).map(({ stdout }) => stdout);
    expect(said.map((text) => /^OF_OURS=(.*)$/m.exec(text)?.[1])).toEqual(['1', '2']);
    for (const text of said) expect(text).not.toMatch(/NOTIFY|WATCHDOG/);
  });

  it('that takes too long is ended as a group, and says so', async () => {
    const { runner } = scene();
    const failed = await failure(runner.exec('sh', ['-c', SAYS_PIDS], { capture: true, timeoutMs: 300 }));
    expect(failed.message).toBe('sh was ended: it took longer than 300 ms');
    for (const pid of failed.stdout.trim().split(' ')) expect(isAlive(Number(pid))).toBe(false);
  });

  it.each([
    [{ timeoutMs: Number.NaN }, 'cannot use timeoutMs NaN: it is a number of milliseconds from 0'],
    [{ killAfterMs: -1 }, 'cannot use killAfterMs -1: it is a number of milliseconds from 0'],
    [{ maxBytes: -1 }, 'cannot use maxBytes -1: it is a number of bytes from 0'],
  ])('with %j is refused', async (options, message) => {
    const { runner } = scene();
    await expect(runner.exec('true', [], options)).rejects.toThrow(message);
    expect(runner.inFlight).toBe(0);
  });

  it('may take for ever', async () => {
    const { runner } = scene();
    await runner.exec('sleep', ['0.05'], { timeoutMs: Number.POSITIVE_INFINITY });
  });

  it('is over when it ends, also where a child of its own holds its output', async () => {
    const { runner } = scene();
    const { stdout } = await within(
      'the command',
      runner.exec('sh', ['-c', 'sleep 100 & echo $!'], { capture: true }),
      5000,
    );
    expect(isAlive(Number(stdout))).toBe(true);
    process.kill(Number(stdout), 'SIGKILL');
  });

  it('is over when it ends, also where it leaves a daemon in a session of its own', async () => {
    const { runner } = scene();
    const { stdout } = await runner.exec('sh', ['-c', 'setsid sleep 100 > /dev/null 2>&1 & echo $!'], {
      capture: true,
    });
    expect(runner.inFlight).toBe(0);
    process.kill(Number(stdout), 'SIGKILL');
  });
});

describe('what a command says', () => {
  const tail = async (script: string, maxBytes?: number): Promise<string> => {
    const { runner } = scene();
    const options = maxBytes === undefined ? { capture: true } : { capture: true, maxBytes };
    return (await runner.exec('sh', ['-c', script], options)).stdout;
  };

  it.each([
    [0, ''],
    [3, '789'],
    [10, '0123456789'],
    [11, '0123456789'],
  ])('is kept to the last %d bytes', async (maxBytes, kept) => {
    expect(await tail('printf 0123456789', maxBytes)).toBe(kept);
  });

  it('begins with a whole character', async () => {
    expect(await tail('printf "ab\\303\\251\\346\\274\\242z"', 3)).toBe('z');
    expect(await tail('printf "ab\\303\\251\\346\\274\\242z"', 4)).toBe('漢z');
  });

  it('is the last mebibyte of very much', async () => {
    const kept = await tail('yes 0123456 | head -c 6000000; echo end');
    expect(kept).toHaveLength(1024 * 1024);
    expect(kept.endsWith('0123456\nend\n')).toBe(true);
  });
});

describe('a child', () => {
  it('that could not be started is told, unless somebody listens', async () => {
    const { runner, failed } = scene();
    runner.spawn('no-such-program');
    const heard = once(runner.spawn('no-other-program'), 'error');
    expect(String(await heard)).toContain('ENOENT');
    expect(failed).toEqual(['child no-such-program: spawn no-such-program ENOENT']);
    expect(runner.inFlight).toBe(0);
  });

  it('outlives the function of its job, and the job lasts as long', async () => {
    const { runner } = scene();
    const child = await runner.run('7', (signal) =>
      Promise.resolve(runner.spawn('cat', [], { signal, stdio: 'pipe' })),
    );
    runner.stop();
    const over = runner.drained();
    expect(runner.list()).toMatchObject([{ name: '7', pids: [child.pid] }]);
    expect(await stateOf(over)).toBe('pending');
    child.stdin?.end();
    expect((await over).reason).toBe('drained');
  });

  it('of a job that is over is a job of its own', async () => {
    const { runner } = scene();
    const job = runner.begin('7');
    job.end();
    const child = runner.spawn('cat', [], { signal: job.cancel, stdio: 'pipe' });
    expect(runner.list().map(({ name }) => name)).toEqual(['cat']);
    child.stdin?.end();
    await once(child, 'exit');
  });
});

describe('a cancel', () => {
  it('that has come begins nothing, with its signal or without one', async () => {
    const { runner } = scene();
    const job = runner.begin('7');
    runner.abort();
    await expect(runner.exec('sleep', ['100'], { signal: job.cancel })).rejects.toThrow('gives up its work');
    await expect(runner.exec('sleep', ['100'])).rejects.toThrow('gives up its work');
    expect(() => runner.spawn('sleep', ['100'])).toThrow('gives up its work');
    expect(runner.list().map(({ name }) => name)).toEqual(['7']);
  });

  it('of somebody else, that has come, leaves no job behind', async () => {
    const { runner } = scene();
    await expect(runner.exec('sleep', ['100'], { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(() => runner.spawn('sleep', ['100'], { signal: AbortSignal.abort('no') })).toThrow('no');
    expect(runner.inFlight).toBe(0);
  });

  it('ends a command that was not given its signal: nobody else would', async () => {
    const { runner } = scene();
    const command = failure(runner.exec('sleep', ['100']));
    runner.abort();
    expect(await command).toMatchObject({
      message: 'sleep was ended: gives up its work: the program asked for it',
    });
    expect((await runner.drained()).reason).toBe('cancelled');
  });

  it('reaches what was stopped', async () => {
    const { runner } = scene();
    const child = runner.spawn('sleep', ['100'], { killAfterMs: 60_000 });
    child.kill('SIGSTOP');
    runner.abort();
    await once(child, 'exit');
    await runner.drained();
  });
});

describe('the end', () => {
  it('lets hooks use commands, also after a cancel, and leaves none of them behind', async () => {
    const { runner, failed } = scene();
    let forgotten = 0;
    runner
      .run('7', (cancel) => new Promise((_, reject) => cancel.addEventListener('abort', reject)))
      .catch(() => {});
    runner.onShutdown('save', async () => {
      await runner.exec('true');
      forgotten = runner.spawn('sleep', ['100']).pid ?? 0;
    });
    runner.abort();
    const { reason, failures } = await runner.drained();
    expect([reason, failures, failed.length]).toEqual(['cancelled', [], 1]);
    expect(isAlive(forgotten)).toBe(false);
  });

  it('that is forced kills what still lives, and begins nothing more', async () => {
    const { runner } = scene({ cancelGraceMs: 100 });
    const child = runner.spawn('sh', ['-c', `trap "" TERM; ${SAYS_PIDS}; wait`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pids = (await lines(child.stdout)()).split(' ').map(Number);
    runner.abort();
    expect((await runner.drained()).reason).toBe('forced');
    for (const pid of pids) await isGone(pid);
    await expect(runner.exec('true')).rejects.toThrow('cannot start true: the runner has ended');
  });
});

describe('ten thousand jobs', () => {
  it('leave no listener behind', async () => {
    const { runner, host } = scene();
    const listening = host.listening;
    for (let n = 0; n < 10_000; n++) await runner.run(String(n), () => n);
    for (let n = 0; n < 20; n++) await runner.exec('true', [], { signal: runner.quiet, timeoutMs: 60_000 });
    await expect(runner.exec('no-such-program', [], { signal: runner.quiet })).rejects.toThrow();
    for (const signal of [runner.quiet, runner.cancel])
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect([host.listening, runner.inFlight]).toEqual([listening, 0]);
  });
});
