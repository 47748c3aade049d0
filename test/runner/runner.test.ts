import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createRunner,
  EXIT,
  type Outcome,
  type Runner,
  RunnerAbort,
  type RunnerOptions,
} from '../../src/runner/index.ts';
import { FakeHost, holdTime, pass, stateOf } from './fake-host.ts';

let host: FakeHost;
let runner: Runner;
const failed: string[] = [];

beforeEach(() => {
  holdTime();
  failed.length = 0;
});
afterEach(() => {
  runner.uninstall();
  expect(vi.getTimerCount(), 'timers that are left').toBe(0);
  expect(host.listening, 'listeners that are left').toBe(0);
  vi.useRealTimers();
});

function create(options: RunnerOptions = {}): Runner {
  host = new FakeHost();
  const onError = (what: string, error: unknown): void => void failed.push(`${what}: ${text(error)}`);
  runner = createRunner({ host, onError, ...options });
  return runner;
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));
/** Two wishes, not one that came twice. */
const LATER_MS = 1000;
/** Work that ends when it is told to. */
const heeding = (cancel: AbortSignal): Promise<void> =>
  new Promise((_, reject) => cancel.addEventListener('abort', () => reject(cancel.reason)));
const never = (): Promise<never> => new Promise(() => {});

describe('the way to an orderly end', () => {
  it('is: no more work, what is under way, the hooks in reverse, the output, the exit', async () => {
    create();
    const done = withResolvers();
    runner.quiet.addEventListener('abort', () => host.log.push('quiet'));
    runner.onQuiet('consumer', () => void host.log.push('consumer stopped'));
    runner.onShutdown('first', () => void host.log.push('first closed'));
    runner.onShutdown('second', async () => {
      await Promise.resolve();
      host.log.push('second closed');
    });
    void runner.run('7', () => done.promise).then(() => host.log.push('job done'));
    host.stdout.isHeld = true;
    const over = runner.drained();

    host.signal('SIGTERM');
    await pass(60_000);
    expect(host.log).toEqual(['quiet', 'consumer stopped']);
    done.resolve();
    await pass(0);
    expect(host.log.slice(2)).toEqual(['job done', 'second closed', 'first closed']);
    expect(await stateOf(over)).toBe('pending');
    host.stdout.release();
    expect(await over).toEqual({ reason: 'drained', code: 0, failures: [] });
    expect(host.log.at(-1)).toBe('exit 0');
  });

  it('waits for a job that is begun between the signal and the end of the last one', async () => {
    create();
    const last = withResolvers();
    const over = runner.drained();
    void runner.run('1', async () => {
      await pause(10);
      void runner.run('2', () => last.promise);
    });
    host.signal('SIGINT');
    await pass(100);
    expect(runner.list().map(({ name }) => name)).toEqual(['2']);
    expect(await stateOf(over)).toBe('pending');
    last.resolve();
    expect((await over).reason).toBe('drained');
  });

  it('does not begin before the program says that it is through with its own loop', async () => {
    create();
    host.signal('SIGTERM');
    await pass(LATER_MS);
    expect(host.log).toEqual([]);
    await runner.drained();
    expect(host.log).toEqual(['exit 0']);
  });

  it('comes by itself when nothing is left that could happen, once it is quiet', async () => {
    create();
    runner.onShutdown('redis', () => void host.log.push('closed'));
    host.emit('beforeExit');
    await pass(0);
    expect(host.log).toEqual([]);
    runner.stop();
    host.emit('beforeExit');
    await pass(0);
    expect(host.log).toEqual(['closed', 'exit 0']);
  });

  it('is not passed over by a program that waits for nothing while a job is under way', async () => {
    create();
    const job = runner.begin('7');
    runner.stop();
    host.emit('beforeExit');
    await pass(LATER_MS);
    expect(vi.getTimerCount(), 'what keeps the process alive').toBeGreaterThan(0);
    job.end();
    await pass(0);
    expect(host.log).toEqual(['exit 0']);
  });

  it('leaves the process alone where it is told to', async () => {
    create({ exit: false });
    runner.stop();
    expect(await runner.drained()).toEqual({ reason: 'drained', code: 0, failures: [] });
    expect(host.log).toEqual([]);
  });

  it('can be written as `await using`', async () => {
    {
      await using it = create({ exit: false });
      void it.run('7', () => pause(10)).then(() => host.log.push('job done'));
      queueMicrotask(() => void pass(20));
    }
    expect(host.log).toEqual(['job done']);
  });

  it('is not held up by output that cannot be written', async () => {
    create();
    host.stdout.write = () => {
      throw new Error('EIO');
    };
    runner.stop();
    expect((await runner.drained()).code).toBe(0);
    expect(host.log).toEqual(['exit 0']);
  });

  it('begins no work once the hooks are running', async () => {
    create();
    const refused: string[] = [];
    runner.onShutdown('late', async () => {
      await runner.run('8', () => {}).catch((error: unknown) => void refused.push(text(error)));
    });
    runner.stop();
    await runner.drained();
    expect(refused).toEqual(['cannot begin 8: the runner has drained']);
  });
});

describe('a stop that is insisted on', () => {
  it('first asks, then cancels, then ends: each later signal goes one step further', async () => {
    create();
    runner.run('7', never);
    const over = runner.drained();
    host.signal('SIGTERM');
    await pass(LATER_MS);
    expect([runner.quiet.aborted, runner.cancel.aborted]).toEqual([true, false]);
    host.signal('SIGINT');
    await pass(LATER_MS);
    expect(runner.cancel.reason).toMatchObject({ kind: 'cancel', because: 'insisted', signal: 'SIGINT' });
    expect(host.log).toEqual([]);
    host.signal('SIGINT');
    await pass(0);
    expect(await over).toMatchObject({ reason: 'forced', code: EXIT.forced });
    expect(host.log).toEqual(['exit 79']);
  });

  it('says why in typed reasons', async () => {
    create({ exit: false });
    host.signal('SIGTERM');
    expect(runner.quiet.reason).toBeInstanceOf(RunnerAbort);
    expect(runner.quiet.reason).toMatchObject({
      name: 'AbortError',
      kind: 'quiet',
      because: 'signal',
      signal: 'SIGTERM',
    });
    expect(text(runner.quiet.reason)).toBe('takes no more work: SIGTERM was sent');
    const heard = runner.run('7', heeding).catch((error: unknown) => error);
    runner.abort();
    expect(await heard).toMatchObject({ kind: 'cancel', because: 'code', signal: null });
  });

  it('ends with a code of its own when the jobs gave up', async () => {
    create();
    runner.run('7', heeding).catch(() => {});
    const over = runner.drained();
    runner.abort();
    expect(await over).toMatchObject({ reason: 'cancelled', code: EXIT.cancelled });
    expect(failed).toEqual(['job 7: gives up its work: the program asked for it']);
  });

  it('gives what does not heed it a grace, and no more', async () => {
    create({ cancelGraceMs: 3000 });
    runner.run('7', never);
    const over = runner.drained();
    runner.abort();
    await pass(2999);
    expect(await stateOf(over)).toBe('pending');
    await pass(1);
    expect((await over).reason).toBe('forced');
  });

  it('does not cut the shutdown hooks with a grace that was meant for jobs', async () => {
    create({ cancelGraceMs: 3000 });
    runner.run('7', heeding).catch(() => {});
    runner.onShutdown('slow', () => pause(5000));
    const over = runner.drained();
    runner.abort();
    await pass(5000);
    expect(await over).toMatchObject({ reason: 'cancelled', code: EXIT.cancelled });
  });

  it('waits for slow output half a second, then goes', async () => {
    create();
    host.stdout.isHeld = true;
    runner.run('7', never);
    const over = runner.drained();
    for (let n = 0; n < 3; n++) {
      host.signal('SIGINT');
      await pass(n < 2 ? LATER_MS : 499);
    }
    expect(await stateOf(over)).toBe('pending');
    await pass(1);
    expect((await over).reason).toBe('forced');
  });

  it('passes a signal over that comes while the hooks run; only the third cuts them', async () => {
    create();
    runner.onShutdown('slow', () => pause(9000));
    host.signal('SIGTERM');
    const over = runner.drained();
    await pass(LATER_MS);
    host.signal('SIGTERM');
    await pass(LATER_MS);
    expect([runner.cancel.aborted, await stateOf(over)]).toEqual([false, 'pending']);
    host.signal('SIGTERM');
    expect(await over).toMatchObject({ code: EXIT.forced });
    await pass(9000);
    expect(host.log).toEqual(['exit 79']);
  });
});

describe('a deadline', () => {
  it('cancels what is under way, from the moment of the wish on', async () => {
    create({ deadlineMs: 5000 });
    runner.run('7', heeding).catch(() => {});
    await pass(60_000);
    const over = runner.drained();
    host.signal('SIGTERM');
    await pass(4999);
    expect(runner.cancel.aborted).toBe(false);
    await pass(1);
    expect(runner.cancel.reason).toMatchObject({ because: 'deadline', signal: null });
    expect((await over).code).toBe(EXIT.cancelled);
  });

  it.each(['before', 'after'])('is moved by what is said %s it began', async (when) => {
    create({ deadlineMs: 5000, exit: false });
    runner.run('7', never);
    if (when === 'before') runner.extend(8000);
    runner.stop();
    if (when === 'after') runner.extend(8000);
    await pass(7999);
    expect(runner.cancel.aborted).toBe(false);
    await pass(1);
    expect(runner.cancel.aborted).toBe(true);
  });

  it('is none where none is given, and may be longer than a timer can wait', async () => {
    create({ deadlineMs: 40 * 86_400_000, exit: false });
    runner.run('7', never);
    runner.stop();
    await pass(39 * 86_400_000);
    expect(runner.cancel.aborted).toBe(false);
    await pass(86_400_000);
    expect(runner.cancel.aborted).toBe(true);
  });

  it('that is extended after it is over begins nothing anew', async () => {
    create({ deadlineMs: 10, exit: false });
    runner.run('7', never);
    runner.stop();
    await pass(10);
    const timers = vi.getTimerCount();
    runner.extend(5000);
    expect(vi.getTimerCount()).toBe(timers);
  });
});

describe('what cannot be meant is refused', () => {
  it.each([
    ['debounceMs', Number.NaN],
    ['deadlineMs', -1],
    ['cancelGraceMs', Number.NaN],
  ])('%s: %d', (name, value) => {
    create();
    runner.uninstall();
    expect(() => createRunner({ host, [name]: value })).toThrow(
      `cannot use ${name} ${value}: it is a number of milliseconds from 0`,
    );
    runner = createRunner({ host });
  });

  it('a signal that nobody can catch, and the process is free for another runner', () => {
    create();
    runner.uninstall();
    const on = host.on.bind(host);
    host.on = (name, listener) => {
      if (name === 'SIGKILL') throw new Error('uv_signal_start EINVAL');
      return on(name, listener);
    };
    expect(() => createRunner({ host, signals: ['SIGTERM', 'SIGKILL'] })).toThrow('EINVAL');
    expect(host.listening).toBe(0);
    runner = createRunner({ host });
  });

  it('an extension that is no number', () => {
    create();
    expect(() => runner.extend(Number.NaN)).toThrow(RangeError);
  });
});

describe('jobs', () => {
  it('end once, however often it is said', async () => {
    create({ exit: false });
    const [one, two] = [runner.begin('1'), runner.begin('2')];
    one.end();
    one.end();
    one[Symbol.dispose]();
    expect(runner.list().map(({ name }) => name)).toEqual(['2']);
    runner.stop();
    const over = runner.drained();
    expect(await stateOf(over)).toBe('pending');
    two.end();
    expect((await over).reason).toBe('drained');
  });

  it('are listed with their ages, the oldest first, whatever the wall clock does', async () => {
    create();
    runner.begin('old');
    await pass(2000);
    runner.begin('new');
    vi.setSystemTime(0);
    await pass(500);
    expect(runner.list().map(({ name, ageMs }) => [name, Math.round(ageMs)])).toEqual([
      ['old', 2500],
      ['new', 500],
    ]);
  });

  it('that fail are told, and nothing else ends', async () => {
    create();
    runner.run('async', () => Promise.reject(new Error('no row')));
    runner.run('sync', () => {
      throw new Error('no table');
    });
    await pass(0);
    expect(failed.sort()).toEqual(['job async: no row', 'job sync: no table']);
    expect(runner.inFlight).toBe(0);
  });

  it('that are begun after the cancel know it at once', async () => {
    create({ exit: false });
    runner.begin('1');
    runner.abort();
    expect(runner.begin('2').cancel.aborted).toBe(true);
  });
});

describe('someone who is told of failures and fails himself', () => {
  it.each([
    [
      'at once',
      () => {
        throw new Error('sentry is down');
      },
    ],
    [
      'later',
      async () => {
        throw new Error('sentry is down');
      },
    ],
  ])('%s does not end the runner', async (_when, onError) => {
    const complained = vi.spyOn(console, 'error').mockImplementation(() => {});
    create({ onError, exit: false });
    runner.run('7', () => Promise.reject(new Error('no row')));
    await pass(0);
    expect(complained.mock.calls).toEqual([['onError failed:', new Error('sentry is down')]]);
    runner.stop();
    expect((await runner.drained()).reason).toBe('drained');
  });
});

describe('hooks at quiet', () => {
  it('are all called at once and waited for, and one that fails is told', async () => {
    create({ exit: false });
    runner.onQuiet('bad', () => {
      throw new Error('not connected');
    });
    runner.onQuiet('slow', () => pause(500));
    runner.stop();
    const over = runner.drained();
    await pass(499);
    expect(await stateOf(over)).toBe('pending');
    await pass(1);
    expect((await over).reason).toBe('drained');
    expect(failed).toEqual(['hook bad: not connected']);
  });

  it('are called once, also one that is added by whoever hears of it first', async () => {
    create({ exit: false });
    let calls = 0;
    runner.quiet.addEventListener('abort', () => runner.onQuiet('consumer', () => calls++));
    runner.onQuiet('other', () => runner.onQuiet('inner', () => calls++));
    runner.stop();
    await runner.drained();
    expect(calls).toBe(2);
  });

  it('can be taken back, and are called at once where it is quiet already', async () => {
    create({ exit: false });
    let calls = 0;
    runner.onQuiet('gone', () => calls++)();
    runner.stop();
    expect(calls).toBe(0);
    runner.onQuiet('late', () => calls++);
    expect(calls).toBe(1);
  });

  it('are told of the cancel', async () => {
    create({ exit: false });
    runner.onQuiet('consumer', heeding);
    const over: Promise<Outcome> = runner.drained();
    runner.abort();
    expect((await over).reason).toBe('cancelled');
  });
});

describe('shutdown hooks', () => {
  it('all run, whatever one does, and the exit code says that one has failed', async () => {
    create();
    runner.onShutdown('third', () => void host.log.push('third'));
    runner.onShutdown('second', never, { timeoutMs: 200 });
    runner.onShutdown('first', () => {
      throw new Error('not connected');
    });
    runner.stop();
    const over = runner.drained();
    await pass(200);
    expect(await over).toMatchObject({ reason: 'hookFailed', code: EXIT.hookFailed });
    expect((await over).failures.map(({ name, error }) => `${name}: ${error.message}`)).toEqual([
      'first: not connected',
      'second: second took longer than 200 ms',
    ]);
    expect(failed).toHaveLength(2);
    expect(host.log).toEqual(['third', 'exit 70']);
  });

  it('hear their limit, and may have none', async () => {
    create({ exit: false });
    let heard = false;
    runner.onShutdown('patient', () => pause(90_000), { timeoutMs: Number.POSITIVE_INFINITY });
    runner.onShutdown(
      'late',
      (signal) =>
        new Promise(() =>
          signal.addEventListener('abort', () => {
            heard = true;
          }),
        ),
      { timeoutMs: 100 },
    );
    runner.stop();
    const over = runner.drained();
    await pass(100);
    expect(heard).toBe(true);
    await pass(89_999);
    expect(await stateOf(over)).toBe('pending');
    await pass(1);
    expect((await over).failures).toHaveLength(1);
  });
});

describe('what follows the last job', () => {
  it('comes before the hooks, and may be another job', async () => {
    create({ exit: false });
    runner.onShutdown('redis', () => void host.log.push('closed'));
    runner.stop();
    const over = runner.drained();
    const first = runner.run('1', () => pause(10));
    void first.then(async () => {
      await runner.run('2', () => pause(10));
      host.log.push('acknowledged');
    });
    await pass(20);
    await over;
    expect(host.log).toEqual(['acknowledged', 'closed']);
  });
});

describe('an end that is over', () => {
  it('is known to whoever asks for it later, and nothing is left to wait for', async () => {
    create({ exit: false });
    runner.run('7', never);
    for (let n = 0; n < 3; n++) {
      host.signal('SIGTERM');
      await pass(LATER_MS);
    }
    expect((await runner.drained()).reason).toBe('forced');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('settles although the exit throws, as a mocked one does', async () => {
    create();
    const thrown: unknown[] = [];
    const hear = (error: unknown): void => void thrown.push(error);
    host.exit = () => {
      throw new Error('process.exit was called');
    };
    runner.stop();
    const over = runner.drained().catch(hear);
    await pass(0);
    await over;
    expect(text(thrown[0])).toBe('process.exit was called');
    expect(host.listening).toBe(0);
  });
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
