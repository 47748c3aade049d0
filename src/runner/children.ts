/** The children of jobs, each leader of a session and group of its own: a signal to the runner's group misses them. */
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Tell } from './complaints.ts';
import { Cut } from './cut.ts';
import {
  type Begun,
  type ChildOptions,
  cannotStart,
  checkExec,
  type ExecOptions,
  type ExecResult,
  finish,
} from './exec.ts';
import { endGroup, killGroup } from './groups.ts';
import { startLeader } from './leader.ts';
import { after, checkMs } from './timer.ts';
import type { OneJob, WaitGroup } from './wait-group.ts';

/** As Node's `spawn` has them. Standard input is closed, and output goes where the runner's own goes. */
export type SpawnChildOptions = ChildOptions & Pick<SpawnOptions, 'stdio' | 'uid' | 'gid' | 'argv0'>;

export const KILL_AFTER_MS = 5000;

export class Children {
  readonly #jobs: WaitGroup;
  readonly #env: NodeJS.ProcessEnv;
  readonly #tell: Tell;
  readonly #living = new Map<number, Cut>();
  #isClosed = false;

  /** `env`: what children have unless it is said otherwise. */
  constructor(jobs: WaitGroup, env: NodeJS.ProcessEnv, tell: Tell) {
    this.#jobs = jobs;
    this.#env = env;
    this.#tell = tell;
  }

  /** @throws what Node throws for arguments that cannot be, and `signal`'s reason when it has fired. */
  spawn(file: string, args: readonly string[], options: SpawnChildOptions): ChildProcess {
    const { job, done } = this.#jobFor(options.signal, file);
    try {
      const { child } = this.#begin(job, file, args, options, null);
      child.on('error', (error) => {
        if (child.listenerCount('error') === 1) this.#tell(`child ${file}`, error); // nobody else is told
      });
      return child;
    } finally {
      done(); // the job lasts until the child is gone
    }
  }

  async exec(file: string, args: readonly string[], options: ExecOptions): Promise<ExecResult> {
    checkExec(options);
    const { job, done } = this.#jobFor(options.signal, file);
    const limit = new Limit(options.timeoutMs);
    const command = [file, ...args];
    try {
      return await finish(this.#beginExec(job, command, options, limit.signal), command, options);
    } finally {
      limit.clear();
      done(); // not sooner: what it said is still to be handed over
    }
  }

  /** Asks whatever still lives to end, and sees that it does. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#living.values()].map((cut) => cut.now()));
  }

  /** Kills whatever still lives, without asking, and begins nothing more. */
  close(): void {
    this.#isClosed = true;
    for (const pid of this.#living.keys()) killGroup(pid);
  }

  /** `done`: its own job is over, where it has one. */
  #jobFor(signal: AbortSignal | undefined, file: string): { job: OneJob; done: () => void } {
    if (this.#isClosed) throw new Error(`cannot start ${file}: the runner has ended`);
    signal?.throwIfAborted();
    const known = signal === undefined ? undefined : this.#jobs.jobOf(signal);
    if (known !== undefined) return { job: known, done: () => {} };
    const job = this.#jobs.begin(file);
    if (job.cancel.aborted) job.end();
    job.cancel.throwIfAborted();
    return { job, done: () => job.end() };
  }

  #beginExec(
    job: OneJob,
    [file = '', ...args]: readonly string[],
    { capture = false, timeoutMs: _, maxBytes: __, ...rest }: ExecOptions,
    limit: AbortSignal,
  ): Begun {
    const output = capture ? 'pipe' : 'inherit';
    try {
      return this.#begin(job, file, args, { ...rest, stdio: ['ignore', output, output] }, limit);
    } catch (error) {
      // Some of what the system says comes as an event, and some is thrown (E2BIG, ENOTDIR).
      throw error instanceof Error && 'syscall' in error ? cannotStart([file, ...args], error) : error;
    }
  }

  #begin(
    job: OneJob,
    file: string,
    args: readonly string[],
    { signal, killAfterMs = KILL_AFTER_MS, env = this.#env, ...rest }: SpawnChildOptions,
    limit: AbortSignal | null,
  ): Begun {
    checkMs('killAfterMs', killAfterMs);
    const { spawn } = childProcess();
    const spawnOptions: SpawnOptions = {
      stdio: ['ignore', 'inherit', 'inherit'],
      ...rest,
      env: withoutChannels(env),
      detached: true, // setsid(2): a new session, and a group of which it is the leader
    };
    const child = startLeader(() => spawn(file, [...args], spawnOptions));
    const { pid } = child;
    if (pid === undefined) return { child, over: Promise.resolve(), cutBy: () => null };
    const letGo = job.hold(pid);
    const cut = new Cut([job.cancel, signal, limit], () => endGroup(pid, killAfterMs));
    this.#living.set(pid, cut);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // What is left of a group that is being ended is still this job's.
    const over = exited
      .then(() => cut.settled())
      .then(() => {
        this.#living.delete(pid);
        letGo();
      });
    return { child, over, cutBy: () => cut.by };
  }
}

/** Fires after so many milliseconds, or never. */
class Limit {
  readonly signal: AbortSignal;
  readonly clear: () => void;

  constructor(ms: number | undefined) {
    const controller = new AbortController();
    const reason = new Error(`it took longer than ${ms} ms`);
    this.signal = controller.signal;
    this.clear = ms === undefined ? () => {} : after(ms, () => controller.abort(reason));
  }
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
