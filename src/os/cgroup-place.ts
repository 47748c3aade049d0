/** Finds where the daemon may make groups of its own: below the group that it is in. */
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Cgroup } from './cgroup.ts';
import { daemonKey } from './mark.ts';

/** What the system says about the daemon, as in /proc/self. */
export interface OwnProc {
  readonly cgroup: string;
  readonly mountinfo: string;
}

export interface CgroupPlace {
  /** The daemon's own, which others may be in as well. */
  readonly own: Cgroup;
  /** Below it: where all groups of the runs are. */
  readonly home: Cgroup;
  /** Beside `home`: for the daemon itself, where the kernel wants the processes out of `own`. */
  readonly leaf: Cgroup;
}

export const HOME_PREFIX = 'tsup-visor-';
const LEAF = 'tsup-visor-daemon';

/** Null where there is no cgroup v2, or nothing may be written to it. Found by trying. */
export function findCgroupPlace(runDir: string, proc = readOwnProc()): CgroupPlace | null {
  const mount = cgroupMount(proc.mountinfo);
  const path = /^0::(\/.*)$/m.exec(proc.cgroup)?.[1];
  if (mount === null || path === undefined) return null;
  const below = relative(mount.root, path);
  return below === null ? null : tryPlace(join(mount.point, below), `${HOME_PREFIX}${daemonKey(runDir)}`);
}

function tryPlace(found: string, name: string): CgroupPlace | null {
  const at = ownFolder(found, name);
  const place = {
    own: new Cgroup(at),
    home: new Cgroup(join(at, name)),
    leaf: new Cgroup(join(at, LEAF)),
  };
  try {
    // To move a process, one must be allowed to write where it comes from, too.
    accessSync(join(at, 'cgroup.procs'), constants.W_OK);
    mkdirSync(place.home.path, { recursive: true });
    accessSync(join(place.home.path, 'cgroup.events'), constants.R_OK);
    if (isUsable(place.home) && leaveRun(found, place)) return place;
    place.home.remove();
  } catch {
    place.home.remove();
  }
  return null;
}

/** A daemon that an earlier one's run or leaf was the place of birth of belongs where that earlier one was. */
function ownFolder(found: string, name: string): string {
  const within = found.indexOf(`/${name}/`);
  if (within >= 0) return found.slice(0, within);
  return basename(found) === LEAF ? dirname(found) : found;
}

/** Below a group for threads no group for processes can be. */
function isUsable(home: Cgroup): boolean {
  const type = home.words('cgroup.type').join(' ');
  return type === 'domain' || type === '';
}

/** Somebody has started this daemon in a run of its own: the end of that run must not be its end. */
function leaveRun(found: string, { own, home, leaf }: CgroupPlace): boolean {
  if (!found.startsWith(`${home.path}/`)) return true;
  if (moveInto(own)) return true;
  mkdirSync(leaf.path, { recursive: true });
  return moveInto(leaf);
}

export function moveInto(group: Cgroup): boolean {
  try {
    group.add(process.pid);
    return true;
  } catch {
    return false;
  }
}

function readOwnProc(): OwnProc {
  return { cgroup: read('/proc/self/cgroup'), mountinfo: read('/proc/self/mountinfo') };
}

/** The group of any process, as a folder; null where that is not known. */
export function cgroupOf(pid: number): string | null {
  const mount = cgroupMount(read('/proc/self/mountinfo'));
  const path = /^0::(\/.*)$/m.exec(read(`/proc/${pid}/cgroup`))?.[1];
  const below = mount === null || path === undefined ? null : relative(mount.root, path);
  return mount === null || below === null ? null : join(mount.point, below);
}

/** As proc(5) has its lines: `31 23 0:28 ROOT POINT options - cgroup2 …`; on hybrid systems it is not at /sys/fs/cgroup. */
function cgroupMount(mountinfo: string): { readonly root: string; readonly point: string } | null {
  for (const line of mountinfo.split('\n')) {
    if (!line.includes(' - cgroup2 ')) continue;
    const [, , , root = '', point = ''] = line.split(' ').map(unescaped);
    return { root, point };
  }
  return null;
}

/** Spaces and the like are written as `\040`. */
const unescaped = (text: string): string =>
  text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Null: it is not below what is mounted here (`/..`, in a container). */
function relative(root: string, path: string): string | null {
  if (path.startsWith('/..')) return null;
  if (root === '/') return path;
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : null;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
