/** When a request has got what it wanted of an instance, and how that is said. */

import type { Moment, Wall } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { describeExit } from '../base/exit-status.ts';
import type { InstanceId, ProgramName, Run } from '../base/ids.ts';
import type { Because } from '../core/instance/because.ts';
import type { ExitRecord, Instance } from '../core/instance/instance.ts';
import type { ActionOutcome } from '../protocol/replies.ts';
import { stateOf } from './describe.ts';
import { sentenceOfFailure, waitingMessage } from './message.ts';
import type { Judge } from './waiters.ts';

/** What a judgement may draw on beside the instance. */
export interface Outlook {
  now(): Moment;
  nextRun(program: ProgramName): Wall | null;
}

/** Ready, finished, waiting for its time, or failed for the first time. */
export function judgeStart(outlook: Outlook, before: ReadonlySet<InstanceId>): Judge {
  const firstRunFailed = watchFirstRun();
  return (instance) => {
    const { phase, id } = instance;
    if (phase.kind === 'running') {
      const already = before.has(id);
      return outcome(instance, true, already, already ? `${id} was running already` : `${id} is ready`);
    }
    if (phase.kind === 'exited') return completed(instance, before.has(id));
    return (
      waiting(instance, outlook, before.has(id)) ?? firstRunFailed(instance) ?? failure(instance, outlook)
    );
  };
}

/** A run after `oldRuns` is ready, or has failed for the first time. */
export function judgeRestart(outlook: Outlook, oldRuns: ReadonlyMap<InstanceId, Run | null>): Judge {
  const firstRunFailed = watchFirstRun();
  return (instance) => {
    const { phase, id } = instance;
    const replaced = instance.lastRun !== (oldRuns.get(id) ?? null);
    if (phase.kind === 'running' && replaced) return outcome(instance, true, false, `${id} is ready`);
    if (phase.kind === 'exited' && replaced) return completed(instance, false);
    return waiting(instance, outlook) ?? firstRunFailed(instance) ?? failure(instance, outlook);
  };
}

/** Those that were added are ready, those that are to go are gone. */
export function judgeScale(outlook: Outlook, leaving: ReadonlySet<InstanceId>): Judge {
  const started = judgeStart(outlook, new Set());
  return (instance) => {
    const { id, wish } = instance;
    if (leaving.has(id)) {
      return wish.want === 'up' ? outcome(instance, false, false, `${id} is wanted again`) : null;
    }
    if (wish.want === 'up') return started(instance);
    return outcome(instance, true, false, `${id} was added, and stays ${stateOf(instance)}`);
  };
}

export const gone = (id: InstanceId): ActionOutcome => ({
  id,
  state: 'stopped',
  ok: true,
  already: false,
  message: `${id} has ended and is gone`,
});

function completed(instance: Instance, already: boolean): ActionOutcome {
  const { id } = instance;
  const text = already
    ? `${id} has completed already; "tsup-visor start ${id}" runs it again`
    : `${id} has completed`;
  return outcome(instance, true, already, text);
}

/** What was ready when it was looked at may have completed before the last of the others was. */
export const asOfNow = (told: ActionOutcome, instance: Instance | undefined): ActionOutcome =>
  told.ok && told.state === 'running' && instance?.phase.kind === 'exited'
    ? completed(instance, false)
    : told;

/** Nothing that is under way will end this wait, or the clock alone will. */
function waiting(instance: Instance, { nextRun }: Outlook, already = false): ActionOutcome | null {
  const { phase, id, program } = instance;
  if (phase.kind !== 'waiting') return null;
  const text = `${id} ${waitingMessage(phase.what, nextRun(program.name))}`;
  if (phase.what.kind === 'schedule') return outcome(instance, true, already, text);
  return phase.what.hopeless ? outcome(instance, false, false, text) : null;
}

/** Nothing is left of it. */
export function judgeStop(before: ReadonlySet<InstanceId>): Judge {
  return (instance) => {
    const { id } = instance;
    if (instance.wish.want === 'up') {
      return outcome(instance, false, false, `${id} was started again meanwhile`);
    }
    if (instance.phase.kind !== 'stopped') return null;
    if (before.has(id)) return outcome(instance, true, true, `${id} was stopped already`);
    const cut = instance.lastExit !== null && wasCutShort(instance.lastExit) ? { cut_short: true } : {};
    return { ...outcome(instance, true, false, stopped(instance)), ...cut };
  };
}

/** The request did not wait: what is on its way. */
export const undecided = (instance: Instance): ActionOutcome =>
  outcome(instance, null, false, `${instance.id} is ${stateOf(instance)}`);

/** Without a backoff the next run follows at once: that there is one says that the first has failed. */
function watchFirstRun(): Judge {
  const first = new Map<InstanceId, Run | null>();
  return (instance) => {
    const { id, phase, lastRun, lastExit } = instance;
    if (phase.kind !== 'preparing' && phase.kind !== 'spawning' && phase.kind !== 'starting') return null;
    if (first.get(id) === lastRun) return null;
    // A run before this one that was asked to end, by a restart say, has not failed.
    const failed = first.has(id) && lastExit !== null && FAILURES.has(lastExit.because);
    if (!failed) {
      first.set(id, lastRun);
      return null;
    }
    const what = `${describeExit(lastExit.exit)} after ${formatDuration(lastExit.livedMs)}`;
    return outcome(instance, false, false, `${id} ${what}; it is tried again`);
  };
}

const FAILURES: ReadonlySet<Because> = new Set(['crash', 'not ready', 'hook', 'unhealthy', 'watchdog']);

function failure(instance: Instance, { now }: Outlook): ActionOutcome | null {
  const { phase, id } = instance;
  if (phase.kind === 'backoff') {
    const wait = formatDuration(Math.max(0, phase.until - now().mono));
    const what = sentenceOfFailure(id, phase.why);
    return outcome(instance, false, false, `${what}; it is tried again in ${wait}`);
  }
  if (phase.kind === 'failed') return outcome(instance, false, false, sentenceOfFailure(id, phase.why));
  if (instance.wish.want === 'down') {
    return outcome(instance, false, false, `${id} was stopped meanwhile`);
  }
  return null;
}

function stopped({ id, lastExit }: Instance): string {
  if (lastExit === null) return `${id} is stopped`;
  const { inFlight = 0, endingMs = 0 } = lastExit;
  const jobs = inFlight === 0 ? '' : `, with ${inFlight} ${inFlight === 1 ? 'job' : 'jobs'} in flight`;
  if (lastExit.killed) {
    const after = endingMs === 0 ? '' : ` after ${formatDuration(endingMs)}`;
    return `${id} is stopped; it had to be killed${after}${jobs}`;
  }
  return lastExit.drained
    ? `${id} has drained and is stopped`
    : `${id} is stopped; it ${describeExit(lastExit.exit)}${jobs}`;
}

const wasCutShort = ({ killed, inFlight = 0 }: ExitRecord): boolean => killed || inFlight > 0;

function outcome(instance: Instance, ok: boolean | null, already: boolean, message: string): ActionOutcome {
  return { id: instance.id, state: stateOf(instance), ok, already, message };
}
