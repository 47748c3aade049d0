/** One epoll descriptor for everything the hands listen to, itself watched by the event loop: no polling, no thread. */
import { closeSync } from 'node:fs';
import type { Libc, Readable } from './libc.ts';

export interface Watch {
  /** Calls back, at each turn of the loop, as long as there is something to read. False: cannot be watched. */
  add(descriptor: number, callback: () => void): boolean;
  /** To be called before the descriptor is closed. */
  remove(descriptor: number): void;
  close(): void;
}

export type RestMs = (lookMs: number) => number;

/**
 * `before` is called at the beginning of each round of callbacks, `after` at its end. `restMs`: how long nothing is
 * listened to after a look at all that was ready, which took so long; without it each turn of the loop looks.
 * Null when the system gives no epoll descriptor.
 */
export function createWatch(
  libc: Libc,
  before: () => void,
  after: () => void,
  restMs: RestMs | null = null,
): Watch | null {
  const epoll = libc.createEpoll();
  if (epoll === null) return null;
  const callbacks = new Map<number, () => void>();
  const numbers: number[] = [];
  const handle = libc.whenReadable(epoll, () => {
    const began = rests === null ? 0 : performance.now();
    before();
    numbers.length = 0;
    const isMore = libc.epollReady(epoll, numbers);
    const ready = numbers.map((descriptor) => [descriptor, callbacks.get(descriptor)] as const);
    // A callback may remove others of the same round, and their numbers may be given out again: those are not called.
    for (const [descriptor, call] of ready) if (call === callbacks.get(descriptor)) call?.();
    after();
    rests?.looked(performance.now() - began, numbers.length, isMore, callbacks.size);
  });
  const rests = restMs === null ? null : new Rests(handle, restMs);
  return {
    add(descriptor, callback) {
      if (libc.epollAdd(epoll, descriptor) !== 0) return false;
      callbacks.set(descriptor, callback);
      return true;
    },
    remove(descriptor) {
      if (callbacks.delete(descriptor)) libc.epollRemove(epoll, descriptor);
    },
    close() {
      rests?.end();
      handle.close();
      callbacks.clear();
      closeSync(epoll);
    },
  };
}

/** What comes often is gathered between two looks. */
class Rests {
  readonly #handle: Readable;
  readonly #restMs: RestMs;
  #timer: NodeJS.Timeout | null = null;
  #lookMs = 0;
  #seen = 0;

  constructor(handle: Readable, restMs: RestMs) {
    this.#handle = handle;
    this.#restMs = restMs;
  }

  /** A look at many takes several turns of the loop, so that others get theirs; no longer than until each had its own. */
  looked(tookMs: number, seen: number, isMore: boolean, all: number): void {
    this.#lookMs += tookMs;
    this.#seen += seen;
    if (isMore && this.#seen < all) return;
    const ms = this.#restMs(this.#lookMs);
    this.#lookMs = 0;
    this.#seen = 0;
    this.#handle.rest();
    this.#timer = setTimeout(() => this.#handle.listen(), ms);
    this.#timer.unref();
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
