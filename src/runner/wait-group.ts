/** Everything that is under way: what has begun is waited for until it has ended. */
import { setMaxListeners } from 'node:events';
import type { RunnerAbort } from './reason.ts';

/** A job that was begun by hand. */
export interface Job {
  readonly name: string;
  /** Fires when the job is to be given up; its reason is a {@link RunnerAbort}. */
  readonly cancel: AbortSignal;
  /** It is over. A second call does nothing. */
  end(): void;
  /** For `using job = runner.begin(…)`. */
  [Symbol.dispose](): void;
}

/** A job as it is shown. */
export interface JobInfo {
  readonly name: string;
  readonly since: Date;
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

  /** The job that was given this signal. */
  jobOf(signal: AbortSignal): OneJob | undefined {
    return this.#bySignal.get(signal);
  }

  /** All jobs are to give up, those that are yet to begin as well. */
  cancel(reason: RunnerAbort): void {
    this.#cancelled = reason;
    for (const job of [...this.#jobs]) job.abort(reason);
  }

  /** The oldest first. */
  list(): JobInfo[] {
    const now = Date.now();
    return [...this.#jobs].map(({ name, since, pids }) => ({
      name,
      since: new Date(since),
      ageMs: Math.max(0, now - since),
      pids: [...pids],
    }));
  }
}

export class OneJob implements Job {
  readonly name: string;
  readonly cancel: AbortSignal;
  readonly since = Date.now();
  readonly pids = new Set<number>();
  readonly #controller = new AbortController();
  readonly #ended: () => void;

  constructor(name: string, ended: () => void) {
    this.name = name;
    this.#ended = ended;
    this.cancel = this.#controller.signal;
    setMaxListeners(0, this.cancel); // a job may wait for many things at once
  }

  end(): void {
    this.#ended();
  }

  [Symbol.dispose](): void {
    this.#ended();
  }

  abort(reason: RunnerAbort): void {
    this.#controller.abort(reason);
  }
}
