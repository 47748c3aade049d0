/** Rollouts for whoever asks: those of this daemon as they stand, and the last ones of those before it. */
import type { Moment } from '../base/clock.ts';
import type { Fleet } from '../core/fleet/fleet.ts';
import { ROLLOUT_STATES, type RolloutStatus } from '../protocol/status.ts';
import { describeRollout } from './describe.ts';
import type { Journal } from './journal.ts';

const isUnderWay = ({ state }: RolloutStatus): boolean => state === 'running' || state === 'paused';

export class RolloutHistory {
  readonly #past: readonly RolloutStatus[];

  constructor(journal: Journal) {
    this.#past = [...journal.under('rollout/')]
      .flatMap(([, value]) => (isRollout(value) ? [value] : []))
      .map((rollout) => (isUnderWay(rollout) ? cutOff(rollout) : rollout));
  }

  /** Oldest first. */
  all(fleet: Fleet, now: Moment): RolloutStatus[] {
    const own = [...fleet.rollouts.values()].map((rollout) => describeRollout(rollout, now));
    const known = new Set(own.map(({ id }) => id));
    return [...this.#past.filter(({ id }) => !known.has(id)), ...own].sort((a, b) => a.id - b.id);
  }

  /** Those under way, and of each other program the last one. */
  current(fleet: Fleet, now: Moment): RolloutStatus[] {
    const last = new Map(this.all(fleet, now).map((rollout) => [rollout.program, rollout]));
    return [...last.values()];
  }

  /** By number, or the last one of a program. */
  find(fleet: Fleet, key: string, now: Moment): RolloutStatus | undefined {
    return this.all(fleet, now).findLast(({ id, program }) => String(id) === key || program === key);
  }
}

/** By what is made use of here; the rest is as the daemon that has written it had it. */
function isRollout(value: unknown): value is RolloutStatus {
  if (typeof value !== 'object' || value === null) return false;
  const { id, program, state, turns }: Partial<Record<keyof RolloutStatus, unknown>> = value;
  const states: readonly unknown[] = ROLLOUT_STATES;
  return (
    typeof id === 'number' && typeof program === 'string' && states.includes(state) && Array.isArray(turns)
  );
}

/** The daemon that led it ended before it was over. */
const cutOff = (rollout: RolloutStatus): RolloutStatus => ({
  ...rollout,
  state: 'aborted',
  current: [],
  blocker: null,
  reason: 'the daemon that led it ended before it was over',
});
