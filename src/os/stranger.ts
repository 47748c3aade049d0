/** Runs of an earlier daemon: found by their mark, and watched although they are not our children. */
import { closeSync } from 'node:fs';
import { type Run, pid as toPid } from '../base/ids.ts';
import type { Unrecorded } from '../ports/processes.ts';
import type { Leader } from './commands.ts';
import type { Libc } from './libc.ts';
import { isCommand, MARK_NAME, type Mark } from './mark.ts';
import { ageMsOf, allPids, environmentValue, identityOf, readStat } from './proc.ts';
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

export interface Marked {
  /** Leaders of sessions that bear the mark of a run which nobody here knows. */
  readonly runs: readonly Unrecorded[];
  /** Of which there is anything left, with their leaders if those are. */
  readonly commands: ReadonlyMap<Run, Leader | null>;
}

/** What bears our mark. The daemon itself may too, of a run in which somebody has started it. */
export function findMarked(mark: Mark, known: ReadonlySet<Run>): Marked {
  const runs = new Map<Run, Session>();
  const commands = new Map<Run, Leader | null>();
  for (const pid of process.platform === 'linux' ? allPids() : []) {
    const value = pid === process.pid ? null : markOf(pid, mark);
    const run = value === null ? null : mark.read(value);
    if (run === null || known.has(run)) continue;
    const session = sessionLedBy(pid);
    if (isCommand(run)) commands.set(run, session ?? commands.get(run) ?? null);
    // A job may have a session of its own: the leader was there before it.
    else if (session !== null && session.start < (runs.get(run)?.start ?? Number.POSITIVE_INFINITY))
      runs.set(run, session);
  }
  return { runs: [...runs].flatMap(([run, session]) => unrecorded(run, session)), commands };
}

const GATE_LOOKS = 200;
const GATE_LOOK_MS = 5;
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * A gate that an earlier daemon has left is about to end, or was opened at the last moment and is about to become a
 * run: which, is known in a moment. One that does neither has run nothing.
 */
function markOf(pid: number, mark: Mark): string | null {
  let value = environmentValue(pid, MARK_NAME);
  const isGate = typeof value === 'string' && mark.isWaiting(value);
  if (!isGate) return value ?? null;
  for (let left = GATE_LOOKS; left > 0; left--) {
    Atomics.wait(pause, 0, 0, GATE_LOOK_MS);
    value = environmentValue(pid, MARK_NAME);
    if (value === null || (value !== undefined && !mark.isWaiting(value))) return value;
  }
  killIfThere(pid);
  return null;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by now.
  }
}

interface Session extends Leader {
  readonly start: number;
}

function sessionLedBy(pid: number): Session | null {
  const stat = readStat(pid);
  const identity = stat?.session === pid ? identityOf(pid) : null;
  return stat === null || identity === null ? null : { pid, identity, start: Number(stat.start) };
}

function unrecorded(run: Run, { pid, identity }: Leader): Unrecorded[] {
  const instance = environmentValue(pid, 'TSUP_VISOR_INSTANCE') ?? null;
  if (instance === null) return [];
  const revision = environmentValue(pid, 'TSUP_VISOR_REVISION') ?? null;
  const generation = numberIn(environmentValue(pid, 'TSUP_VISOR_GENERATION') ?? '');
  return [{ run, pid: toPid(pid), instance, identity, ageMs: ageMsOf(pid), revision, generation }];
}

const numberIn = (text: string): number | null => (/^\d{1,15}$/.test(text) ? Number(text) : null);
