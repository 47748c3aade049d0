/**
 * Whether the disk takes its time. A call that takes long on a busy machine may only have waited for a processor, and
 * that another thread would wait for as well: so what the system counts as that is not the disk's.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** A call that took longer is one too many for a daemon that has other things to do. */
const SLOW_MS = 20;
const SLOW_FOR_MS = 5000;
/** What is known of the waiting for processors may be as old as this. */
const FRESH_MS = 5;

/** How long a thread has waited for a processor, asked for as seldom as that is good enough. */
export class Queue {
  readonly #queuedMs: () => number;
  #atMs = Number.NEGATIVE_INFINITY;
  #ms = 0;

  constructor(queuedMs: () => number) {
    this.#queuedMs = queuedMs;
  }

  /** Since the last time that this was asked. */
  since(now: number): number {
    const before = this.#ms;
    this.#atMs = now;
    this.#ms = this.#queuedMs();
    return this.#ms - before;
  }

  refresh(now: number): void {
    if (now - this.#atMs > FRESH_MS) this.since(now);
  }
}

const ours = new Queue(queuedMs);

export class Slowness {
  readonly #queue: Queue;
  #until = 0;

  constructor(queue: Queue = ours) {
    this.#queue = queue;
  }

  get isSlow(): boolean {
    return this.#until > performance.now();
  }

  /** Before something that the disk is needed for. */
  begin(): void {
    this.#queue.refresh(performance.now());
  }

  /** It has begun then, and is over. `threads`: so many have waited for a processor meanwhile, one after the other. */
  end(beganMs: number, threads = 1): void {
    const now = performance.now();
    if (now - beganMs <= FRESH_MS) return;
    if (now - beganMs - threads * this.#queue.since(now) > SLOW_MS) this.#until = now + SLOW_FOR_MS;
  }
}

const text = Buffer.alloc(64);

/** Of the main thread, since it began; 0 where the system does not tell. */
function queuedMs(): number {
  try {
    const file = openSync('/proc/self/schedstat', 'r');
    try {
      const length = readSync(file, text, 0, text.length, 0);
      return Number(text.toString('latin1', 0, length).split(' ')[1] ?? 0) / 1e6;
    } finally {
      closeSync(file);
    }
  } catch {
    return 0;
  }
}
