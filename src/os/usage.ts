/**
 * Samples processor time and memory: from the cgroup of a run as far as that has them, which counts children too that
 * came and went; else through pidusage, which is loaded when somebody looks for the first time.
 */
import { createRequire } from 'node:module';
import type { Run } from '../base/ids.ts';
import type { Usage } from '../ports/processes.ts';
import type { Cgroup } from './cgroup.ts';
import { ageMsOf } from './proc.ts';
import { closeLeaksLater } from './usage-leaks.ts';

/** What the kernel has added up for a run; null: it has not. */
export type Accounts = Pick<Cgroup, 'cpuMs' | 'memoryBytes'>;

export interface Sampler {
  /** `pids` of each run; those that are gone are left out of the answer. */
  sample(pids: ReadonlyMap<Run, readonly number[]>): Promise<ReadonlyMap<Run, Usage>>;
  forget(run: Run): void;
}

/** A look older than this is no base for "now". */
const MAX_AGE_MS = 60_000;
/** The kernel counts in ticks of 10 ms: over less than this they are noise. */
const MIN_SPAN_MS = 200;
/**
 * pidusage keeps a descriptor for each process, which makes the next look cheaper by half, and lets go of it only
 * when the entry has expired (its `clear` forgets the entry and leaks the descriptor).
 */
const HISTORY_MS = 1000;
/** It looks for what has expired each half of that. */
const EXPIRED_MS = 1.7 * HISTORY_MS;

interface Look {
  readonly atMs: number;
  /** Processor milliseconds of each process so far; of all together under the number 0. */
  readonly times: ReadonlyMap<number, number>;
  readonly cpuPercent: number;
}

interface Times {
  readonly cpuMs: number;
  readonly ageMs: number;
}

interface Reading extends Times {
  readonly memoryBytes: number;
}

export function createSampler(
  read: (pids: number[]) => Promise<Map<number, Reading>> = readUsage,
  nowMs = () => performance.now(),
  accountsOf: (run: Run) => Accounts | null = () => null,
  ageMs: (pid: number) => number = ageMsOf,
): Sampler {
  const looks = new Map<Run, Look>();
  // One at a time: two that ask for the same process at once would leak a descriptor of pidusage's.
  let queue: Promise<unknown> = Promise.resolve();

  async function sampleNow(pids: ReadonlyMap<Run, readonly number[]>): Promise<ReadonlyMap<Run, Usage>> {
    const usage = new Map<Run, Usage>();
    const counted = new Map([...pids].map(([run, ofRun]) => [run, takeDown(accountsOf(run), ofRun)]));
    const all = [...pids].flatMap(([run, ofRun]) => (isWhole(counted.get(run)) ? [] : ofRun));
    const readings = all.length === 0 ? new Map<number, Reading>() : await read(all);
    const now = nowMs();
    for (const [run, ofRun] of pids) {
      const { cpu, memoryBytes } = counted.get(run) ?? NOTHING;
      const found = new Map(ofRun.flatMap((pid) => entry(pid, readings.get(pid))));
      const processes = cpu === null || memoryBytes === null ? found.size : ofRun.length;
      if (processes === 0) continue;
      const look = compare(cpu ?? found, looks.get(run), now);
      looks.set(run, look);
      usage.set(run, {
        processes,
        cpuPercent: look.cpuPercent,
        memoryBytes: memoryBytes ?? memoryOf(found),
      });
    }
    return usage;
  }

  /** The whole of a run as if it were one process, as old as the oldest. */
  function takeDown(accounts: Accounts | null, ofRun: readonly number[]): Counted {
    const cpuMs = accounts?.cpuMs() ?? null;
    const oldest = Math.max(0, ...ofRun.map(ageMs));
    const cpu = cpuMs === null ? null : new Map([[0, { cpuMs, ageMs: oldest }]]);
    return { cpu, memoryBytes: accounts?.memoryBytes() ?? null };
  }

  return {
    sample(pids) {
      const answer = queue.then(() => sampleNow(pids));
      queue = answer.catch(() => {});
      return answer;
    },
    forget: (run) => void looks.delete(run),
  };
}

interface Counted {
  readonly cpu: ReadonlyMap<number, Times> | null;
  readonly memoryBytes: number | null;
}

const NOTHING: Counted = { cpu: null, memoryBytes: null };
const isWhole = (counted = NOTHING): boolean => counted.cpu !== null && counted.memoryBytes !== null;

const entry = (pid: number, reading: Reading | undefined): [number, Reading][] =>
  reading === undefined ? [] : [[pid, reading]];

function memoryOf(found: ReadonlyMap<number, Reading>): number {
  let sum = 0;
  for (const reading of found.values()) sum += reading.memoryBytes;
  return sum;
}

function compare(found: ReadonlyMap<number, Times>, last: Look | undefined, now: number): Look {
  const span = last === undefined ? Number.POSITIVE_INFINITY : now - last.atMs;
  if (last !== undefined && span < MIN_SPAN_MS) return last;
  const recent = last !== undefined && span <= MAX_AGE_MS ? last : undefined;
  let percent = 0;
  const times = new Map<number, number>();
  for (const [pid, { cpuMs, ageMs }] of found) {
    times.set(pid, cpuMs);
    if (recent === undefined) percent += ageMs > 0 ? (100 * cpuMs) / ageMs : 0;
    else percent += (100 * Math.max(0, cpuMs - (recent.times.get(pid) ?? 0))) / span;
  }
  return { atMs: now, times, cpuPercent: Math.round(percent * 10) / 10 };
}

type PidUsage = typeof import('pidusage');

async function readUsage(pids: number[]): Promise<Map<number, Reading>> {
  // Not by `import`, which a program that is loaded by its compiled code cannot do.
  const pidusage: PidUsage = createRequire(import.meta.url)('pidusage');
  const readings = new Map<number, Reading>();
  try {
    // The types leave out that a process which is gone has no entry; and `maxage` is milliseconds.
    const found: Record<string, { ctime: number; elapsed: number; memory: number } | null | undefined> =
      await pidusage(pids, { maxage: HISTORY_MS });
    for (const pid of pids) {
      const one = found[pid];
      if (one) readings.set(pid, { cpuMs: one.ctime, ageMs: one.elapsed, memoryBytes: one.memory });
    }
  } catch {
    // All of them are gone, or /proc cannot be read: an answer without them is true.
  }
  closeLeaksLater(
    pids.filter((pid) => !readings.has(pid)),
    EXPIRED_MS,
  );
  return readings;
}
