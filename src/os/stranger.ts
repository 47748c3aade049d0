/** Runs of an earlier daemon: found by their mark, and watched although they are not our children. */
import { closeSync } from 'node:fs';
import { type Run, pid as toPid } from '../base/ids.ts';
import type { Unrecorded } from '../ports/processes.ts';
import type { Libc } from './libc.ts';
import { MARK_NAME, type Mark } from './mark.ts';
import { allPids, environmentValue, identityOf, readStat } from './proc.ts';
import type { Watch } from './watch.ts';

/** Where no pidfd can be had. */
const LOOK_EVERY_MS = 250;

/** Calls back once, when the process of that identity has ended. */
export function watchStranger(
  pid: number,
  identity: string,
  libc: Libc | null,
  watch: Watch | null,
  ended: () => void,
): void {
  const descriptor = watch === null ? null : (libc?.openPidfd(pid) ?? null);
  const done = (): void => {
    if (descriptor !== null) {
      watch?.remove(descriptor);
      closeSync(descriptor);
    }
    ended();
  };
  // The descriptor is of whoever has the pid now: that has to be the one that was meant.
  if (identityOf(pid) !== identity) setImmediate(done);
  else if (descriptor === null || watch?.add(descriptor, done) !== true) lookAgain(pid, identity, done);
}

function lookAgain(pid: number, identity: string, done: () => void): void {
  const timer = setInterval(() => {
    if (identityOf(pid) === identity) return;
    clearInterval(timer);
    done();
  }, LOOK_EVERY_MS);
  timer.unref();
}

/** Leaders of sessions that bear the mark of a run which nobody here knows. */
export function findMarked(mark: Mark, known: ReadonlySet<Run>): Unrecorded[] {
  if (process.platform !== 'linux') return [];
  // The daemon itself may bear a mark, of a run in which somebody has started it.
  return allPids().flatMap((pid) => (pid === process.pid ? [] : (markedLeader(pid, mark, known) ?? [])));
}

function markedLeader(pid: number, mark: Mark, known: ReadonlySet<Run>): Unrecorded | null {
  const value = environmentValue(pid, MARK_NAME);
  const run = value === null ? null : mark.read(value);
  if (run === null || known.has(run) || readStat(pid)?.session !== pid) return null;
  const instance = environmentValue(pid, 'TSUP_VISOR_INSTANCE');
  const identity = identityOf(pid);
  return instance === null || identity === null ? null : { run, pid: toPid(pid), instance, identity };
}
