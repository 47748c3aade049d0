/** The runner as a program sees it: what it can ask for, and what it is told. The way to its end is a course's. */
import type { ChildProcess } from 'node:child_process';
import type { SpawnChildOptions } from './children.ts';
import { complaintsTo, type Tell } from './complaints.ts';
import { Course } from './course.ts';
import type { Outcome } from './ending.ts';
import type { ExecOptions, ExecResult } from './exec.ts';
import type { Hook, HookOptions } from './hooks.ts';
import type { Host } from './host.ts';
import { type RunnerOptions, settingsOf } from './options.ts';
import { own } from './owner.ts';
import { checkMs } from './timer.ts';
import type { Job, JobInfo } from './wait-group.ts';

/**
 * @throws when this process has a runner already, {RangeError} for a number of milliseconds that is none, and what
 * Node says about a signal that cannot be caught.
 */
export function createRunner(options: RunnerOptions = {}): Runner {
  // The process is more than what is asked of it, and its overloads are too many for the compiler to see that.
  const host = options.host ?? (process as Host);
  const settings = settingsOf(options);
  const tell = complaintsTo(options.onError);
  const disown = own(host);
  try {
    return new Runner(new Course(host, settings, tell, disown), tell);
  } catch (error) {
    disown();
    throw error;
  }
}

export class Runner implements AsyncDisposable {
  /** Fires when it is to take no more work. Its reason is a `RunnerAbort`. */
  readonly quiet: AbortSignal;
  /** Fires when what is under way is to be given up: a deadline is over, or someone insists. */
  readonly cancel: AbortSignal;
  readonly #course: Course;
  readonly #tell: Tell;

  /** Use {@link createRunner}. */
  constructor(course: Course, tell: Tell) {
    this.quiet = course.quiet;
    this.cancel = course.cancel;
    this.#course = course;
    this.#tell = tell;
  }

  /** It takes work from now on. */
  ready(): void {
    this.#course.ready();
  }

  /** What it is doing, in one line, for `tsup-visor status`. */
  status(text: string): void {
    this.#course.reporter.status(text);
  }

  /**
   * The work under way needs at least so many milliseconds from now: moves the supervisor's deadline and our own.
   * @throws {RangeError} unless it is a number from 0.
   */
  extend(ms: number): void {
    if (!Number.isFinite(checkMs('an extension of', ms))) throw new RangeError('cannot extend for ever');
    this.#course.reporter.extend(ms);
    this.#course.deadline.extend(ms);
  }

  /** Jobs under way. */
  get inFlight(): number {
    return this.#course.jobs.size;
  }

  /** Jobs under way, the oldest first. */
  list(): JobInfo[] {
    return this.#course.jobs.list();
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
    return this.#course.begin(name);
  }

  /**
   * Runs a command to its end, in a group of its own: what is left of that group when the command itself has ended is
   * not waited for, unless it was ended before its time.
   * @throws {ExecError} unless it ends with exit code 0, {RangeError} for a limit that is no number, the reason of
   * `signal` when that has fired, and an error when the runner has ended.
   */
  async exec(file: string, args: readonly string[] = [], options: ExecOptions = {}): Promise<ExecResult> {
    return this.#course.children.exec(file, args, options);
  }

  /**
   * Starts a child in a group of its own, and waits for it at the end: its job lasts for as long as it does.
   * @throws what Node's `spawn` throws, the reason of `signal` when that has fired, and an error when the runner has
   * ended. That it could not be started is an `error` of the child, or goes to `onError` where nobody listens.
   */
  spawn(file: string, args: readonly string[] = [], options: SpawnChildOptions = {}): ChildProcess {
    return this.#course.children.spawn(file, args, options);
  }

  /**
   * Called as soon as no more work is to be taken: stop a consumer here. It is waited for, without a limit but
   * `cancel`. All of them are called at once. Returns what takes it back.
   */
  onQuiet(name: string, hook: Hook): () => void {
    return this.#course.atQuiet.add(name, hook);
  }

  /** Called when no job is left, the last that was added first: close a connection here. */
  onShutdown(name: string, hook: Hook, options?: HookOptions): () => void {
    return this.#course.atEnd.add(name, hook, options);
  }

  /** As a first signal does. */
  stop(): void {
    this.#course.becomeQuiet('code', null);
  }

  /** As a second signal does. */
  abort(): void {
    this.#course.giveUp('code', null);
  }

  /**
   * Waits until it is quiet and everything is done; then runs the shutdown hooks, tells the supervisor and, unless
   * `exit` is false, ends the process once all output is out. Call it when nothing but jobs and hooks is left to do:
   * after the loop that takes work, or at once where a consumer calls back. Rejects when the runner is uninstalled.
   */
  drained(): Promise<Outcome> {
    return this.#course.wait();
  }

  /**
   * Gives the signals back and forgets its timers. What is under way goes on; nobody waits for it, and nobody ends
   * the process. A second call does nothing.
   */
  uninstall(): void {
    this.#course.leave();
  }

  /** Stops it and waits until it has drained, unless it was uninstalled. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#course.isReleased) return;
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
}
