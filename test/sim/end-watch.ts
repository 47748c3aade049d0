/** What must hold of a rollout that is over: all have what it came to, and what was there for its length alone is gone. */
import type { InstanceId, RolloutId } from '../../src/base/ids.ts';
import { type Fleet, seatsOf } from '../../src/core/fleet/fleet.ts';
import { lifeOf } from '../../src/core/instance/phase.ts';
import type { Rollout, Turn } from '../../src/core/rollout/rollout.ts';
import { broken } from './broken.ts';

export class EndWatch {
  readonly #fleet: Fleet;
  /** Who was there to stay when each began. */
  readonly #staying = new Map<RolloutId, Set<InstanceId>>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  begun({ id, program }: Rollout): void {
    const seats = [...seatsOf(this.#fleet, program).values()].filter(({ leaving }) => !leaving);
    this.#staying.set(id, new Set(seats.map((seat) => seat.id)));
  }

  /** With the next daemon the file may have more of them: they are as it says. */
  raised({ id, program }: Rollout): void {
    for (const seat of seatsOf(this.#fleet, program).keys()) this.#staying.get(id)?.add(seat);
  }

  check(rollout: Rollout): void {
    if (rollout.state === 'succeeded') this.#succeeded(rollout);
    if (rollout.state === 'reverted') this.#reverted(rollout);
  }

  #succeeded(rollout: Rollout): void {
    const { id, turns, target, generation } = rollout;
    for (const turn of turns) {
      const seat = this.#fleet.instances.get(turn.id);
      if (seat?.program.revision !== target.revision && seat?.generation === generation)
        broken(`rollout ${id} has succeeded, ${turn.id} keeps its old plan`);
      if (turn.step.kind === 'done' || turn.step.kind === 'failed') continue; // so many may fail
      if (turn.step.kind !== 'skipped') broken(`rollout ${id} has succeeded without ${turn.id}`);
    }
    if (intolerable(rollout)) broken(`rollout ${id} has succeeded although too many have failed`);
    this.#isForAll(rollout);
    this.#extrasAreGone(rollout);
  }

  /** Whoever has come to the program meanwhile has had a turn as well. */
  #isForAll({ id, program, turns }: Rollout): void {
    const old = this.#staying.get(id);
    for (const seat of seatsOf(this.#fleet, program).values()) {
      if (seat.leaving || seat.wish.want === 'down' || old === undefined || old.has(seat.id)) continue;
      const hasTurn = turns.some((turn) => turn.id === seat.id);
      if (!hasTurn) broken(`rollout ${id} has succeeded without ${seat.id}`);
    }
  }

  /** Nothing is left of what was taken back, but what somebody has stopped, or what drains on. */
  #reverted(rollout: Rollout): void {
    const { id, reverting, turns, target, generation } = rollout;
    if (reverting === null) throw broken(`rollout ${id} is reverted and never went back`);
    for (const turn of turns) {
      const seat = this.#fleet.instances.get(turn.id);
      if (seat === undefined || turn.extra || seat.wish.want === 'down') continue;
      if (seat.generation === reverting.from)
        broken(`rollout ${id} is reverted, and ${turn.id} keeps what it had`);
      if (seat.generation === generation && seat.program.revision !== target.revision)
        broken(`rollout ${id} is reverted, and ${turn.id} has ${seat.program.revision}`);
      const isLeft = lifeOf(seat.phase)?.generation === reverting.from && !('ending' in seat.phase);
      if (isLeft) broken(`rollout ${id} is reverted, and ${turn.id} runs as it did`);
    }
    this.#extrasAreGone(rollout);
  }

  #extrasAreGone({ id, state, turns }: Rollout): void {
    for (const turn of turns) {
      const seat = this.#fleet.instances.get(turn.id);
      if (turn.extra && seat?.leaving && seat.wish.want === 'up')
        broken(`rollout ${id} is ${state}, and ${turn.id}, an extra one, stays`);
    }
  }
}

/** A failure that is one too many. */
export function intolerable({ turns, canary, reverting, target }: Rollout): Turn | undefined {
  const failed = turns.filter(({ step }) => step.kind === 'failed');
  const onTrial = reverting !== null || canary.kind === 'first' || canary.kind === 'held';
  const isStrict = onTrial || failed.some(({ extra }) => extra);
  return isStrict || failed.length > target.rollout.maxFailures ? failed[0] : undefined;
}
