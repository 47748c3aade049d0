/**
 * Finds processes on Linux: one list of /proc, then the session of each. With koffi that is one system call a
 * process, and orphans are our children; without, a read of /proc/PID/stat, and a mark is all that an orphan has.
 */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Run } from '../base/ids.ts';
import { attribute, type Facts } from './attribute.ts';
import type { Libc } from './libc.ts';
import { MARK_NAME, type Mark } from './mark.ts';
import { allPids, environmentValue, readStat, type Stat } from './proc.ts';
import { isSpokenFor } from './reaper.ts';
import type { Member, Roster, Scan, Scanner } from './roster.ts';
import { Unmarked } from './unmarked.ts';

/** A process that ends while we look may have left a child that the list did not hold yet. */
const LOOKS = 3;

/** `libc` null: works from /proc alone. */
export function createLinuxScanner(libc: Libc | null, mark: Mark): Scanner {
  const unmarked = new Unmarked();
  const orphansAreOurs = libc?.becomeSubreaper() ?? false;

  function facts(): Facts & { readonly vanished: () => boolean } {
    const stats = new Map<number, Stat | null>();
    const stat = (pid: number) => {
      const known = stats.get(pid);
      if (known !== undefined) return known;
      const read = readStat(pid);
      stats.set(pid, read);
      return read;
    };
    let vanished = false;
    const sessionOf = (pid: number) => (libc === null ? (stat(pid)?.session ?? null) : libc.sessionOf(pid));
    const session = (pid: number) => {
      const found = sessionOf(pid);
      vanished ||= found === null;
      return found;
    };
    return {
      pids: allPids(),
      session,
      exists: (pid) => sessionOf(pid) !== null,
      stat,
      marked: (pid, session) => unmarked.unless(pid, session, () => readMark(pid)),
      orphan: libc !== null && orphansAreOurs ? (pid) => orphanState(libc, pid) : null,
      reap: (pid) => libc?.reap(pid),
      ownPid: process.pid,
      ownSession: sessionOf(process.pid) ?? -1,
      vanished: () => vanished,
    };
  }

  function readMark(pid: number): Run | null | undefined {
    const value = environmentValue(pid, MARK_NAME);
    return typeof value === 'string' ? mark.read(value) : value;
  }

  function look(roster: Roster): Scan {
    unmarked.beginScan();
    for (let left = LOOKS; ; left--) {
      const found = facts();
      const scan = attribute(found, roster);
      if (left === 1 || !found.vanished()) return scan;
    }
  }

  return {
    kind: libc === null ? 'proc' : 'kernel',
    scan: (roster, answer) => answer(look(roster)),
    kill: (member, signal) => (libc === null ? killChecked : killByPidfd(libc))(member, signal),
    close() {},
  };
}

/** Leaders are our children too, also those that other hands in this process have started; and so are Node's. */
function orphanState(libc: Libc, pid: number): 'none' | 'alive' | 'dead' {
  return isSpokenFor(pid) ? 'none' : libc.childState(pid);
}

/** The start time is compared in the last moment before the signal; what is left is microseconds. */
function killChecked(member: Member, signal: NodeJS.Signals): boolean {
  if (readStat(member.pid)?.start !== member.start) return false;
  return process.kill(member.pid, signal);
}

/** A pidfd names one process for good, so there is no moment in which the number could change hands. */
function killByPidfd(libc: Libc) {
  return (member: Member, signal: NodeJS.Signals): boolean => {
    const descriptor = libc.openPidfd(member.pid);
    if (descriptor === null) return killChecked(member, signal);
    try {
      if (readStat(member.pid)?.start !== member.start) return false;
      const errno = libc.signalPidfd(descriptor, constants.signals[signal]);
      if (errno === 0) return true;
      if (errno === constants.errno.ESRCH) return false;
      throw Object.assign(new Error(`kill failed with error ${errno}`), { code: nameOf(errno) });
    } finally {
      closeSync(descriptor);
    }
  };
}

function nameOf(errno: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? '';
}
