/** What stands behind `ports/plumbing.ts` where koffi is. */

import type { Plumbing } from '../ports/plumbing.ts';
import { type Libc, loadLibc } from './libc.ts';
import { PipeKeeper } from './pipe-keeper.ts';
import { PipePeek } from './pipe-peek.ts';
import { systemError } from './system-error.ts';
import { createWatch } from './watch.ts';

const PRIVATE = 0o600;
const SMALLEST_BYTES = 128 * 1024;

/**
 * Programs that write little are looked at together, and the daemon spends a small share of its time on that however
 * many they are: a lone line is in its file within two milliseconds.
 */
const LOOKING_SHARE = 1 / 40;
const SHORTEST_REST_MS = 1;
const LONGEST_REST_MS = 200;
const restMs = (lookMs: number): number =>
  Math.min(LONGEST_REST_MS, Math.max(SHORTEST_REST_MS, lookMs / LOOKING_SHARE));

/**
 * Null where there is none. Its epoll is its own: what a program writes says nothing about processes, so no look at
 * them has to be taken anew for it.
 */
export function createPlumbing(libc: Libc | null = loadLibc()): Plumbing | null {
  const nothing = (): void => {};
  const watch = libc === null ? null : createWatch(libc, nothing, nothing, restMs);
  if (libc === null || watch === null) return null;
  const keeper = new PipeKeeper(libc, watch);
  const peek = new PipePeek(libc);
  return {
    makeFifo(path) {
      const errno = libc.mkfifo(path, PRIVATE);
      if (errno !== 0) throw systemError(errno);
    },
    enlarge(pipe, bytes) {
      for (let size = bytes; size >= SMALLEST_BYTES; size /= 2) {
        const granted = libc.setPipeSize(pipe, size);
        if (granted !== null) return granted;
      }
      return libc.pipeSize(pipe);
    },
    pendingIn: (pipe) => libc.pendingIn(pipe),
    sizeOf(file) {
      const size = libc.sizeOf(file);
      if (size < 0) throw systemError(-size);
      return size;
    },
    peek: (pipe, most) => peek.look(pipe, most),
    splice: (pipe, file, at, most) => libc.splice(pipe, file, at, most),
    spliceAside: (pipe, file, at, most, done) => libc.spliceAside(pipe, file, at, most, done),
    shift: (from, to, most) => libc.shift(from, to, most),
    watch: (pipe, readable) => watch.add(pipe, readable),
    unwatch: (pipe) => watch.remove(pipe),
    keep: (pipes, file, lost) => keeper.hold(pipes, file, lost),
    close() {
      keeper.leave();
      peek.close();
      watch.close();
    },
  };
}
