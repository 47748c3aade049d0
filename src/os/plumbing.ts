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
 * Null where there is none. Its epoll is its own: what a program writes says nothing about processes, so no look at
 * them has to be taken anew for it.
 */
export function createPlumbing(libc: Libc | null = loadLibc()): Plumbing | null {
  const nothing = (): void => {};
  const watch = libc === null ? null : createWatch(libc, nothing, nothing);
  if (libc === null || watch === null) return null;
  const keeper = new PipeKeeper(libc);
  const peek = new PipePeek(libc);
  return {
    makeFifo(path) {
      const errno = libc.mkfifo(path, PRIVATE);
      if (errno !== 0) throw systemError(errno);
    },
    enlarge(pipe, bytes) {
      for (let size = bytes; size >= SMALLEST_BYTES && libc.setPipeSize(pipe, size) === null; ) size /= 2;
    },
    pendingIn: (pipe) => libc.pendingIn(pipe),
    peek: (pipe, most) => peek.look(pipe, most),
    splice: (pipe, file, at, most) => libc.splice(pipe, file, at, most),
    spliceAside: (pipe, file, at, most, done) => libc.spliceAside(pipe, file, at, most, done),
    watch: (pipe, readable) => watch.add(pipe, readable),
    unwatch: (pipe) => watch.remove(pipe),
    keep: (pipes, file) => keeper.hold(pipes, file),
    close() {
      keeper.leave();
      peek.close();
      watch.close();
    },
  };
}
