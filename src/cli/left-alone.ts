/** What is said of a rollout whose daemon has gone: no other has come, or one that knows nothing of it. */
import type { NoDaemonError } from '../client/errors.ts';
import { EXIT } from '../protocol/errors.ts';
import type { RolloutStatus } from '../protocol/status.ts';
import { Refusal } from './refusal.ts';

/** A daemon with a state folder of its own counts from 1 as well. */
export const isAnother = (now: RolloutStatus, before: RolloutStatus): boolean =>
  now.program !== before.program ||
  Math.abs(Date.parse(now.started_at) - Date.parse(before.started_at)) > SAME_WITHIN_MS;

/** A date that is kept by two daemons may differ by what their clocks have been set. */
const SAME_WITHIN_MS = 60_000;

export const forgotten = ({ id, program, done, total }: RolloutStatus): Refusal =>
  new Refusal(
    EXIT.failed,
    `the daemon that answers now knows nothing of rollout ${id} of ${program}, which stood at ${done} of ${total}`,
    `see "tsup-visor status ${program}", and begin anew with "tsup-visor rolling-restart ${program}"`,
  );

/** The daemon is gone, and no other has come. */
export function leftAlone(error: NoDaemonError, rollouts: readonly RolloutStatus[]): Refusal | NoDaemonError {
  const open = rollouts.filter(({ state }) => state === 'running' || state === 'paused');
  if (open.length === 0) return error;
  const names = open.map(
    ({ id, program, done, total }) => `rollout ${id} of ${program} at ${done} of ${total}`,
  );
  return new Refusal(
    EXIT.noDaemon,
    `${error.message}; it left ${names.join(', ')}`,
    'what it ran runs on; "tsup-visor start" starts a daemon that goes on with it',
  );
}
