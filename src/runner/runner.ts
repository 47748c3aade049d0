/**
 * The one owner of a runner's end: a first signal makes it take no more work, what it has is finished, and then it
 * exits. Everything that takes part (jobs, their children, hooks, the supervisor) is told from here.
 */
import type { ChildProcess } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { Children, type SpawnChildOptions } from './children.ts';
import { ExecError, type ExecOptions, type ExecResult } from './exec.ts';
import { EXIT, type ExitReason } from './exit-code.ts';
import { Gauge } from './gauge.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type Hook, type HookFailure, type HookOptions, Hooks } from './hooks.ts';
import { flushed, type Host } from './host.ts';
import { type AbortCause, RunnerAbort } from './reason.ts';
import { createReporter, type Reporter } from './report.ts';
import { ownSignals, type Signals } from './signals.ts';
import { type Job, type JobInfo, WaitGroup } from './wait-group.ts';

export interface RunnerOptions {
  /** What asks for an end. An empty list switches it off: only `stop()` and `abort()` do. Default: SIGTERM, SIGINT. */
  readonly signals?: readonly NodeJS.Signals[];
  /** A signal that comes so soon after another is the same wish. Default: 250. */
  readonly debounceMs?: number;
  /**
   * From `quiet` to `cancel`. Default: null, none: a supervisor has its own deadline, and signals again when it is
   * over.
   */
  readonly deadlineMs?: number | null;
  /** From `cancel` to the end of everything that did not heed it. Default: 10000. */
  readonly cancelGraceMs?: number;
  /** `what` (`job 7`, `hook redis`) failed. Default: it is written to stderr. */
  readonly onError?: (what: string, error: unknown) => void;
  /** Whether the process is ended when all is done. Default: true. */
  readonly exit?: boolean;
  /** The process that this is in. For tests. */
  readonly host?: Host;
}

/** How it ended. */
export interface Outcome {
  readonly reason: ExitReason;
  readonly code: number;
  /** Shutdown hooks that failed or took too long. */
  readonly failures: readonly HookFailure[];
}

/** There is one owner of a process's signals. */
const owned = new WeakSet<Host>();

/** @throws when this process has a runner already. */
export function createRunner(options: RunnerOptions = {}): Runner {
  // The process is more than what is asked of it, and its overloads are too many for the compiler to see that.
  const host = options.host ?? (process as Host);
  if (owned.has(host))
    throw new Error('cannot create a second runner in this process: its signals have an owner');
  owned.add(host);
  return new Runner(host, options);
}

export class Runner implements AsyncDisposable {
  /** Fires when it is to take no more work. Its reason is a {@link RunnerAbort}. */
  readonly quiet: AbortSignal;
  /** Fires when what is under way is to be given up: a deadline is over, or someone insists. */
  readonly cancel: AbortSignal;
  readonly #host: Host;
  readonly #options: RunnerOptions;
  readonly #quiet = new AbortController();
  readonly #cancel = new AbortController();
  readonly #reporter: Reporter;
  readonly #gauge: Gauge;
  readonly #jobs = new WaitGroup(() => this.#changed());
  readonly #children: Children;
  readonly #atQuiet: Registered[] = [];
  readonly #atEnd = new Hooks();
  readonly #signals: Signals;
  readonly #endHeartbeat: () => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #over: Promise<Outcome>;
  #settle: (outcome: Outcome) => void = () => {};
  #deadline: NodeJS.Timeout | undefined;
  #deadlineAt = Number.NEGATIVE_INFINITY;
  /** No deadline of ours is sooner. */
  #notBefore = Number.NEGATIVE_INFINITY;
  /** What was begun when it became quiet and is to end before it is drained. */
  #settling = 0;
  #isWaitedFor = false;
  #isEnding = false;
  #hasLeft = false;

  /** Use {@link createRunner}. */
  constructor(host: Host, options: RunnerOptions) {
    this.#host = host;
    this.#options = options;
    this.quiet = this.#quiet.signal;
    this.cancel = this.#cancel.signal;
    for (const signal of [this.quiet, this.cancel]) setMaxListeners(0, signal);
    this.#children = new Children(this.#jobs, host.env);
    this.#reporter = createReporter(host.env);
    this.#gauge = new Gauge(this.#reporter);
    this.#over = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { signals = ['SIGTERM', 'SIGINT'], debounceMs = 250 } = options;
    this.#signals = ownSignals(host, { names: signals, debounceMs }, (signal, times) =>
      this.#asked(signal, times),
    );
    this.#endHeartbeat = startHeartbeat(host, this.#reporter);
    host.on('beforeExit', this.#atLoopEnd);
  }

  /** It takes work from now on. */
  ready(): void {
    this.#reporter.ready();
    this.#gauge.set(this.#jobs.size);
  }

  /** What it is doing, in one line, for `tsup-visor status`. */
  status(text: string): void {
    this.#reporter.status(text);
  }

  /** The work under way needs at least so many milliseconds from now: moves the supervisor's deadline and our own. */
  extend(ms: number): void {
    if (!(Number.isFinite(ms) && ms >= 0)) throw new RangeError(`cannot extend by ${ms} ms`);
    this.#reporter.extend(ms);
    this.#notBefore = Math.max(this.#notBefore, performance.now() + ms);
    if (this.#deadline !== undefined) this.#armDeadline(this.#deadlineAt - performance.now());
  }

  /** Jobs under way. */
  get inFlight(): number {
    return this.#jobs.size;
  }

  /** Jobs under way, the oldest first. */
  list(): JobInfo[] {
    return this.#jobs.list();
  }

  /**
   * Runs a job and waits for it at the end. `cancel` is the job's own: pass it on to whatever can be interrupted. The
   * promise need not be awaited: a failure is told to `onError` and ends nothing else.
   */
  run<T>(name: string, work: (cancel: AbortSignal) => T | PromiseLike<T>): Promise<T> {
    const result = this.#runOne(name, work);
    result.catch((error: unknown) => this.#failed(`job ${name}`, error));
    return result;
  }

  /**
   * For work that no single function embraces: `end()` it, or say `using`.
   * @throws when the runner has ended: nobody would wait for it.
   */
  begin(name: string): Job {
    if (this.#isEnding) throw new Error(`cannot begin ${name}: the runner has drained`);
    return this.#jobs.begin(name);
  }

  /** Runs a command to its end, in a group of its own. @throws {ExecError} unless it ends with exit code 0. */
  async exec(file: string, args: readonly string[] = [], options: ExecOptions = {}): Promise<ExecResult> {
    return this.#children.exec(file, args, options);
  }

  /** Starts a child in a group of its own, and waits for it at the end. @throws what Node's `spawn` throws. */
  spawn(file: string, args: readonly string[] = [], options: SpawnChildOptions = {}): ChildProcess {
    return this.#children.spawn(file, args, options);
  }

  /**
   * Called as soon as no more work is to be taken: stop a consumer here. It is waited for, without a limit but
   * `cancel`. All of them are called at once. Returns what takes it back.
   */
  onQuiet(name: string, hook: Hook): () => void {
    const registered = { name, hook };
    this.#atQuiet.push(registered);
    if (this.quiet.aborted) this.#callAtQuiet(registered);
    return () => {
      const at = this.#atQuiet.indexOf(registered);
      if (at >= 0) this.#atQuiet.splice(at, 1);
    };
  }

  /** Called when no job is left, the last that was added first: close a connection here. */
  onShutdown(name: string, hook: Hook, options?: HookOptions): () => void {
    return this.#atEnd.add(name, hook, options);
  }

  /** As a first signal does. */
  stop(): void {
    this.#becomeQuiet('code', null);
  }

  /** As a second signal does. */
  abort(): void {
    this.#giveUp('code', null);
  }

  /**
   * Waits until it is quiet and everything is done; then runs the shutdown hooks, tells the supervisor and, unless
   * `exit` is false, ends the process once all output is out. Call it when nothing but jobs and hooks is left to do:
   * after the loop that takes work, or at once where a consumer calls back.
   */
  drained(): Promise<Outcome> {
    if (!this.#isWaitedFor) {
      this.#isWaitedFor = true;
      this.#timers.add(setInterval(() => {}, FOR_EVER_MS)); // a promise alone keeps no process alive
      this.#changed();
    }
    return this.#over;
  }

  /** Gives the signals back and forgets its timers. What is under way goes on; nobody waits for it. */
  uninstall(): void {
    this.#signals.close();
    this.#host.off('beforeExit', this.#atLoopEnd);
    this.#endHeartbeat();
    this.#gauge.close();
    clearTimeout(this.#deadline);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    owned.delete(this.#host);
  }

  /** Stops it and waits until it has drained. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.drained();
  }

  async #runOne<T>(name: string, work: (cancel: AbortSignal) => T | PromiseLike<T>): Promise<T> {
    const job = this.begin(name);
    try {
      return await work(job.cancel);
    } finally {
      job.end();
    }
  }

  #failed(what: string, error: unknown): void {
    const tell = this.#options.onError ?? complain;
    try {
      tell(what, error);
    } catch (defect) {
      console.error('onError failed:', defect);
    }
  }

  #asked(signal: NodeJS.Signals, times: number): void {
    if (times === 1) this.#becomeQuiet('signal', signal);
    else if (times === 2) this.#giveUp('insisted', signal);
    else this.#force();
  }

  #becomeQuiet(because: AbortCause, signal: NodeJS.Signals | null): void {
    if (this.quiet.aborted) return;
    this.#reporter.stopping();
    this.#quiet.abort(new RunnerAbort('quiet', because, signal));
    for (const registered of [...this.#atQuiet]) this.#callAtQuiet(registered);
    const { deadlineMs = null } = this.#options;
    if (deadlineMs !== null && !this.cancel.aborted) this.#armDeadline(deadlineMs);
    this.#changed();
  }

  #callAtQuiet({ name, hook }: Registered): void {
    this.#settling++;
    new Promise((resolve) => resolve(hook(this.cancel)))
      .catch((error: unknown) => this.#failed(`hook ${name}`, error))
      .finally(() => {
        this.#settling--;
        this.#changed();
      });
  }

  #armDeadline(ms: number): void {
    clearTimeout(this.#deadline);
    const now = performance.now();
    this.#deadlineAt = Math.max(now + ms, this.#notBefore);
    const waitMs = Math.min(this.#deadlineAt - now, FOR_EVER_MS);
    this.#deadline = setTimeout(() => this.#giveUp('deadline', null), waitMs);
  }

  #giveUp(because: AbortCause, signal: NodeJS.Signals | null): void {
    this.#becomeQuiet(because, signal);
    if (this.cancel.aborted || this.#isEnding) return; // with nothing under way nothing is given up
    clearTimeout(this.#deadline);
    const reason = new RunnerAbort('cancel', because, signal);
    this.#cancel.abort(reason);
    this.#jobs.cancel(reason);
    const { cancelGraceMs = CANCEL_GRACE_MS } = this.#options;
    this.#timers.add(setTimeout(() => this.#force(), cancelGraceMs));
  }

  /** Nobody waits any more, for anything. */
  #force(): void {
    this.#children.killAll();
    this.#end({ reason: 'forced', code: EXIT.forced, failures: [] }, FORCED_FLUSH_MS);
  }

  #changed(): void {
    if (this.#isEnding) return;
    this.#gauge.set(this.#jobs.size);
    if (this.quiet.aborted && this.#isWaitedFor && this.#isIdle()) void this.#finish();
  }

  #isIdle(): boolean {
    return this.#jobs.size === 0 && this.#settling === 0;
  }

  /** A program that does not wait for `drained()` ends when nothing is left to do; then all the same is done. */
  readonly #atLoopEnd = (): void => {
    if (this.quiet.aborted && this.#isIdle()) void this.drained();
  };

  async #finish(): Promise<void> {
    this.#isEnding = true;
    this.#gauge.flush();
    const failures = await this.#atEnd.run();
    for (const { name, error } of failures) this.#failed(`hook ${name}`, error);
    this.#reporter.drained();
    const reason = this.cancel.aborted ? 'cancelled' : failures.length > 0 ? 'hookFailed' : 'drained';
    this.#end({ reason, code: EXIT[reason], failures }, null);
  }

  /** The signals stay ours until the process is gone: one that comes late must not make its end another. */
  #end(outcome: Outcome, flushMs: number | null): void {
    this.#isEnding = true;
    if (this.#options.exit === false) this.#leave(outcome);
    else {
      if (flushMs !== null) this.#timers.add(setTimeout(() => this.#leave(outcome), flushMs));
      void flushed(this.#host).then(() => this.#leave(outcome));
    }
  }

  #leave(outcome: Outcome): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    if (this.#options.exit !== false) this.#host.exit(outcome.code);
    this.uninstall();
    this.#settle(outcome);
  }
}

/** What a command has ended with says all; anything else may be a defect, and its place is what one wants to know. */
function complain(what: string, error: unknown): void {
  console.error(`${what} failed:`, error instanceof ExecError ? error.message : error);
}

interface Registered {
  readonly name: string;
  readonly hook: Hook;
}

const CANCEL_GRACE_MS = 10_000;
/** What nobody reads holds up an orderly end, but not one that was insisted on. */
const FORCED_FLUSH_MS = 500;
/** As long as a timer can wait. */
const FOR_EVER_MS = 2 ** 31 - 1;
