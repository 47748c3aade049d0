/**
 * Takes note of the end of orphans, which are our children though nobody here has started them: as subreaper those
 * of our runs, as PID 1 those of the whole machine. Each child that somebody here has started is waited for by its
 * pid, by libuv or by us, and one that is taken from them is never reported: those are left alone.
 */
import { readFileSync } from 'node:fs';
import type { Libc } from './libc.ts';
import { isNodes } from './node-children.ts';
import { allPids, readStat } from './proc.ts';
import type { Member } from './roster.ts';

/** Leaders of this process, whichever `Processes` has started them. */
export const leaders = new Set<number>();

/** Is this child somebody's who will take note of its end? */
export const isSpokenFor = (pid: number): boolean => leaders.has(pid) || isNodes(pid);

/** libuv takes what is its own in the turn of the loop that hears of it. */
const SETTLE_MS = 20;
/** After the end: two seconds, on a busy machine. */
const LAST_LOOKS = 100;

export interface Reaper {
  close(): void;
}

/** Calls back when orphans have ended. */
export function createReaper(libc: Libc, ended: () => void): Reaper {
  // Whose those are cannot be known: they may have been inherited with exec, or been started before we could hear of it.
  const elders = new Set(ownChildren());
  /** Since when each of those has been seen dead. */
  const doubted = new Map<number, number>();
  let immediate: NodeJS.Immediate | null = null;
  let timer: NodeJS.Timeout | null = null;

  function mayReap(pid: number): boolean {
    if (isSpokenFor(pid)) return false;
    if (!elders.has(pid)) return true;
    const since = doubted.get(pid) ?? performance.now();
    doubted.set(pid, since);
    if (performance.now() - since < SETTLE_MS) return false;
    elders.delete(pid);
    doubted.delete(pid);
    return true;
  }

  /** True when there was one. */
  function reapAll(): boolean {
    let some = false;
    for (let pid = libc.deadChild(); pid !== 0; pid = libc.deadChild()) {
      if (!mayReap(pid)) {
        // The system shows one at a time: one that is to be left alone hides others.
        for (const child of ownChildren()) some = reapOne(child) || some;
        break;
      }
      libc.reap(pid);
      some = true;
    }
    return some;
  }

  function reapOne(pid: number): boolean {
    if (isSpokenFor(pid) || libc.childState(pid) !== 'dead' || !mayReap(pid)) return false;
    libc.reap(pid);
    return true;
  }

  function look(): void {
    const some = reapAll();
    if (doubted.size > 0) lookAgain();
    if (some) ended();
  }

  function lookAgain(): void {
    timer ??= setTimeout(() => {
      timer = null;
      for (const pid of doubted.keys()) if (libc.childState(pid) === 'none') forget(pid);
      look();
    }, SETTLE_MS);
  }

  function forget(pid: number): void {
    elders.delete(pid);
    doubted.delete(pid);
  }

  // Not at once: libuv hears the same signal, and takes what is its own in this turn of the loop.
  const onSignal = () => {
    immediate ??= setImmediate(() => {
      immediate = null;
      look();
    });
  };
  process.on('SIGCHLD', onSignal);
  onSignal(); // for what had ended before anybody listened
  return {
    close() {
      process.removeListener('SIGCHLD', onSignal);
      if (immediate !== null) clearImmediate(immediate);
      if (timer !== null) clearTimeout(timer);
      reapAll();
      // What was killed at the last moment is about to end, and would stay for as long as this process does; what is
      // begun after this is somebody else's.
      const present = new Set(allPids());
      const last = (left: number): void => {
        for (const pid of ownChildren()) if (present.has(pid)) reapOne(pid);
        if (left > 0) setTimeout(last, SETTLE_MS, left - 1).unref();
      };
      last(LAST_LOOKS);
    },
  };
}

/** Zombies included. Orphans come to the main thread, and so do those that it has started. */
function ownChildren(): number[] {
  try {
    const listed = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1');
    return listed
      .split(' ')
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    // A kernel without these lists.
    return allPids().filter((pid) => readStat(pid)?.ppid === process.pid);
  }
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
  look(200);
}

/** Takes note of the end of a process that has come to us as an orphan; does nothing if it is not our child, or alive. */
export function reapOrphan(libc: Libc, { pid, start }: Member): void {
  if (isSpokenFor(pid) || libc.childState(pid) !== 'dead' || readStat(pid)?.start !== start) return;
  libc.reap(pid);
}
