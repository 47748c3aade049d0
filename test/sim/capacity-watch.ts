/**
 * The capacity promise: whoever a rollout has taken away is in its turn, and no more of them than it may; extra ones
 * serve from before the first to after the last. What is away by its own fault excuses itself.
 */
import type { InstanceId, RolloutId } from '../../src/base/ids.ts';
import { type Fleet, rolloutUnderWay } from '../../src/core/fleet/fleet.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import { isActive, isLate, type Rollout } from '../../src/core/rollout/rollout.ts';
import { isThere, isWell } from './begin-watch.ts';
import { broken } from './broken.ts';

export class CapacityWatch {
  readonly #fleet: Fleet;
  /** Who worked until a rollout came. */
  readonly #away = new Set<InstanceId>();
  /** Who was away or had failed before this rollout, or its way back, began: it finds them so. */
  readonly #found = new Map<RolloutId, Set<InstanceId>>();
  readonly #reverting = new Set<RolloutId>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** After each step. */
  check(before: ReadonlyMap<InstanceId, Instance>): void {
    for (const [id, seat] of this.#fleet.instances) {
      const was = before.get(id);
      if (was !== seat && was !== undefined && isWell(was) && isTakenAway(seat)) this.#away.add(id);
    }
    for (const id of this.#away) {
      const seat = this.#fleet.instances.get(id);
      const counts = seat?.wish.want === 'up' && !seat.leaving && !isThere(seat);
      if (!counts) this.#away.delete(id);
    }
    for (const program of this.#fleet.programs.keys()) {
      const rollout = rolloutUnderWay(this.#fleet, program);
      if (rollout !== undefined) this.#keeps(rollout, this.#foundBy(rollout, before));
    }
  }

  #keeps({ id, turns, maxParallel, program }: Rollout, found: ReadonlySet<InstanceId>): void {
    let missing = 0;
    for (const away of this.#away) {
      const turn = turns.find((other) => other.id === away);
      if (this.#fleet.instances.get(away)?.program.name !== program || found.has(away)) continue;
      // Another rollout has taken it away, or it drains on, and is replaced when it has.
      if (turn === undefined || turn.step.kind === 'skipped') continue;
      if (!isActive(turn))
        broken(`${away} was taken away by rollout ${id}, and its turn is ${turn.step.kind}`);
      missing++;
    }
    if (missing > maxParallel) broken(`rollout ${id} has taken ${missing} away, and may take ${maxParallel}`);
  }

  /** Who is away already as it begins, or as its way back does, or has failed since. */
  #foundBy(
    { id, turns, reverting }: Rollout,
    before: ReadonlyMap<InstanceId, Instance>,
  ): ReadonlySet<InstanceId> {
    const isNew = !this.#found.has(id) || (reverting !== null && !this.#reverting.has(id));
    if (reverting !== null) this.#reverting.add(id);
    const found = this.#found.get(id) ?? new Set();
    this.#found.set(id, found);
    for (const turn of turns) {
      const wasAway = isNew && before.get(turn.id)?.phase.kind !== 'running';
      const seat = this.#fleet.instances.get(turn.id);
      if (turn.step.kind === 'failed' || isLate(turn) || wasAway) found.add(turn.id);
      else if (seat !== undefined && isThere(seat)) found.delete(turn.id);
    }
    return found;
  }
}

/** By a rollout, and not by its own fault or by an operator. */
const isTakenAway = ({ phase }: Instance): boolean =>
  'ending' in phase && phase.ending.cause === 'planned' && phase.ending.because.startsWith('rollout');
