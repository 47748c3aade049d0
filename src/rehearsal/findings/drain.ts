/** Did it stop taking work, did it say so, and did it end in time? */
import type { ProgramPlan } from '../../core/plan.ts';
import { type Finding, fault, good, warning } from '../finding.ts';
import type { Drained, Report, Round } from '../round.ts';
import { counted, lasted, named } from '../words.ts';
import { inFlightAt, isLasting } from '../work.ts';

/** What was on its way when the signal came may still be taken. */
const GRACE_MS = 250;

export function quiet(round: Drained): Finding[] {
  const { signalAt, reports, program } = round;
  const { signal } = program.drain;
  const rise = firstRise(reports, signalAt);
  if (rise !== null) {
    const { at, from, to } = rise;
    const text = `took another job ${lasted(at - signalAt)} after ${signal}: jobs in flight rose from ${from} to ${to}`;
    return [fault('quiet', text, 'stop taking jobs as soon as the signal comes, and only then wait')];
  }
  const begun = begunLater(round);
  if (begun.length > 0 && inFlightAt(reports, round.overAt) === null) {
    const text = `began ${counted(begun.length, 'process', 'processes')} after ${signal}: ${named(begun)}`;
    const cure =
      'if these were next jobs rather than next steps of a job, stop taking jobs when the signal comes; with X_INFLIGHT=n reported this can be told apart';
    return [warning('quiet', text, cure)];
  }
  const said = reports.find(({ at, stopping }) => stopping === true && at >= signalAt);
  const words = said === undefined ? '' : `, and said STOPPING=1 after ${lasted(said.at - signalAt)}`;
  return [good('quiet', `took no job after ${signal}${words}`)];
}

/** Compared with what was said before, be it before the signal. */
function firstRise(reports: readonly Report[], signalAt: number) {
  let last: number | undefined;
  for (const { at, inFlight } of reports) {
    if (inFlight === undefined) continue;
    if (last !== undefined && inFlight > last && at > signalAt + GRACE_MS)
      return { at, from: last, to: inFlight };
    last = inFlight;
  }
  return null;
}

const begunLater = ({ processes, signalAt, leader }: Drained) =>
  processes.filter((one) => one.ppid === leader && one.firstAt > signalAt + GRACE_MS && isLasting(one));

export function reports(round: Drained): Finding[] {
  const inFlight = round.reports.filter((report) => report.inFlight !== undefined).length;
  const drained = round.reports.find((report) => report.drained === true);
  const said = [
    ...(inFlight > 0 ? ['its jobs in flight'] : []),
    ...(drained === undefined ? [] : [`X_DRAINED=1 ${lasted(drained.at - round.signalAt)} after the signal`]),
  ];
  if (said.length > 0) return [good('reports', `reported ${said.join(' and ')}`)];
  return [
    warning(
      'reports',
      'reported neither X_INFLIGHT nor X_DRAINED: nobody can see what a drain waits for',
      'write X_INFLIGHT=n to descriptor 3 whenever a job begins or ends; "tsup-visor/runner" does it for Node.js',
    ),
  ];
}

/** Above this share of the limit the next drain may be too long. */
const NEARLY = 0.7;

export function drain(round: Drained): Finding[] {
  const { signalAt, overdueAt, goneAt, drainTimeoutMs, program } = round;
  const setting = nameOfLimit(round);
  if (overdueAt !== null) {
    const text = `had not drained after ${lasted(overdueAt - signalAt)}, which is all that ${setting} allows: ${hindrance(round)}`;
    return [fault('drain', text, CURE_OF_OVERDUE)];
  }
  const tookMs = drainedAfter(round);
  if (tookMs === null || goneAt === null) return [];
  if (drainTimeoutMs === null)
    return [good('drain', `drained in ${lasted(tookMs)}; ${setting} sets no limit`)];
  const text = `drained in ${lasted(tookMs)} of the ${lasted(drainTimeoutMs)} that ${setting} allows`;
  if (tookMs <= drainTimeoutMs * NEARLY) return [good('drain', text)];
  const enough = lasted(Math.ceil((tookMs * 2) / 1000) * 1000);
  return [warning('drain', text, `raise drain.timeout of ${program.name} to ${enough} or more`)];
}

const nameOfLimit = ({ program, drainTimeoutMs }: Round): string =>
  drainTimeoutMs === program.drain.timeoutMs ? 'drain.timeout' : '--timeout';

const CURE_OF_OVERDUE =
  'give drain.timeout as long as its longest job takes, say EXTEND_TIMEOUT_USEC=n while a job goes on, or end what it waits for in vain';

/** What was still there when the time was over. */
function hindrance({ overdueAt, exit, reports, processes, leader }: Round): string {
  const at = overdueAt ?? 0;
  const alive = processes.filter(({ firstAt, goneAt }) => firstAt <= at && (goneAt === null || goneAt > at));
  const jobs = inFlightAt(reports, at);
  const isLeaderThere = exit === null || exit.at > at;
  return [
    ...(isLeaderThere
      ? [`its main process ${leader ?? ''} was still there`]
      : ['its main process had ended']),
    ...(jobs !== null && jobs > 0 ? [`it reported ${counted(jobs, 'job')} in flight`] : []),
    ...(alive.length > 0 ? [`${named(alive)} still worked`] : []),
  ].join(', ');
}

/** From the signal until it was drained: by its own word where that counts. */
export function drainedAfter({ signalAt, goneAt, reports, program }: Drained): number | null {
  const word = reports.find(({ at, drained }) => drained === true && at >= signalAt);
  const until = program.drain.doneWhen === 'notify' && word !== undefined ? word.at : goneAt;
  return until === null ? null : until - signalAt;
}

export function force(round: Drained): Finding[] {
  const { killedAt, stopAt, program, signalAt } = round;
  if (killedAt !== null) {
    const text = `ended only by SIGKILL, ${lasted(killedAt - signalAt)} after ${program.drain.signal}`;
    return [fault('force', text, cureOfKill(program))];
  }
  if (stopAt === null || round.overdueAt === null) return [];
  const text = `ended only when it was told to stop by ${program.stop.signal}, with ${lasted(program.stop.timeoutMs)} until SIGKILL`;
  return [warning('force', text, 'see why it had not drained by then, above')];
}

const cureOfKill = ({ drain, stop }: ProgramPlan): string =>
  `let it heed ${drain.signal === stop.signal ? drain.signal : `${drain.signal} and ${stop.signal}`}: finish the jobs, then exit; what ignores them is killed with its jobs`;
