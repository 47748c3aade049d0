/** The groups of all runs: made before a run begins, found again by the next daemon, removed when nothing is left. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../base/ids.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { SpawnFault } from '../ports/processes.ts';
import { Cgroup } from './cgroup.ts';
import { Controllers, type GroupLimits } from './cgroup-limits.ts';
import { type CgroupPlace, cgroupOf, findCgroupPlace, HOME_PREFIX } from './cgroup-place.ts';
import { SHELL, whyNoGate } from './gate.ts';
import { isCommand } from './mark.ts';
import { errorCode, explain } from './system-error.ts';

const LEAVINGS = 20;
const LEAVING_MS = 25;

/** Null where there is no cgroup v2 that may be written to, or no shell that could hold a program until it is in one. */
export function openCgroups(runDir: string, shell = SHELL): Cgroups | null {
  const place = process.platform === 'linux' && whyNoGate(shell) === null ? findCgroupPlace(runDir) : null;
  return place === null ? null : new Cgroups(place);
}

export class Cgroups {
  private readonly place: CgroupPlace;
  private readonly controllers: Controllers;
  private readonly groups = new Map<Run, Cgroup>();
  /** Of runs that are over, and yet not empty at that moment. */
  private readonly leftovers = new Set<Cgroup>();

  constructor(place: CgroupPlace) {
    this.place = place;
    this.controllers = new Controllers(place);
    this.sweep();
    sweepNeighbours(place);
  }

  /** Makes the group of a run that is about to begin. */
  open(run: Run, limits: GroupLimits): Result<Cgroup, SpawnFault> {
    const made = this.make(run);
    if (!made.ok) return made;
    const group = made.value;
    const problem = this.controllers.limit(group, limits);
    if (problem !== null) {
      group.remove();
      return fail({ stage: 'limits', message: problem });
    }
    this.groups.set(run, group);
    return ok(group);
  }

  private make(run: Run): Result<Cgroup, SpawnFault> {
    let path = join(this.place.home.path, nameOf(run));
    try {
      if (!makeAlone(path)) {
        path = this.unusedPath(run);
        mkdirSync(path, { recursive: true }); // with its home, should somebody have removed that
      }
      return ok(new Cgroup(path));
    } catch (error) {
      return fail({ stage: 'cgroup', message: `cannot make the group ${path}: ${explain(error)}` });
    }
  }

  of(run: Run): Cgroup | null {
    return this.groups.get(run) ?? null;
  }

  /** An earlier daemon may have had another home: where its leader is counts first. */
  adopt(run: Run, leader: number | null): void {
    const found = leader === null ? null : this.groupAround(run, leader);
    const group = found ?? new Cgroup(join(this.place.home.path, nameOf(run)));
    if (group.exists()) this.groups.set(run, group);
  }

  /** Where whoever runs the daemon has taken them away, so that it could be started again. What cannot be done, or null. */
  limitAgain(run: Run, limits: GroupLimits): string | null {
    const group = this.groups.get(run);
    return group === undefined ? null : this.controllers.restore(group, limits);
  }

  /** The run is over. */
  release(run: Run): void {
    const group = this.groups.get(run);
    this.groups.delete(run);
    if (group !== undefined) this.leftovers.add(group);
    for (const each of this.leftovers) if (each.remove()) this.leftovers.delete(each);
  }

  /** Kills what an earlier daemon's commands have left, whatever has become of its marks. */
  endOtherCommands(): void {
    const ours = new Set([...this.groups.values()].map(({ path }) => path));
    for (const name of namesIn(this.place.home.path)) {
      const group = new Cgroup(join(this.place.home.path, name));
      if (!name.startsWith(COMMAND) || ours.has(group.path)) continue;
      group.kill();
      this.leftovers.add(group);
    }
  }

  /** What still lives keeps its group, for the next daemon. */
  close(): void {
    for (const group of this.groups.values()) this.leftovers.add(group);
    this.groups.clear();
    this.sweep();
    this.leave(LEAVINGS);
  }

  /** What has been killed at the last moment takes a moment to be gone. */
  private leave(left: number): void {
    for (const each of this.leftovers) if (each.remove()) this.leftovers.delete(each);
    // By itself only: the next daemon may be making a group in it.
    if (this.place.home.removeAlone()) this.controllers.close();
    else if (left > 0) setTimeout(() => this.leave(left - 1), LEAVING_MS).unref();
  }

  /** Removes the empty groups of runs that nobody has told of as over. */
  sweep(): void {
    for (const name of namesIn(this.place.home.path)) new Cgroup(join(this.place.home.path, name)).remove();
  }

  /** A command's number comes again with the next daemon, and what the last one has left may still be there. */
  private unusedPath(run: Run): string {
    const wanted = join(this.place.home.path, nameOf(run));
    let path = wanted;
    for (let next = 2; !new Cgroup(path).remove(); next++) path = `${wanted}.${next}`;
    return path;
  }

  private groupAround(run: Run, pid: number): Cgroup | null {
    const path = cgroupOf(pid);
    const parts = path?.split('/') ?? [];
    const at = parts.indexOf(nameOf(run));
    return at > 0 && parts[at - 1] === this.place.home.name
      ? new Cgroup(parts.slice(0, at + 1).join('/'))
      : null;
  }
}

/** Of a daemon that lives, what it is about to begin a run in is younger than this. */
const STALE_MS = 60_000;

/** Daemons that were killed, and whose run folders nobody uses again, leave their empty groups to whoever comes next. */
function sweepNeighbours({ own, home }: CgroupPlace): void {
  for (const name of namesIn(own.path)) {
    const neighbour = new Cgroup(join(own.path, name));
    if (!name.startsWith(HOME_PREFIX) || name === home.name || !neighbour.isOlderThan(STALE_MS)) continue;
    for (const run of namesIn(neighbour.path)) {
      const group = new Cgroup(join(neighbour.path, run));
      if (group.isOlderThan(STALE_MS)) group.remove();
    }
    neighbour.removeAlone();
  }
}

/** False: something is in its place, or its home is gone. @throws anything else. */
function makeAlone(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (['EEXIST', 'ENOENT'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}

const COMMAND = 'command-';
const nameOf = (run: Run): string => (isCommand(run) ? `${COMMAND}${-run}` : `run-${run}`);

function namesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}
