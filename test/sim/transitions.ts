/** Which transitions have been seen: of instance phases, of a rollout's turns, and of rollouts. */

import type { InstanceId, RolloutId } from '../../src/base/ids.ts';
import type { Recorded } from '../../src/core/fleet/effect.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import type { Rollout } from '../../src/core/rollout/rollout.ts';

export class Transitions {
  /** As mermaid draws them: `running --> draining`. `[*]` is what there was before. */
  readonly instance = new Set<string>();
  readonly turn = new Set<string>();
  readonly rollout = new Set<string>();
}

/** Sees what is recorded in one world. */
export class Recorder {
  readonly #into: Transitions;
  readonly #phases = new Map<InstanceId, string>();
  readonly #rollouts = new Map<RolloutId, Rollout>();

  constructor(into: Transitions) {
    this.#into = into;
  }

  see(what: Recorded): void {
    if (what.kind === 'instance') this.#seeInstance(what.instance);
    else if (what.kind === 'rollout') this.#seeRollout(what.rollout);
    else if (what.kind === 'removed') this.#seeRemoved(what.id);
  }

  /** A new daemon begins where it believes to be: nothing has moved. */
  begin(instances: Iterable<Instance>, rollouts: Iterable<Rollout>): void {
    this.#phases.clear();
    for (const { id, phase } of instances) this.#phases.set(id, phase.kind);
    for (const rollout of rollouts) this.#rollouts.set(rollout.id, rollout);
  }

  #seeRemoved(id: InstanceId): void {
    note(this.#into.instance, this.#phases.get(id) ?? '[*]', '[*]');
    this.#phases.delete(id);
  }

  #seeInstance({ id, phase }: Instance): void {
    const from = this.#phases.get(id) ?? '[*]';
    this.#phases.set(id, phase.kind);
    note(this.#into.instance, from, phase.kind);
  }

  #seeRollout(rollout: Rollout): void {
    const before = this.#rollouts.get(rollout.id);
    this.#rollouts.set(rollout.id, rollout);
    note(this.#into.rollout, before?.state ?? '[*]', rollout.state);
    // On the way back turns begin anew, from wherever they are.
    if (rollout.reverting !== null && before?.reverting === null) return;
    for (const turn of rollout.turns) {
      const was = before?.turns.find(({ id }) => id === turn.id);
      if (was !== undefined && was.extra !== turn.extra) continue; // another turn, of one that is there to stay now
      if (was?.step.kind === 'done' && turn.step.kind === 'pending') continue; // likewise: it had gone, and came again
      if (turn.extra && turn.step.kind === 'leaving' && was?.step.kind !== 'serving') continue; // out of whatever step it is in
      note(this.#into.turn, was?.step.kind ?? '[*]', turn.step.kind);
    }
  }
}

function note(into: Set<string>, from: string, to: string): void {
  if (from !== to) into.add(`${from} --> ${to}`);
}
