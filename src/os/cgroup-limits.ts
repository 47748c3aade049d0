/** memory_max and cpu_max: by controllers of cgroup v2, which have to be at work all the way down to the runs. */
import { mkdirSync } from 'node:fs';
import type { SpawnRequest } from '../ports/processes.ts';
import type { Cgroup } from './cgroup.ts';
import { type CgroupPlace, moveInto } from './cgroup-place.ts';
import { explain } from './system-error.ts';

type Controller = 'memory' | 'cpu';
export type GroupLimits = Pick<SpawnRequest['limits'], 'memoryMax' | 'cpuMax'>;

/** In microseconds: what cpu.max counts a share of. */
const CPU_PERIOD = 100_000;
/** The kernel takes no smaller share. */
const CPU_LEAST = 1000;

export class Controllers {
  private readonly place: CgroupPlace;
  /** Set to work by us, in the daemon's own group. */
  private readonly begun = new Set<Controller>();
  private moved = false;

  constructor(place: CgroupPlace) {
    this.place = place;
  }

  /** What cannot be done, or null. */
  limit(group: Cgroup, { memoryMax, cpuMax }: GroupLimits): string | null {
    if (memoryMax !== null) {
      // All of the run ends, rather than the largest of its processes: what is left of a job is of no use.
      const files = { 'memory.max': String(memoryMax), 'memory.oom.group': '1' };
      const problem = this.put(group, 'memory', files);
      if (problem !== null) return problem;
    }
    if (cpuMax === null) return null;
    const quota = Math.max(CPU_LEAST, Math.round(cpuMax * CPU_PERIOD));
    return this.put(group, 'cpu', { 'cpu.max': `${quota} ${CPU_PERIOD}` });
  }

  /** Of these, those that it has lost. */
  restore(group: Cgroup, { memoryMax, cpuMax }: GroupLimits): string | null {
    const isLost = (file: string): boolean => ['max', undefined].includes(group.words(file)[0]);
    return this.limit(group, {
      memoryMax: isLost('memory.max') ? memoryMax : null,
      cpuMax: isLost('cpu.max') ? cpuMax : null,
    });
  }

  /** When no run is left: gives back what was taken. */
  close(): void {
    for (const controller of this.begun)
      attempt(() => this.place.own.set('cgroup.subtree_control', `-${controller}`));
    this.begun.clear();
    if (this.moved && moveInto(this.place.own)) this.place.leaf.remove();
    this.moved = false;
  }

  private put(group: Cgroup, controller: Controller, files: Readonly<Record<string, string>>): string | null {
    if (!this.enable(controller)) return missing(controller);
    for (const [file, value] of Object.entries(files)) {
      const problem = attempt(() => group.set(file, value));
      if (problem !== null) return `cannot set ${controller}_max to ${value}: ${problem}`;
    }
    return null;
  }

  private enable(controller: Controller): boolean {
    const { own, home } = this.place;
    if (home.words('cgroup.subtree_control').includes(controller)) return true;
    if (!own.words('cgroup.controllers').includes(controller)) return false;
    if (!own.words('cgroup.subtree_control').includes(controller)) {
      if (!this.begin(controller) && !(this.stepAside() && this.begin(controller))) return false;
    }
    return attempt(() => home.set('cgroup.subtree_control', `+${controller}`)) === null;
  }

  private begin(controller: Controller): boolean {
    if (attempt(() => this.place.own.set('cgroup.subtree_control', `+${controller}`)) !== null) return false;
    this.begun.add(controller);
    return true;
  }

  /** The kernel lets no group with processes of its own share out memory: the daemon goes, if it is alone there. */
  private stepAside(): boolean {
    const { own, leaf } = this.place;
    if (own.words('cgroup.procs').join() !== String(process.pid)) return false;
    if (attempt(() => mkdirSync(leaf.path, { recursive: true })) !== null) return false;
    this.moved = moveInto(leaf);
    return this.moved;
  }
}

export const missing = (controller: Controller): string =>
  `${controller}_max needs the ${controller} controller of cgroup v2, which is not available here`;

/** What the system says against it, or null. */
function attempt(act: () => void): string | null {
  try {
    act();
    return null;
  } catch (error) {
    return explain(error);
  }
}
