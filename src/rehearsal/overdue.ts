/** Whether a drain was cut short: the daemon only tells what it sent then. */
import type { DrainPlan } from '../core/plan.ts';
import type { Notes } from './notes.ts';

type Told = Pick<Notes, 'stopAt' | 'killedAt' | 'exit' | 'reports' | 'signalAt'>;

/** When the time of the drain was over, with that not done. */
export function overdueAt(
  { stopAt, killedAt, exit, reports, signalAt }: Told,
  { doneWhen, waitFor }: DrainPlan,
  timeoutMs: number | null,
): number | null {
  const at = stopAt ?? killedAt;
  if (at === null || signalAt === null) return null;
  if (doneWhen === 'notify') return reports.some((it) => it.drained === true && it.at <= at) ? null : at;
  // Whether its check had said so is not told; one that had said nothing has taken all the time there was.
  if (doneWhen === 'check') return timeoutMs !== null && at - signalAt >= timeoutMs ? at : null;
  // With the leader gone and nobody waited for, what it has left is ended at once.
  return waitFor === 'leader' && exit !== null && exit.at <= at ? null : at;
}
