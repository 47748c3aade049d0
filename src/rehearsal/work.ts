/** What is known of the work that a round had under way. */
import { basename } from 'node:path';
import type { ProgramPlan } from '../core/plan.ts';
import type { Report, Round, Sighting } from './round.ts';

const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'busybox']);

/** Its main process is, or was at first. */
export const isShell = ({ command: [word = ''] }: Pick<ProgramPlan, 'command'>): boolean =>
  SHELLS.has(basename(word));

/** What comes and goes faster (the `sleep 0.05` of a loop) is no job. */
const LASTING_MS = 80;

/** As last said by then; null: it had never said. */
export const inFlightAt = (reports: readonly Report[], at: number): number | null =>
  reports.findLast((report) => report.at <= at && report.inFlight !== undefined)?.inFlight ?? null;

export const isLasting = ({ firstAt, lastAt }: Sighting): boolean => lastAt - firstAt >= LASTING_MS;

/** There at this moment, and for longer than a moment. */
export const aliveAt = (processes: readonly Sighting[], at: number): Sighting[] =>
  processes.filter((one) => one.firstAt <= at && (one.goneAt === null || one.goneAt > at) && isLasting(one));

/** Of a worker that is a shell script, which looks again in a while. */
const isPause = ({ command, ppid }: Sighting, { program, leader }: Round): boolean =>
  isShell(program) && ppid === leader && /^(?:\/\S*\/)?sleep /.test(command);

/** What was under way when the signal came. */
export interface Work {
  /** By its own word; null: it had not said. */
  readonly jobs: number | null;
  readonly processes: readonly Sighting[];
  /** Its own word counts; without one, a process of its own is taken for work. */
  readonly isThere: boolean;
}

export function workAt(round: Round, at: number): Work {
  const jobs = inFlightAt(round.reports, at);
  const all = aliveAt(round.processes, at);
  const work = all.filter((one) => !isPause(one, round));
  // Where there is nothing else, even a sleep may stand for a job.
  const alive = work.length > 0 || jobs !== null ? work : all;
  return { jobs, processes: alive, isThere: jobs === null ? alive.length > 0 : jobs > 0 };
}
