/**
 * Starts a child in a session of its own, for certain. Between fork(2) and setsid(2) it is still in our group: a signal
 * to that (Ctrl-C without a supervisor) ends it there, before its program has begun, and to Node that looks as if the
 * program had been ended. What has not begun can be begun anew.
 */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A group is signalled once or twice, not without end. */
const TRIES = 20;

/** `begin` starts one; `died`: for tests. */
export function startLeader(begin: () => ChildProcess, died = diedUnbegun): ChildProcess {
  for (let left = TRIES; ; left--) {
    const child = begin();
    if (left === 1 || child.pid === undefined || !died(child.pid)) return child;
    child.on('error', () => {}); // of its pipes: nobody is at their other end
  }
}

/** Of <linux/sched.h>: it ends; it was forked, and has not run a program of its own. */
const PF_EXITING = 0x4;
const PF_FORKNOEXEC = 0x40;
/** The ninth field of proc_pid_stat(5); the third is the first after the name. */
const FLAGS_AT = 9 - 3;

/**
 * Asked right after the spawn, which returns when the child has begun its program or is gone, and before Node can have
 * taken note of its end. False where there is no /proc: it cannot be known there.
 */
export function diedUnbegun(pid: number): boolean {
  const flags = flagsOf(pid);
  return (flags & PF_EXITING) !== 0 && (flags & PF_FORKNOEXEC) !== 0;
}

function flagsOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[FLAGS_AT] ?? 0);
  } catch {
    return 0;
  }
}
