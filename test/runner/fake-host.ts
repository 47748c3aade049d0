/** A process that a test holds in its hands: its signals, its output, and what it is told to exit with. */
import { EventEmitter } from 'node:events';
import { vi } from 'vitest';
import type { Host, Sink } from '../../src/runner/index.ts';

export class FakeHost extends EventEmitter implements Host {
  readonly pid = 4711;
  readonly env: NodeJS.ProcessEnv;
  /** What happened, in order. A test adds its own. */
  readonly log: string[] = [];
  readonly stdout = new FakeSink();
  readonly stderr = new FakeSink();

  constructor(env: NodeJS.ProcessEnv = {}) {
    super();
    this.env = env;
  }

  /** As if the system delivered it. */
  signal(name: NodeJS.Signals): void {
    this.emit(name, name);
  }

  /** Unlike the real one it returns. */
  exit(code: number): void {
    this.log.push(`exit ${code}`);
  }

  /** Whoever listens to anything. */
  get listening(): number {
    return this.eventNames().reduce((sum, name) => sum + this.listenerCount(name), 0);
  }
}

/** Output that nobody reads for as long as it is held. */
export class FakeSink implements Sink {
  isHeld = false;
  #waiting: (() => void)[] = [];

  write(_text: string, done: () => void): void {
    if (this.isHeld) this.#waiting.push(done);
    else queueMicrotask(done);
  }

  release(): void {
    this.isHeld = false;
    for (const done of this.#waiting.splice(0)) done();
  }
}

/** What a promise has become, once everything that needs no time has happened. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  let state: 'pending' | 'resolved' | 'rejected' = 'pending';
  promise.then(
    () => (state = 'resolved'),
    () => (state = 'rejected'),
  );
  await turn();
  return state;
}

/** Time stands still but for `pass`; the loop turns as ever. */
export const holdTime = (): unknown =>
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });

/** So many milliseconds, with all that happens at their beginning and at their end. */
export async function pass(ms: number): Promise<void> {
  await turn();
  await vi.advanceTimersByTimeAsync(ms);
  await turn();
}

/** Everything that is queued happens. */
export async function turn(): Promise<void> {
  for (let left = 3; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
}
