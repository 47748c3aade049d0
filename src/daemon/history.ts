/** Rollouts for whoever asks: those of this daemon as they stand, and the last ones of those before it. */
import type { Moment } from '../base/clock.ts';
import type { Fleet } from '../core/fleet/fleet.ts';
import type { RolloutStatus } from '../protocol/status.ts';
import { describeRollout } from './describe.ts';
import type { Journal } from './journal.ts';

const isUnderWay = ({ state }: RolloutStatus): boolean => state === 'running' || state === 'paused';

export class RolloutHistory {
  readonly #past: readonly RolloutStatus[];

  constructor(journal: Journal) {
    this.#past = [...journal.under('rollout/')]
      // What this program has written under this prefix is nothing else.
      .map(([, value]) => value as RolloutStatus)
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

/** The daemon that led it ended before it was over. */
const cutOff = (rollout: RolloutStatus): RolloutStatus => ({
  ...rollout,
  state: 'aborted',
  current: [],
  reason: 'the daemon that led it ended before it was over',
});
