/** A runner as a real process: says what it does on descriptor 3, and does what its first argument names. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { createReporter, createRunner, type RunnerOptions } from '../../src/runner/index.ts';

const CHANNEL = 3;
const say = (text: string): void => void writeSync(CHANNEL, `${text}\n`);
const start = (options: RunnerOptions = {}) => {
  const runner = createRunner(options);
  runner.quiet.addEventListener('abort', () => say('quiet'));
  runner.cancel.addEventListener('abort', () => say('cancel'));
  return runner;
};

const ACTS: Readonly<Record<string, () => void>> = {
  /** Waits for its last word to be read. */
  talkative() {
    const runner = start();
    runner.onShutdown('words', () => void process.stdout.write(`${'x'.repeat(1_000_000)}\nlast`));
    void runner.drained();
  },
  /** Has said all to somebody who is gone. */
  unheard() {
    const runner = start();
    runner.onQuiet('words', () => console.log('x'.repeat(100_000)));
    process.stdout.on('error', () => {}); // EPIPE is Node's to report, and not what this is about
    void runner.drained();
  },
  /** One job that a deadline ends, with nothing else that would keep it alive. */
  lazy() {
    const runner = start({ deadlineMs: 300, onError: () => {} });
    runner
      .run(
        '7',
        (cancel) => new Promise((_, reject) => cancel.addEventListener('abort', () => reject(cancel.reason))),
      )
      .catch(() => {});
    void runner.drained();
  },
  /** Is deaf for a while from the first signal on. */
  busy() {
    const runner = start();
    runner.quiet.addEventListener('abort', () => {
      execFileSync('sleep', ['0.6']);
      say('again');
    });
    runner.run('7', async () => {
      await new Promise((resolve) => runner.quiet.addEventListener('abort', resolve));
      await pause(300);
    });
    void runner.drained();
  },
  /** Two hundred commands one after another, under signals that are all one wish. */
  fertile() {
    const runner = start({ debounceMs: 600_000, onError: () => {} });
    runner
      .run('7', async (signal) => {
        for (let n = 0; n < 200; n++) await runner.exec('true', [], { signal });
        say('all done');
      })
      .catch((error: unknown) => say(String(error)));
    void runner.drained();
  },
  /** A job that is a child, which takes a second. */
  father() {
    const runner = start();
    runner.run('7', async (signal) => {
      await runner.exec('sleep', ['1'], { signal });
      say('job done');
    });
    void runner.drained();
  },
  /** Never heeds anything, and says when the next signal is another wish. */
  stubborn() {
    const runner = start({ debounceMs: 1 });
    runner.run('7', async () => {
      const child = runner.spawn('sh', ['-c', 'trap "" TERM; sleep 100 & wait; wait']);
      await once(runner.quiet, 'abort');
      setTimeout(() => setImmediate(() => say(`child ${child.pid}`)), 50);
      await once(runner.cancel, 'abort');
      setTimeout(() => setImmediate(() => say('still here')), 50);
      await new Promise(() => {});
    });
    void runner.drained();
  },
  /** Does not wait for the end, and has nothing to do. */
  brief() {
    const runner = start();
    const timer = setInterval(() => {}, 1000);
    runner.quiet.addEventListener('abort', () => clearInterval(timer));
    runner.onShutdown('redis', () => say('closed'));
  },
  /** Reports to a channel that is full, and has nothing to do. */
  mute() {
    createReporter().ready();
  },
  /** Gives everything back, and lets the system do what it does. */
  uninstalled() {
    start().uninstall();
    setInterval(() => {}, 1000);
  },
};

ACTS[process.argv[2] ?? '']?.();
say('on');
