/** One epoll descriptor for everything the hands listen to, itself watched by the event loop: no polling, no thread. */
import { closeSync } from 'node:fs';
import type { Libc } from './libc.ts';

export interface Watch {
  /** Calls back, at each turn of the loop, as long as there is something to read. False: cannot be watched. */
  add(descriptor: number, callback: () => void): boolean;
  /** To be called before the descriptor is closed. */
  remove(descriptor: number): void;
  close(): void;
}

/**
 * `before` is called at the beginning of each round of callbacks, `after` at its end.
 * Null when the system gives no epoll descriptor.
 */
export function createWatch(libc: Libc, before: () => void, after: () => void): Watch | null {
  const epoll = libc.createEpoll();
  if (epoll === null) return null;
  const callbacks = new Map<number, () => void>();
  const numbers: number[] = [];
  const handle = libc.whenReadable(epoll, () => {
    before();
    numbers.length = 0;
    libc.epollReady(epoll, numbers);
    const ready = numbers.map((descriptor) => [descriptor, callbacks.get(descriptor)] as const);
    // A callback may remove others of the same round, and their numbers may be given out again: those are not called.
    for (const [descriptor, call] of ready) if (call === callbacks.get(descriptor)) call?.();
    after();
  });
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
      handle.close();
      callbacks.clear();
      closeSync(epoll);
    },
  };
}
