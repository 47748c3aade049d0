/** One group of cgroup v2: the processes of a run, as the kernel itself knows them, with all groups below it. */
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { errorCode } from './system-error.ts';

export class Cgroup {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get name(): string {
    return basename(this.path);
  }

  /** Moves a process here, and all that it will ever start. @throws what the system says. */
  add(pid: number): void {
    write(join(this.path, 'cgroup.procs'), String(pid));
  }

  /** Zombies are not among them: the kernel leaves them out. */
  pids(): number[] {
    return this.isPopulated() ? pidsBelow(this.path) : [];
  }

  /** Ends everything in it at once, whatever it forks meanwhile. False where the kernel (before 5.14) cannot. */
  kill(): boolean {
    return tryWrite(join(this.path, 'cgroup.kill'), '1');
  }

  /** False when something is left in it. One that is gone already is gone. */
  remove(): boolean {
    for (const child of childrenOf(this.path)) new Cgroup(child).remove();
    return this.removeAlone();
  }

  /** False when there are groups below it, too. */
  removeAlone(): boolean {
    try {
      rmdirSync(this.path);
      return true;
    } catch (error) {
      return errorCode(error) === 'ENOENT';
    }
  }

  exists(): boolean {
    return statSync(this.path, { throwIfNoEntry: false }) !== undefined;
  }

  /**
   * Without what it has merely read or written and the kernel may drop at any time: a runner that goes through large
   * files would seem to grow for ever. Null: the memory controller is not at work here.
   */
  memoryBytes(): number | null {
    const all = numberIn(read(join(this.path, 'memory.current')));
    if (all === null) return null;
    const droppable = fieldOf(read(join(this.path, 'memory.stat')), 'inactive_file') ?? 0;
    return Math.max(0, all - droppable);
  }

  /** Of everything that has ever run in it. */
  cpuMs(): number | null {
    const micros = fieldOf(read(join(this.path, 'cpu.stat')), 'usage_usec');
    return micros === null ? null : micros / 1000;
  }

  /** No group has been made in it since. */
  isOlderThan(ms: number): boolean {
    const changed = statSync(this.path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    return Date.now() - changed > ms;
  }

  /** Processes that the kernel has ended here for want of memory. */
  oomKills(): number {
    return fieldOf(read(join(this.path, 'memory.events')), 'oom_kill') ?? 0;
  }

  /** @throws what the system says. */
  set(file: string, value: string): void {
    write(join(this.path, file), value);
  }

  /** The words of such a file as cgroup.controllers; none when it cannot be read. */
  words(file: string): string[] {
    return read(join(this.path, file)).split(/\s+/).filter(Boolean);
  }

  private isPopulated(): boolean {
    return fieldOf(read(join(this.path, 'cgroup.events')), 'populated') !== 0;
  }
}

function pidsBelow(path: string): number[] {
  const own = read(join(path, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  return [...own, ...childrenOf(path).flatMap(pidsBelow)];
}

function childrenOf(path: string): string[] {
  // Two links are its own; each group below adds one. That is cheaper to ask than to list forty files.
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.nlink ?? 2) <= 2) return [];
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
  } catch {
    return []; // gone meanwhile
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // the group is gone, or this controller is not at work
  }
}

/** Neither made nor cut short: these are no files. */
function write(path: string, text: string): void {
  const descriptor = openSync(path, constants.O_WRONLY);
  try {
    writeSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

function tryWrite(path: string, text: string): boolean {
  try {
    write(path, text);
    return true;
  } catch {
    return false;
  }
}

function fieldOf(text: string, name: string): number | null {
  return numberIn(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? '');
}

const numberIn = (text: string): number | null => (/^\d+\s*$/.test(text) ? Number(text) : null);
