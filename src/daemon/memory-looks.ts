/** How much memory runs take: one look for all that are due, since a look at one costs about as much as one at all. */
import { after, type Moment, type Mono } from '../base/clock.ts';
import type { Run } from '../base/ids.ts';
import type { Processes } from '../ports/processes.ts';

interface Looked {
  readonly everyMs: number;
  dueAt: Mono;
}

/** Whatever is due within this share of its interval is taken along. */
const SLACK = 0.1;

export class MemoryLooks {
  readonly #usage: Processes['usage'];
  readonly #clock: { now(): Moment };
  readonly #measured: (run: Run, bytes: number) => void;
  readonly #looked = new Map<Run, Looked>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(
    usage: Processes['usage'],
    clock: { now(): Moment },
    measured: (run: Run, bytes: number) => void,
  ) {
    this.#usage = usage;
    this.#clock = clock;
    this.#measured = measured;
  }

  /** The first look is at once; returns what ends them. */
  begin(run: Run, everyMs: number): () => void {
    const looked = { everyMs, dueAt: this.#clock.now().mono };
    this.#looked.set(run, looked);
    this.#arm();
    return () => {
      if (this.#looked.get(run) !== looked) return;
      this.#looked.delete(run);
      this.#arm();
    };
  }

  close(): void {
    this.#looked.clear();
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#looked.size === 0 || this.#isLooking) return;
    let soonest = Number.POSITIVE_INFINITY;
    for (const { dueAt } of this.#looked.values()) soonest = Math.min(soonest, dueAt);
    const waitMs = Math.max(0, Math.ceil(soonest - this.#clock.now().mono));
    this.#timer = setTimeout(() => void this.#look(), waitMs);
  }

  async #look(): Promise<void> {
    const { mono } = this.#clock.now();
    const due = [...this.#looked].filter(([, { dueAt, everyMs }]) => dueAt <= mono + everyMs * SLACK);
    this.#isLooking = true;
    try {
      const usage = due.length === 0 ? new Map() : await this.#usage(due.map(([run]) => run));
      for (const [run, looked] of due) {
        const bytes = usage.get(run)?.memoryBytes;
        // It may be watched no more, or be gone: what cannot be seen is not judged.
        if (bytes !== undefined && this.#looked.get(run) === looked) this.#measured(run, bytes);
      }
    } catch {
      // What cannot be looked at now is looked at the next time.
    } finally {
      this.#isLooking = false;
      const now = this.#clock.now().mono;
      for (const [, looked] of due) looked.dueAt = after(now, looked.everyMs);
      this.#arm();
    }
  }
}
