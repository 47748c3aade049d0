/** When to send the signal: while there is work, and work that is young, so that none of it ends by chance just then. */
import { kindOf } from './lives.ts';
import type { Report, Sighting } from './round.ts';
import { inFlightAt, isLasting } from './work.ts';

export interface Scene {
  readonly now: number;
  readonly leader: number;
  readonly reports: readonly Report[];
  readonly processes: readonly Sighting[];
  /** So many at least; null: any. */
  readonly jobs: number | null;
  /** A process counts when it is so old: by then it has set up what it does about signals. */
  readonly matureMs: number;
}

/** Between the beginning of a job and that of the process which it needs. */
const JOB_STARTS_MS = 300;
/** What has had jobs for so long, and no process of theirs was ever there to stay, has jobs of another sort. */
const NO_PROCESSES_MS = 2000;
/** So old, a process has most of its life before it. */
const YOUNG_MS = 150;

/** `kinds`: of these, one is to be there that has not lived long. */
export function isMoment(scene: Scene, kinds: readonly string[] = []): boolean {
  const alive = scene.processes.filter(
    (one) => one.goneAt === null && isLasting(one) && one.lastAt - one.firstAt >= scene.matureMs,
  );
  const said = inFlightAt(scene.reports, scene.now);
  // Its own word counts; of processes, each that it has begun itself is a job.
  const own = scene.jobs === null ? alive : alive.filter(({ ppid }) => ppid === scene.leader);
  if ((said ?? own.length) < (scene.jobs ?? 1)) return false;
  if (kinds.length > 0) return alive.some((one) => kinds.includes(kindOf(one)) && isYoung(one, scene));
  return said === null || alive.length > 0 || hasSettled(scene);
}

/** It has had jobs for long enough to have begun what they need. */
function hasSettled({ reports, now, processes, matureMs }: Scene): boolean {
  const first = reports.find(({ inFlight = 0 }) => inFlight > 0)?.at ?? now;
  if (now - first >= NO_PROCESSES_MS + matureMs) return true;
  const idleAt = reports.findLast(({ inFlight }) => inFlight === 0)?.at ?? Number.NEGATIVE_INFINITY;
  const since = reports.find(({ at, inFlight = 0 }) => at > idleAt && inFlight > 0)?.at ?? now;
  // One that has just come may be the job's, and is to be seen for a while.
  return matureMs === 0 && now - since >= JOB_STARTS_MS && processes.every(({ goneAt }) => goneAt !== null);
}

function isYoung(one: Sighting, { processes }: Scene): boolean {
  const ended = processes.filter((other) => other.goneAt !== null && kindOf(other) === kindOf(one));
  const shortest = Math.min(...ended.map(({ firstAt, goneAt }) => (goneAt ?? firstAt) - firstAt));
  return one.lastAt - one.firstAt <= Math.max(YOUNG_MS, shortest / 2);
}

/** One of each of these kinds has come and gone. */
export const hasLearnt = ({ processes }: Scene, kinds: readonly string[]): boolean =>
  kinds.every((kind) =>
    processes.some((one) => one.goneAt !== null && isLasting(one) && kindOf(one) === kind),
  );
