/** Samples processor time and memory through pidusage, which is loaded when somebody looks for the first time. */
import type { Run } from '../base/ids.ts';
import type { Usage } from '../ports/processes.ts';

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

interface Look {
  readonly atMs: number;
  /** Processor milliseconds of each process so far. */
  readonly times: ReadonlyMap<number, number>;
  readonly cpuPercent: number;
}

interface Reading {
  readonly cpuMs: number;
  readonly ageMs: number;
  readonly memoryBytes: number;
}

export function createSampler(
  read: (pids: number[]) => Promise<Map<number, Reading>> = readUsage,
  nowMs = () => performance.now(),
): Sampler {
  const looks = new Map<Run, Look>();
  // One at a time: two that ask for the same process at once would leak a descriptor of pidusage's.
  let queue: Promise<unknown> = Promise.resolve();

  async function sampleNow(pids: ReadonlyMap<Run, readonly number[]>): Promise<ReadonlyMap<Run, Usage>> {
    const usage = new Map<Run, Usage>();
    const all = [...pids.values()].flat();
    if (all.length === 0) return usage;
    const readings = await read(all);
    const now = nowMs();
    for (const [run, ofRun] of pids) {
      const found = new Map(ofRun.flatMap((pid) => entry(pid, readings.get(pid))));
      if (found.size === 0) continue;
      const look = compare(found, looks.get(run), now);
      looks.set(run, look);
      usage.set(run, { processes: found.size, cpuPercent: look.cpuPercent, memoryBytes: memoryOf(found) });
    }
    return usage;
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

const entry = (pid: number, reading: Reading | undefined): [number, Reading][] =>
  reading === undefined ? [] : [[pid, reading]];

function memoryOf(found: ReadonlyMap<number, Reading>): number {
  let sum = 0;
  for (const reading of found.values()) sum += reading.memoryBytes;
  return sum;
}

function compare(found: ReadonlyMap<number, Reading>, last: Look | undefined, now: number): Look {
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

async function readUsage(pids: number[]): Promise<Map<number, Reading>> {
  const { default: pidusage } = await import('pidusage');
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
  return readings;
}
