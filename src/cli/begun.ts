/** What the daemon has begun, how it stands, and which events are about it. */
import type { WireEvent } from '../protocol/events.ts';
import type { InstanceStatus, PlannedRollout, RolloutStatus } from '../protocol/status.ts';
import { hasNotBegun } from './render/rollout.ts';

export interface Begun {
  readonly rollouts: readonly RolloutStatus[];
  /** Those that come, go or change in number without a rollout. */
  readonly programs: readonly string[];
  /** The last event before all of it; undefined: it began before anybody looked. */
  readonly seq: number | undefined;
}

/** Without those that a dry run would only have begun. */
export const begunOf = (rollouts: readonly (RolloutStatus | PlannedRollout)[]): RolloutStatus[] =>
  rollouts.filter((rollout): rollout is RolloutStatus => rollout.id !== null);

/** How it stands. */
export interface Seen {
  readonly rollouts: readonly RolloutStatus[];
  /** Of the rollouts' programs, where the viewer shows them, and of those that come and go. */
  readonly instances: readonly InstanceStatus[];
}

/** Those that neither move nor are about to: over, paused, or behind one that is paused. */
export function isAtRest(rollout: RolloutStatus, all: ReadonlyMap<number, RolloutStatus>): boolean {
  if (rollout.state !== 'running') return true;
  const ahead = hasNotBegun(rollout) ? all.get(rollout.after ?? 0) : undefined;
  // One that has ended badly takes those behind it along; that is still to come.
  return (
    ahead !== undefined && (ahead.state === 'paused' || (ahead.state === 'running' && isAtRest(ahead, all)))
  );
}

export function concerns(event: WireEvent, { rollouts, programs }: Begun): boolean {
  if ('rollout' in event) return rollouts.some(({ id }) => id === event.rollout);
  const names = [...programs, ...rollouts.map(({ program }) => program)];
  if ('instance' in event) return names.some((name) => event.instance.startsWith(`${name}:`));
  if ('program' in event) return names.includes(event.program);
  return event.type === 'dropped' || event.type === 'daemon';
}
