/** Everything that is under way: what has begun is waited for until it has ended. */
import { setMaxListeners } from 'node:events';
import type { RunnerAbort } from './reason.ts';

/** A job that was begun by hand. */
export interface Job {
  readonly name: string;
  /** Fires when the job is to be given up; its reason is a {@link RunnerAbort}. */
  readonly cancel: AbortSignal;
  /** It is over, once its children are. A second call does nothing. */
  end(): void;
  /** For `using job = runner.begin(…)`. */
  [Symbol.dispose](): void;
}

/** A job as it is shown. */
export interface JobInfo {
  readonly name: string;
  readonly since: Date;
  /** By a clock that nobody sets. */
  readonly ageMs: number;
  /** The leaders of its child processes that live. */
  readonly pids: readonly number[];
}

export class WaitGroup {
  readonly #jobs = new Set<OneJob>();
  readonly #bySignal = new WeakMap<AbortSignal, OneJob>();
  readonly #changed: () => void;
  #cancelled: RunnerAbort | null = null;

  /** `changed`: called after each beginning and each end. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get size(): number {
    return this.#jobs.size;
  }

  begin(name: string): OneJob {
    const job = new OneJob(name, () => {
      if (this.#jobs.delete(job)) this.#changed();
    });
    this.#jobs.add(job);
    this.#bySignal.set(job.cancel, job);
    if (this.#cancelled !== null) job.abort(this.#cancelled);
    this.#changed();
    return job;
  }

  /** The job under way that was given this signal. */
  jobOf(signal: AbortSignal): OneJob | undefined {
    const job = this.#bySignal.get(signal);
    return job !== undefined && this.#jobs.has(job) ? job : undefined;
  }

  /** All jobs are to give up, those that are yet to begin as well. */
  cancel(reason: RunnerAbort): void {
    this.#cancelled = reason;
    for (const job of [...this.#jobs]) job.abort(reason);
  }

  /** What begins from now on is not given up: it belongs to the end. */
  endCancel(): void {
    this.#cancelled = null;
  }

  /** The oldest first. */
  list(): JobInfo[] {
    const now = performance.now();
    return [...this.#jobs].map(({ name, since, begunAt, pids }) => ({
      name,
      since,
      ageMs: now - begunAt,
      pids: [...pids],
    }));
  }
}

export class OneJob implements Job {
  readonly name: string;
  readonly cancel: AbortSignal;
  readonly since = new Date();
  readonly begunAt = performance.now();
  readonly #pids = new Set<number>();
  readonly #controller = new AbortController();
  readonly #over: () => void;
  #isEnded = false;

  /** `over`: it has ended, and every child of it has. May be called more than once. */
  constructor(name: string, over: () => void) {
    this.name = name;
    this.#over = over;
    this.cancel = this.#controller.signal;
    setMaxListeners(0, this.cancel); // a job may wait for many things at once
  }

  get pids(): Iterable<number> {
    return this.#pids;
  }

  end(): void {
    this.#isEnded = true;
    if (this.#pids.size === 0) this.#over();
  }

  [Symbol.dispose](): void {
    this.end();
  }

  /** A child outlives the function that began it; the job lasts until it is gone. Returns what says so. */
  hold(pid: number): () => void {
    this.#pids.add(pid);
    return () => {
      this.#pids.delete(pid);
      if (this.#isEnded) this.end();
    };
  }

  abort(reason: RunnerAbort): void {
    this.#controller.abort(reason);
  }
}
