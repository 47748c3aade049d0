/** Rollouts for whoever asks: those of this daemon as they stand, and the last ones of those before it. */
import type { Moment, Mono } from '../base/clock.ts';
import type { Fleet } from '../core/fleet/fleet.ts';
import { isOver, type Rollout } from '../core/rollout/rollout.ts';
import { ROLLOUT_STATES, type RolloutStatus } from '../protocol/status.ts';
import { describeRollout } from './describe-rollout.ts';
import { expectedEnd } from './expectation.ts';
import type { Journal } from './journal.ts';
import { fieldAt, hasShape, isOneOf, type Shape } from './shape.ts';

const isUnderWay = ({ state }: RolloutStatus): boolean => state === 'running' || state === 'paused';

/** So many that are over are remembered. */
export const HISTORY_KEPT = 100;

export class RolloutHistory {
  readonly #journal: Journal;
  readonly #past = new Map<number, RolloutStatus>();
  /** Those of this daemon that were written as they began. */
  readonly #begun = new Set<number>();

  constructor(journal: Journal) {
    this.#journal = journal;
    for (const [id, value] of [...journal.under('rollout/')]) {
      if (!isRollout(value) || String(value.id) !== id) {
        journal.reject(`rollout/${id}`);
        continue;
      }
      const rollout = {
        ...MISSING,
        ...value,
        turns: value.turns.map((turn) => ({ ...MISSING_TURN, ...turn })),
      };
      this.#past.set(value.id, isUnderWay(rollout) ? cutOff(rollout) : rollout);
    }
  }

  /** Written as it begins and once it is over; what lies between, and what it goes on with, is written elsewhere. */
  keep(rollout: Rollout, now: Moment): void {
    const { id } = rollout;
    if (!isOver(rollout) && this.#begun.has(id)) return;
    this.#begun.add(id);
    const status = describeRollout(rollout, now);
    this.#journal.put(`rollout/${id}`, { ...status });
    if (!isOver(rollout)) return;
    this.#past.set(id, status);
    this.#begun.delete(id);
    this.#forgetOldest();
  }

  #forgetOldest(): void {
    const ids = [...this.#past.keys()].sort((a, b) => a - b);
    for (const id of ids.slice(0, -HISTORY_KEPT)) {
      this.#past.delete(id);
      this.#journal.put(`rollout/${id}`, null);
    }
  }

  /** Oldest first. */
  all(fleet: Fleet, now: Moment): RolloutStatus[] {
    const all = new Map(this.#past);
    for (const rollout of fleet.rollouts.values()) {
      const past = isOver(rollout) ? this.#past.get(rollout.id) : undefined;
      all.set(rollout.id, past ?? this.describe(rollout, fleet, now));
    }
    return [...all.values()].sort((a, b) => a.id - b.id);
  }

  describe(rollout: Rollout, fleet: Fleet, now: Moment): RolloutStatus {
    return describeRollout(rollout, now, {
      drainDeadline(id) {
        const phase = fleet.instances.get(id)?.phase;
        return phase?.kind === 'draining' ? phase.deadline : null;
      },
      expectedEnd: (one) => this.#expectedEnd(one, fleet, now),
    });
  }

  /** Of this program, those that are over, the newest last. */
  pastOf(program: string): RolloutStatus[] {
    const own = [...this.#past.values()].filter((rollout) => rollout.program === program);
    return own.sort((a, b) => a.id - b.id);
  }

  #expectedEnd(rollout: Rollout, fleet: Fleet, now: Moment): Mono | null {
    const ahead = rollout.after === null ? undefined : fleet.rollouts.get(rollout.after);
    const isBehind = ahead !== undefined && !isOver(ahead);
    const begins = isBehind ? this.#expectedEnd(ahead, fleet, now) : now.mono;
    return expectedEnd(rollout, this.pastOf(rollout.program), begins, now);
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
  const turns = fieldAt(value, 'turns');
  return (
    hasShape(value, ROLLOUT) &&
    isOneOf(ROLLOUT_STATES, fieldAt(value, 'state')) &&
    Array.isArray(turns) &&
    turns.every((turn) => hasShape(turn, TURN))
  );
}

const ROLLOUT: Shape = {
  id: 'count',
  program: 'text',
  done: 'count??',
  total: 'count??',
  current: 'list??',
  started_at: 'text??',
  ended_at: 'text??',
  revision: 'text??',
  drains_ms: 'list??',
  killed: 'list??',
};
const TURN: Shape = { instance: 'text', step: 'text', elapsed_ms: 'number??', drain_ms: 'number??' };

/** What an earlier version has not written. */
const MISSING = {
  failures: 0,
  max_parallel: 1,
  canary: null,
  after: null,
  reverting: null,
  reverted_revision: null,
  cause: { kind: 'operator', by: null, words: null, of: null },
  expected_end: null,
  from_revision: null,
  drains_ms: [],
  killed: [],
} as const;
const MISSING_TURN = { extra: false, drain_ms: null, deadline: null } as const;

/** The daemon that led it ended before it was over. */
const cutOff = (rollout: RolloutStatus): RolloutStatus => ({
  ...rollout,
  state: 'aborted',
  current: [],
  blocker: null,
  reason: 'the daemon that led it ended before it was over',
});
