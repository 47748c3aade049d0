/**
 * The one owner of a runner's end: a first signal makes it take no more work, what it has is finished, and then it
 * exits. Everything that takes part (jobs, their children, hooks, the supervisor) is told from here.
 */
import type { ChildProcess } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { Children, type SpawnChildOptions } from './children.ts';
import { complaintsTo, type Tell } from './complaints.ts';
import { Deadline } from './deadline.ts';
import { Ending, type Outcome } from './ending.ts';
import type { ExecOptions, ExecResult } from './exec.ts';
import { EXIT } from './exit-code.ts';
import { Gauge } from './gauge.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type Hook, type HookOptions, Hooks } from './hooks.ts';
import type { Host } from './host.ts';
import { type RunnerOptions, type Settings, settingsOf } from './options.ts';
import { own } from './owner.ts';
import { QuietHooks } from './quiet-hooks.ts';
import { type AbortCause, RunnerAbort } from './reason.ts';
import { createReporter, type Reporter } from './report.ts';
import { ownSignals, type Signals } from './signals.ts';
import { after, checkMs, stayAlive } from './timer.ts';
import { type Job, type JobInfo, WaitGroup } from './wait-group.ts';

/**
 * @throws when this process has a runner already, {RangeError} for a number of milliseconds that is none, and what
 * Node says about a signal that cannot be caught.
 */
export function createRunner(options: RunnerOptions = {}): Runner {
  // The process is more than what is asked of it, and its overloads are too many for the compiler to see that.
  const host = options.host ?? (process as Host);
  const settings = settingsOf(options);
  const disown = own(host);
  try {
    return new Runner(host, settings, complaintsTo(options.onError), disown);
  } catch (error) {
    disown();
    throw error;
  }
}

/**
 * `working` until the last job is done, `ending` while the shutdown hooks run, `over` from then on or when it was
 * forced. Whoever uninstalls it leaves it `released`: it hears nothing, tells nothing and ends nothing any more.
 */
type Stage = 'working' | 'ending' | 'over' | 'released';

export class Runner implements AsyncDisposable {
  /** Fires when it is to take no more work. Its reason is a {@link RunnerAbort}. */
  readonly quiet: AbortSignal;
  /** Fires when what is under way is to be given up: a deadline is over, or someone insists. */
  readonly cancel: AbortSignal;
  readonly #host: Host;
  readonly #settings: Settings;
  readonly #tell: Tell;
  readonly #disown: () => void;
  readonly #quiet = new AbortController();
  readonly #cancel = new AbortController();
  readonly #reporter: Reporter;
  readonly #gauge: Gauge;
  readonly #jobs = new WaitGroup(() => this.#changed());
  readonly #children: Children;
  readonly #atQuiet: QuietHooks;
  readonly #atEnd = new Hooks();
  readonly #signals: Signals;
  readonly #endHeartbeat: () => void;
  readonly #deadline = new Deadline(() => this.#giveUp('deadline', null));
  readonly #ending: Ending;
  #stage: Stage = 'working';
  #isWaitedFor = false;
  #lastLook: NodeJS.Immediate | undefined;
  #takeBackGrace: () => void = () => {};
  #takeBackLife: () => void = () => {};

  /** Use {@link createRunner}. */
  constructor(host: Host, settings: Settings, tell: Tell, disown: () => void) {
    this.#host = host;
    this.#settings = settings;
    this.#tell = tell;
    this.#disown = disown;
    this.quiet = this.#quiet.signal;
    this.cancel = this.#cancel.signal;
    for (const signal of [this.quiet, this.cancel]) setMaxListeners(0, signal);
    this.#children = new Children(this.#jobs, host.env, tell);
    this.#reporter = createReporter(host.env);
    this.#gauge = new Gauge(this.#reporter);
    this.#atQuiet = new QuietHooks(this.cancel, tell, () => this.#changed());
    this.#ending = new Ending(host, settings.exit, () => this.#release());
    const { signals, debounceMs } = settings;
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

  /**
   * The work under way needs at least so many milliseconds from now: moves the supervisor's deadline and our own.
   * @throws {RangeError} unless it is a number from 0.
   */
  extend(ms: number): void {
    if (!Number.isFinite(checkMs('an extension of', ms))) throw new RangeError('cannot extend for ever');
    this.#reporter.extend(ms);
    this.#deadline.extend(ms);
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
   * promise need not be awaited: a failure is told to `onError` and ends nothing else. It rejects with what `work`
   * throws, and when the runner has drained.
   */
  run<T>(name: string, work: (cancel: AbortSignal) => T | PromiseLike<T>): Promise<T> {
    const result = this.#runOne(name, work);
    result.catch((error: unknown) => this.#tell(`job ${name}`, error));
    return result;
  }

  /**
   * For work that no single function embraces: `end()` it, or say `using`.
   * @throws when the runner has drained: nobody would wait for it.
   */
  begin(name: string): Job {
    if (this.#stage === 'ending' || this.#stage === 'over')
      throw new Error(`cannot begin ${name}: the runner has drained`);
    return this.#jobs.begin(name);
  }

  /**
   * Runs a command to its end, in a group of its own: what is left of that group when the command itself has ended is
   * not waited for, unless it was ended before its time.
   * @throws {ExecError} unless it ends with exit code 0, {RangeError} for a limit that is no number, the reason of
   * `signal` when that has fired, and an error when the runner has ended.
   */
  async exec(file: string, args: readonly string[] = [], options: ExecOptions = {}): Promise<ExecResult> {
    return this.#children.exec(file, args, options);
  }

  /**
   * Starts a child in a group of its own, and waits for it at the end: its job lasts for as long as it does.
   * @throws what Node's `spawn` throws, the reason of `signal` when that has fired, and an error when the runner has
   * ended. That it could not be started is an `error` of the child, or goes to `onError` where nobody listens.
   */
  spawn(file: string, args: readonly string[] = [], options: SpawnChildOptions = {}): ChildProcess {
    return this.#children.spawn(file, args, options);
  }

  /**
   * Called as soon as no more work is to be taken: stop a consumer here. It is waited for, without a limit but
   * `cancel`. All of them are called at once. Returns what takes it back.
   */
  onQuiet(name: string, hook: Hook): () => void {
    return this.#atQuiet.add(name, hook);
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
   * after the loop that takes work, or at once where a consumer calls back. Rejects when the runner is uninstalled.
   */
  drained(): Promise<Outcome> {
    if (!this.#isWaitedFor && !this.#ending.isOver) {
      this.#isWaitedFor = true;
      this.#takeBackLife = stayAlive();
      this.#changed();
    }
    return this.#ending.over;
  }

  /**
   * Gives the signals back and forgets its timers. What is under way goes on; nobody waits for it, and nobody ends
   * the process. A second call does nothing.
   */
  uninstall(): void {
    if (this.#ending.isOver) return;
    this.#stage = 'released';
    this.#ending.abandon();
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

  #asked(signal: NodeJS.Signals, times: number): void {
    if (times === 1) this.#becomeQuiet('signal', signal);
    else if (times === 2) this.#giveUp('insisted', signal);
    else this.#force();
  }

  #becomeQuiet(because: AbortCause, signal: NodeJS.Signals | null): void {
    if (this.quiet.aborted) return;
    if (this.#stage === 'working') {
      this.#reporter.stopping();
      this.#deadline.begin(this.#settings.deadlineMs);
    }
    this.#quiet.abort(new RunnerAbort('quiet', because, signal));
    this.#atQuiet.begin();
    this.#changed();
  }

  #giveUp(because: AbortCause, signal: NodeJS.Signals | null): void {
    this.#becomeQuiet(because, signal);
    if (this.cancel.aborted || this.#stage === 'ending' || this.#stage === 'over') return; // nothing is under way
    this.#deadline.end();
    if (this.#stage === 'working')
      this.#takeBackGrace = after(this.#settings.cancelGraceMs, () => this.#force());
    const reason = new RunnerAbort('cancel', because, signal);
    this.#cancel.abort(reason);
    this.#jobs.cancel(reason);
  }

  /** Nobody waits any more, for anything. */
  #force(): void {
    this.#children.close();
    this.#end({ reason: 'forced', code: EXIT.forced, failures: [] }, FORCED_FLUSH_MS);
  }

  #changed(): void {
    if (this.#stage !== 'working') return;
    this.#gauge.set(this.#jobs.size);
    if (this.#isDone()) this.#lastLook ??= setImmediate(this.#lookAgain);
  }

  #isDone(): boolean {
    const isIdle = this.#jobs.size === 0 && this.#atQuiet.underWay === 0;
    return this.quiet.aborted && this.#isWaitedFor && isIdle;
  }

  /** What the program does with the result of its last job comes first, and it may be another job. */
  readonly #lookAgain = (): void => {
    this.#lastLook = undefined;
    if (this.#stage === 'working' && this.#isDone()) void this.#finish();
  };

  /** A program that does not wait for `drained()` ends when nothing is left to do; then all the same is done. */
  readonly #atLoopEnd = (): void => {
    if (this.quiet.aborted) void this.drained();
  };

  async #finish(): Promise<void> {
    this.#stage = 'ending';
    this.#deadline.end();
    this.#takeBackGrace(); // it was for jobs; hooks have limits of their own
    this.#jobs.endCancel();
    this.#gauge.flush();
    const failures = await this.#atEnd.run();
    for (const { name, error } of failures) this.#tell(`hook ${name}`, error);
    await this.#children.endAll(); // what hooks have begun and not waited for
    if (this.#stage !== 'ending') return; // forced, or uninstalled
    this.#children.close();
    this.#reporter.drained();
    const reason = this.cancel.aborted ? 'cancelled' : failures.length > 0 ? 'hookFailed' : 'drained';
    this.#end({ reason, code: EXIT[reason], failures }, Number.POSITIVE_INFINITY);
  }

  #end(outcome: Outcome, flushMs: number): void {
    this.#stage = 'over';
    this.#ending.begin(outcome, flushMs);
  }

  #release(): void {
    this.#signals.close();
    this.#host.off('beforeExit', this.#atLoopEnd);
    this.#endHeartbeat();
    this.#gauge.close();
    clearImmediate(this.#lastLook);
    this.#deadline.end();
    this.#takeBackGrace();
    this.#takeBackLife();
    this.#disown();
  }
}

/** What nobody reads holds up an orderly end, but not one that was insisted on. */
const FORCED_FLUSH_MS = 500;
