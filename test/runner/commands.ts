/** A runner whose children are real, in a process that is not. */
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterEach } from 'vitest';
import { createRunner, type Runner, type RunnerOptions } from '../../src/runner/index.ts';
import { until } from '../e2e/until.ts';
import type { LeakCheck } from '../rig/leaks.ts';
import { FakeHost } from './fake-host.ts';

export interface Scene {
  readonly host: FakeHost;
  readonly runner: Runner;
  /** What `onError` was told. */
  readonly failed: readonly string[];
}

/** Each test has its own; `leaks` finds what it leaves. */
export function useScenes(leaks: LeakCheck): (options?: RunnerOptions, env?: NodeJS.ProcessEnv) => Scene {
  const runners: Runner[] = [];
  afterEach(() => {
    for (const runner of runners.splice(0)) runner.uninstall();
  });
  return (options = {}, env = {}) => {
    const host = new FakeHost({ ...process.env, ...leaks.environment, ...env });
    const failed: string[] = [];
    const onError = (what: string, error: unknown): void =>
      void failed.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    const runner = createRunner({ host, onError, exit: false, ...options });
    runners.push(runner);
    return { host, runner, failed };
  };
}

/** The lines of a stream, one after another. */
export function lines(stream: Readable | null): () => Promise<string> {
  if (stream === null) throw new Error('there is no such stream');
  const iterator = createInterface({ input: stream })[Symbol.asyncIterator]();
  return async () => String((await iterator.next()).value);
}

/** It is there and no zombie. */
export function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false; // gone in this moment
  }
}

export const isGone = (pid: number): Promise<true> =>
  until(`process ${pid} is gone`, () => !isAlive(pid) || undefined, { everyMs: 5 });
