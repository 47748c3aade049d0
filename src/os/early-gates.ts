/**
 * Gates that are put in their places ahead of time. Whoever moves a process into a cgroup waits for all processors,
 * some 15 ms when nobody has done so for a while; that costs nothing while the run before it still ends. A gate that
 * waits is no run: it has executed nothing of the program, bears no mark of a run, and ends with the daemon.
 */
import { type BigIntStats, closeSync, fstatSync, statSync, writeSync } from 'node:fs';
import type { ExitStatus } from '../base/exit-status.ts';
import type { Run } from '../base/ids.ts';
import { fail, ok } from '../base/result.ts';
import type { Output } from '../ports/output.ts';
import type { SpawnFault, SpawnRequest } from '../ports/processes.ts';
import type { Cgroups } from './cgroup-home.ts';
import { setting } from './gate.ts';
import { canBecome, type Launched, type Launcher, openChannels, startOf } from './launch.ts';
import type { Leaders } from './leaders.ts';
import { asProgram, leapToGate, runnable, type Waiting } from './leap.ts';
import type { Libc } from './libc.ts';
import { MARK_NAME } from './mark.ts';
import { leaders as spokenFor } from './reaper.ts';
import type { Report } from './reports.ts';

/** Of all at once, the others begin in the ordinary way: by then a group is entered without waiting. */
const MOST = 16;

interface Early extends Waiting {
  readonly run: Run;
  readonly sight: string;
  readonly outs: string;
  readonly report: Report;
  ended(exit: ExitStatus): void;
}

interface Parts {
  readonly launcher: Launcher;
  readonly groups: Cgroups;
  readonly libc: Libc;
  readonly leaders: Leaders;
}

/** Null where it would not pay: without cgroups, and where a shell is no child that we could wait for by its pid. */
export function createEarlyGates(launcher: Launcher): EarlyGates | null {
  const { leap, groups } = launcher;
  return leap === null || groups === null ? null : new EarlyGates({ launcher, groups, ...leap });
}

export class EarlyGates {
  readonly #parts: Parts;
  readonly #waiting = new Map<Run, Early>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  prepare(request: SpawnRequest): void {
    const { launcher, libc } = this.#parts;
    if (this.#waiting.size >= MOST || !canBecome(request, libc)) return;
    // A process more may be one too many for whoever still drains.
    if (request.limits.resources.nproc !== undefined) return;
    const sight = sightOf(request, libc);
    const channels = sight === null ? null : openChannels(request, launcher, true);
    if (sight === null || !channels?.ok) return;
    const { output, report } = channels.value;
    const outs = identityOf(output);
    const start = startOf(request, launcher, channels.value);
    const waiting = start.ok ? this.#toGate(start.value, request.run) : start;
    output.close();
    if (waiting.ok) this.#keep({ ...waiting.value, run: request.run, sight, outs, report });
    else this.#abandon(request.run, report);
  }

  /** False: there is none that fits, or not any more, and nothing of it is left. `failed` is never called. */
  open(request: SpawnRequest, outcome: Pick<Launched, 'started' | 'ended'>): boolean {
    const early = this.#waiting.get(request.run);
    if (early === undefined) return false;
    if (!this.#fits(early, request) || !isOpened(early)) {
      this.end(request.run);
      return false;
    }
    this.#waiting.delete(request.run);
    closeSync(early.gate);
    early.ended = (exit) => outcome.ended(exit);
    outcome.started(early.pid, early.report);
    return true;
  }

  end(run: Run): void {
    const early = this.#waiting.get(run);
    if (early === undefined) return;
    this.#waiting.delete(run);
    closeSync(early.gate);
    this.#parts.leaders.end(early.pid);
    spokenFor.delete(early.pid);
    this.#abandon(run, early.report);
  }

  close(): void {
    for (const run of this.#waiting.keys()) this.end(run);
  }

  /** Whether all of it is as it would be if it were begun now. */
  #fits(early: Early, request: SpawnRequest): boolean {
    const { launcher, libc } = this.#parts;
    if (early.sight !== sightOf(request, libc)) return false;
    const output = launcher.openOutput(request);
    if (!output.ok) return false;
    const isSame = early.outs === identityOf(output.value);
    output.value.close();
    return isSame;
  }

  #toGate(start: Parameters<typeof leapToGate>[0], run: Run): ReturnType<typeof leapToGate> {
    const { launcher, libc } = this.#parts;
    const { stdio } = start.report;
    const entries = Object.entries(start.environment);
    const environment = Object.fromEntries(entries.filter(([name]) => !TELLING.has(name)));
    environment[MARK_NAME] = launcher.mark.waiting(run);
    // Set in the order that they have in an ordinary start, which is the order that a shell passes them on in.
    const told = entries.filter(([name]) => TELLING.has(name));
    const opening = [`unset ${MARK_NAME}`, ...told.map(([name, value]) => `export ${setting(name, value)}`)];
    return leapToGate({ ...start, environment }, stdio === 'pipe' ? null : stdio, libc, opening);
  }

  #keep(waiting: Omit<Early, 'ended'>): void {
    const { run, pid } = waiting;
    const early: Early = { ...waiting, ended: () => this.end(run) };
    this.#waiting.set(run, early);
    spokenFor.add(pid);
    if (!this.#parts.leaders.add(pid, (exit) => early.ended(exit))) this.end(run);
  }

  #abandon(run: Run, report: Report): void {
    report.close();
    this.#parts.groups.release(run);
  }
}

/** By these a process says which run it is of: one that waits is of none. They are no secrets. */
const TELLING: ReadonlySet<string> = new Set([
  'TSUP_VISOR_PROGRAM',
  'TSUP_VISOR_INSTANCE',
  'TSUP_VISOR_INDEX',
  'TSUP_VISOR_RUN',
  'TSUP_VISOR_REVISION',
  'TSUP_VISOR_GENERATION',
  'WATCHDOG_USEC',
  MARK_NAME,
  'TSUP_VISOR_NOTIFY_FD',
  'NOTIFY_SOCKET',
]);

/** False: it has ended by itself. */
function isOpened({ gate }: Early): boolean {
  try {
    return writeSync(gate, '\n') === 1;
  } catch {
    return false;
  }
}

/** What its output goes to: a log file may have been moved away by the time that the run begins. */
function identityOf({ stdout, stderr }: Output): string {
  const of = (given: Output['stdout']): string =>
    typeof given === 'number' ? nodeOf(fstatSync(given, EXACT)) : given;
  return `${of(stdout)} ${of(stderr)}`;
}

/**
 * All that a start is made of, and what its names stand for at this moment: a folder may be another by the time that
 * the run begins. Null: there is nothing that could be started.
 */
function sightOf(request: SpawnRequest, libc: Libc): string | null {
  const seen = asProgram(request, libc, () => {
    const path = runnable(request);
    const folder = folderOf(request.directory);
    if (!path.ok) return path;
    return folder === null ? fail(NO_FOLDER) : ok([path.value, folder]);
  });
  return seen.ok ? JSON.stringify([request, ...seen.value]) : null;
}

const NO_FOLDER: SpawnFault = { stage: 'directory', message: 'it cannot be entered' };

function folderOf(path: string): string | null {
  try {
    return nodeOf(statSync(path, EXACT));
  } catch {
    return null; // whoever starts it says why
  }
}

const EXACT = { bigint: true } as const;
const nodeOf = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;
