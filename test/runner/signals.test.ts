import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRunner, type Runner } from '../../src/runner/index.ts';
import { FakeHost, holdTime, pass, stateOf, turn } from './fake-host.ts';

let host: FakeHost;
const runners: Runner[] = [];
beforeEach(() => {
  holdTime();
  host = new FakeHost();
});
afterEach(() => {
  for (const runner of runners.splice(0)) runner.uninstall();
  vi.useRealTimers();
});

const create: typeof createRunner = (options = {}) => {
  const runner = createRunner({ host, exit: false, ...options });
  runners.push(runner);
  runner.begin('7'); // so that there is something to give up
  return runner;
};

describe('one wish that arrives as several signals', () => {
  it('is one also where the program was busy between the two', async () => {
    vi.useRealTimers();
    const runner = create({ debounceMs: 20, signals: ['SIGUSR1'], host: process });
    process.kill(process.pid, 'SIGUSR1');
    await new Promise((resolve) => runner.quiet.addEventListener('abort', resolve));
    process.kill(process.pid, 'SIGUSR1'); // is delivered when the loop turns again
    execFileSync('sleep', ['0.1']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(runner.cancel.aborted).toBe(false);
  });

  it('is not all that somebody can wish who never stops pressing', async () => {
    const runner = create();
    for (let ms = 0; ms < 400; ms += 40) {
      host.signal('SIGINT');
      await pass(40);
    }
    expect(runner.cancel.aborted).toBe(true);
  });

  it('is as many as come where the debounce is 0', () => {
    const runner = create({ debounceMs: 0 });
    host.signal('SIGINT');
    host.signal('SIGINT');
    expect(runner.cancel.aborted).toBe(true);
  });
});

describe('the signals of a process', () => {
  it('have one owner', () => {
    create();
    expect(() => createRunner({ host })).toThrow(
      'cannot create a second runner in this process: its signals have an owner',
    );
  });

  it('have one owner also where the SDK is loaded twice', async () => {
    create();
    vi.resetModules();
    const again = await import('../../src/runner/index.ts');
    expect(again.createRunner).not.toBe(createRunner);
    expect(() => again.createRunner({ host })).toThrow('its signals have an owner');
  });

  it('are left alone where none are named', () => {
    const runner = create({ signals: [] });
    expect(host.listenerCount('SIGTERM')).toBe(0);
    runner.stop();
    expect(runner.quiet.aborted).toBe(true);
  });

  it('a stop by the program does not make the first signal a second one', () => {
    const runner = create();
    runner.stop();
    host.signal('SIGTERM');
    expect(runner.cancel.aborted).toBe(false);
  });
});

describe('a runner that is uninstalled', () => {
  it.each(['before it is quiet', 'while it drains', 'while its hooks run'])(
    '%s ends nothing and tells whoever waits',
    async (when) => {
      const runner = createRunner({ host, deadlineMs: 100 });
      let began = false;
      runner.onShutdown('slow', () => {
        began = true;
        return new Promise((resolve) => setTimeout(resolve, 50));
      });
      const job = runner.begin('8');
      const told = runner.drained().catch((error: unknown) => String(error));
      if (when !== 'before it is quiet') runner.stop();
      if (when === 'while its hooks run') job.end();
      await turn();
      expect(began).toBe(when === 'while its hooks run');
      runner.uninstall();
      job.end();
      expect(host.listening).toBe(0);
      await pass(60_000);
      expect(await told).toBe('Error: cannot wait for the end: the runner was uninstalled');
      expect(host.log).toEqual([]);
      expect(vi.getTimerCount()).toBe(0);
      expect(await stateOf(runner.drained())).toBe('rejected');
    },
  );

  it('lets the work go on, and the program stop it', async () => {
    const runner = createRunner({ host, deadlineMs: 100 });
    runner.uninstall();
    const job = runner.begin('8');
    runner.stop();
    runner.abort();
    expect([runner.quiet.aborted, job.cancel.aborted]).toEqual([true, true]);
    job.end();
    await pass(60_000);
    expect([host.log, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it('does not let a reminder of its first end come later', async () => {
    const runner = create();
    runner.begin('8').end();
    host.signal('SIGTERM');
    runner.uninstall();
    await turn();
    expect(vi.getTimerCount()).toBe(0);
  });
});
