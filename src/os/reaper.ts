/**
 * Takes note of the end of orphans, which are our children though nobody here has started them. libuv waits for
 * its own children one by one, and one that is taken from it is never reported: those are left alone.
 */
import type { Libc } from './libc.ts';
import { readStat } from './proc.ts';
import type { Member } from './roster.ts';

/** Leaders of this process, whichever `Processes` has started them. */
export const leaders = new Set<number>();

/** A zombie that libuv waits for is gone after this time; one that is still there is nobody's. */
const SETTLE_MS = 20;
const LOOKS = 20;

export interface Reaper {
  close(): void;
}

/** Calls back when orphans have ended. */
export function createReaper(libc: Libc, ended: () => void): Reaper {
  const ownSession = libc.sessionOf(process.pid);
  let immediate: NodeJS.Immediate | null = null;
  let timer: NodeJS.Timeout | null = null;
  let suspect = 0;
  let looks = 0;

  function mayReap(pid: number): boolean {
    const session = libc.sessionOf(pid);
    if (leaders.has(pid) || session === ownSession) return false;
    // Somebody else in this process may have spawned one that leads a session. Nothing else in a session that is
    // not ours can be libuv's.
    return session !== pid || (pid === suspect && looks > 0);
  }

  function reapAll(): void {
    immediate = null;
    let some = false;
    let pid = libc.deadChild();
    for (; pid !== 0 && mayReap(pid); pid = libc.deadChild()) {
      libc.reap(pid);
      some = true;
    }
    if (pid !== 0) lookAgain(pid);
    if (some) ended();
  }

  /** The system shows one zombie at a time: one that is to be left alone may hide others. */
  function lookAgain(pid: number): void {
    looks = pid === suspect ? looks + 1 : 0;
    suspect = pid;
    if (looks >= LOOKS) return; // the next SIGCHLD will do
    timer ??= setTimeout(() => {
      timer = null;
      looks++;
      reapAll();
    }, SETTLE_MS);
  }

  // Not at once: libuv hears the same signal, and takes what is its own in this turn of the loop.
  const onSignal = () => {
    immediate ??= setImmediate(reapAll);
  };
  process.on('SIGCHLD', onSignal);
  return {
    close() {
      process.removeListener('SIGCHLD', onSignal);
      if (immediate !== null) clearImmediate(immediate);
      if (timer !== null) clearTimeout(timer);
      // What has ended by now would otherwise stay for as long as this process does.
      for (let pid = libc.deadChild(); pid !== 0 && mayReap(pid); pid = libc.deadChild()) libc.reap(pid);
    },
  };
}

/** Reaps what has just been killed and what nobody looks after any more. */
export function reapSoon(libc: Libc, pids: readonly number[]): void {
  const open = new Set(pids);
  const look = (left: number): void => {
    for (const pid of open) {
      const state = libc.childState(pid);
      // Its parent may be about to end, and then it comes to us.
      if (state === 'alive' || (state === 'none' && readStat(pid) !== null)) continue;
      if (state === 'dead') libc.reap(pid);
      leaders.delete(pid);
      open.delete(pid);
    }
    if (open.size > 0 && left > 0) setTimeout(look, 10, left - 1).unref();
  };
  look(100);
}

/** Takes note of the end of a process that has come to us as an orphan; does nothing if it is not our child, or alive. */
export function reapOrphan(libc: Libc, { pid, start }: Member): void {
  if (leaders.has(pid) || libc.childState(pid) !== 'dead' || readStat(pid)?.start !== start) return;
  libc.reap(pid);
}
