/** When a request has got what it wanted of an instance, and how that is said. */

import type { Moment } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { describeExit } from '../base/exit-status.ts';
import type { InstanceId, Run } from '../base/ids.ts';
import type { Because } from '../core/instance/because.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { ActionOutcome } from '../protocol/replies.ts';
import { stateOf } from './describe.ts';
import type { Judge } from './waiters.ts';

type Now = () => Moment;

/** Ready, finished, or failed for the first time. */
export function judgeStart(now: Now, before: ReadonlySet<InstanceId>): Judge {
  const firstRunFailed = watchFirstRun();
  return (instance) => {
    const { phase, id } = instance;
    if (phase.kind === 'running') {
      const already = before.has(id);
      return outcome(instance, true, already, already ? `${id} was running already` : `${id} is ready`);
    }
    if (phase.kind === 'exited') return outcome(instance, true, false, `${id} has finished`);
    return firstRunFailed(instance) ?? failure(instance, now);
  };
}

/** A run after `oldRuns` is ready, or has failed for the first time. */
export function judgeRestart(now: Now, oldRuns: ReadonlyMap<InstanceId, Run | null>): Judge {
  const firstRunFailed = watchFirstRun();
  return (instance) => {
    const { phase, id } = instance;
    const replaced = instance.lastRun !== (oldRuns.get(id) ?? null);
    if (phase.kind === 'running' && replaced) return outcome(instance, true, false, `${id} is ready`);
    if (phase.kind === 'exited' && replaced) return outcome(instance, true, false, `${id} has finished`);
    return firstRunFailed(instance) ?? failure(instance, now);
  };
}

/** Nothing is left of it. */
export function judgeStop(before: ReadonlySet<InstanceId>): Judge {
  return (instance) => {
    const { id } = instance;
    if (instance.wish.want === 'up') {
      return outcome(instance, false, false, `${id} was started again meanwhile`);
    }
    if (instance.phase.kind !== 'stopped') return null;
    const already = before.has(id);
    return outcome(instance, true, already, already ? `${id} was stopped already` : stopped(instance));
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
    if (phase.kind !== 'spawning' && phase.kind !== 'starting') return null;
    if (first.get(id) === lastRun) return null;
    // A run before this one that was asked to end, by a restart say, has not failed.
    const failed = first.has(id) && lastExit !== null && FAILURES.has(lastExit.because);
    if (!failed) {
      first.set(id, lastRun);
      return null;
    }
    const lived = formatDuration(lastExit.livedMs);
    return outcome(
      instance,
      false,
      false,
      `${id} ${describeExit(lastExit.exit)} after ${lived}; it is tried again`,
    );
  };
}

const FAILURES: ReadonlySet<Because> = new Set(['crash', 'not ready']);

function failure(instance: Instance, now: Now): ActionOutcome | null {
  const { phase, id } = instance;
  if (phase.kind === 'backoff') {
    const wait = formatDuration(Math.max(0, phase.until - now().mono));
    return outcome(instance, false, false, `${id} ${phase.why}; it is tried again in ${wait}`);
  }
  if (phase.kind === 'failed') return outcome(instance, false, false, `${id} ${phase.why}`);
  if (instance.wish.want === 'down') {
    return outcome(instance, false, false, `${id} was stopped meanwhile`);
  }
  return null;
}

function stopped({ id, lastExit }: Instance): string {
  if (lastExit === null) return `${id} is stopped`;
  if (lastExit.killed) return `${id} is stopped; it had to be killed`;
  return lastExit.drained
    ? `${id} has drained and is stopped`
    : `${id} is stopped; it ${describeExit(lastExit.exit)}`;
}

function outcome(instance: Instance, ok: boolean | null, already: boolean, message: string): ActionOutcome {
  return { id: instance.id, state: stateOf(instance), ok, already, message };
}
