/** The children of jobs, each leader of a session and group of its own: a signal to the runner's group misses them. */
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { createRequire } from 'node:module';
import { type Begun, type ChildOptions, type ExecOptions, type ExecResult, finish } from './exec.ts';
import { endGroup, killGroup } from './groups.ts';
import type { OneJob, WaitGroup } from './wait-group.ts';

export type SpawnChildOptions = ChildOptions & Pick<SpawnOptions, 'stdio' | 'uid' | 'gid' | 'argv0'>;

export const KILL_AFTER_MS = 5000;

export class Children {
  readonly #jobs: WaitGroup;
  readonly #env: NodeJS.ProcessEnv;
  readonly #leaders = new Set<number>();

  /** `env`: what children have unless it is said otherwise. */
  constructor(jobs: WaitGroup, env: NodeJS.ProcessEnv) {
    this.#jobs = jobs;
    this.#env = env;
  }

  /** @throws what Node throws for arguments that cannot be, and `signal`'s reason when it has fired. */
  spawn(file: string, args: readonly string[], options: SpawnChildOptions): ChildProcess {
    return this.#for(options.signal, file, (job, done) => {
      const { child, over } = this.#begin(job, file, args, options, null);
      void over.then(done);
      return child;
    });
  }

  exec(file: string, args: readonly string[], options: ExecOptions): Promise<ExecResult> {
    return this.#for(options.signal, file, async (job, done) => {
      const { capture = false, timeoutMs, maxBytes: _, ...rest } = options;
      const output = capture ? 'pipe' : 'inherit';
      const limit = timeoutMs === undefined ? null : startLimit(timeoutMs);
      try {
        const spawnOptions: SpawnChildOptions = { ...rest, stdio: ['ignore', output, output] };
        const begun = this.#begin(job, file, args, spawnOptions, limit?.signal ?? null);
        return await finish(begun, [file, ...args], options);
      } finally {
        limit?.clear();
        done();
      }
    });
  }

  /** Kills whatever still lives, without asking. */
  killAll(): void {
    for (const pid of this.#leaders) killGroup(pid);
  }

  /** `done`: its own job is over, where it has one. Called here when nothing could be begun. */
  #for<T>(signal: AbortSignal | undefined, file: string, begin: (job: OneJob, done: () => void) => T): T {
    signal?.throwIfAborted();
    const known = signal === undefined ? undefined : this.#jobs.jobOf(signal);
    const job = known ?? this.#jobs.begin(file);
    const done = (): void => {
      if (known === undefined) job.end();
    };
    try {
      return begin(job, done);
    } catch (error) {
      done();
      throw error;
    }
  }

  #begin(
    job: OneJob,
    file: string,
    args: readonly string[],
    { signal, killAfterMs = KILL_AFTER_MS, env = this.#env, ...rest }: SpawnChildOptions,
    limit: AbortSignal | null,
  ): Begun {
    const child = childProcess().spawn(file, [...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      ...rest,
      env: withoutChannels(env),
      detached: true, // setsid(2): a new session, and a group of which it is the leader
    });
    const { pid } = child;
    if (pid === undefined) {
      const over = new Promise<void>((resolve) => child.once('error', () => resolve()));
      return { child, over, cutBy: () => null };
    }
    this.#leaders.add(pid);
    job.pids.add(pid);
    const cut = new Cut([job.cancel, signal, limit], () => endGroup(pid, killAfterMs));
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // What is left of a group that is being ended is still this job's.
    const over = exited
      .then(() => cut.settled())
      .then(() => {
        this.#leaders.delete(pid);
        job.pids.delete(pid);
      });
    return { child, over, cutBy: () => cut.by };
  }
}

/** Ends something once, at the first of several signals. */
class Cut {
  /** The signal that did it. */
  by: AbortSignal | null = null;
  readonly #signals: ReadonlySet<AbortSignal>;
  readonly #end: () => Promise<void>;
  #ended: Promise<void> = Promise.resolve();

  constructor(signals: readonly (AbortSignal | null | undefined)[], end: () => Promise<void>) {
    this.#signals = new Set(signals.filter((signal) => signal !== null && signal !== undefined));
    this.#end = end;
    for (const signal of this.#signals) signal.addEventListener('abort', this.#fire, { once: true });
  }

  /** There is nothing to end any more; resolves when what was begun to be ended is. */
  settled(): Promise<void> {
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#fire);
    return this.#ended;
  }

  readonly #fire = (event: Event): void => {
    if (this.by !== null) return;
    this.by = event.target as AbortSignal; // it is added to signals alone
    this.#ended = this.#end();
  };
}

interface Limit {
  readonly signal: AbortSignal;
  clear(): void;
}

function startLimit(ms: number): Limit {
  const controller = new AbortController();
  const reason = new Error(`it took longer than ${ms} ms`);
  const timer = setTimeout(() => controller.abort(reason), ms);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

type ChildProcessModule = typeof import('node:child_process');
let loaded: ChildProcessModule | null = null;

/** Loaded with the first child: a runner without any need not wait for it. */
function childProcess(): ChildProcessModule {
  loaded ??= createRequire(import.meta.url)('node:child_process') as ChildProcessModule; // Node's own module of that name
  return loaded;
}

/** A job must not speak to the supervisor in the runner's name. */
function withoutChannels(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { TSUP_VISOR_NOTIFY_FD: _fd, NOTIFY_SOCKET: _socket, ...rest } = env;
  const { WATCHDOG_USEC: _usec, WATCHDOG_PID: _pid, ...own } = rest;
  return own;
}
