/** What must hold of a canary: so many are touched and no more, until it is promoted or has been held for long enough. */
import type { RolloutId } from '../../src/base/ids.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import { isActive, ordinary, type Rollout } from '../../src/core/rollout/rollout.ts';
import type { Agenda } from './agenda.ts';
import { broken } from './broken.ts';

export class CanaryWatch {
  readonly #agenda: Agenda;
  /** Since when each is held, and for how long. */
  readonly #holds = new Map<RolloutId, { readonly since: number; readonly ms: number | null }>();

  /** Some of them may be there to stay by now: they are not touched. */
  readonly #extras = new Set<string>();

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  /** After a step in which it has changed. */
  check(rollout: Rollout, last: Rollout | undefined, event: FleetEvent): void {
    const { id, canary, target } = rollout;
    if (canary.kind === 'none') return;
    const before = last?.canary.kind ?? 'first';
    const turns = ordinary(rollout);
    for (const turn of rollout.turns) if (turn.extra) this.#extras.add(`${id} ${turn.id}`);
    const touched = this.#touched(rollout);
    if (canary.kind !== 'promoted' && touched > canary.count)
      broken(`rollout ${id} touches ${touched}, its canary is of ${canary.count}`);
    if (canary.kind === 'held' && before !== 'held') {
      const done = turns.filter(({ step }) => step.kind === 'done');
      if (done.length < canary.count || turns.some(isActive)) broken(`rollout ${id} is held too soon`);
      this.#holds.set(id, { since: this.#agenda.now, ms: target.rollout.canaryHoldMs });
    }
    const byHand =
      event.type === 'steer_rollout' &&
      event.id === id &&
      (event.command === 'promote' || event.command === 'resume');
    if (canary.kind === 'promoted' && before !== 'promoted' && !byHand) this.#mayGoOn(rollout, last);
  }

  #mayGoOn(rollout: Rollout, last: Rollout | undefined): void {
    const { id, canary, target } = rollout;
    const turns = ordinary(rollout);
    if (canary.kind !== 'promoted') return;
    const isLeft = turns.some(({ step }) => step.kind === 'pending');
    if (!isLeft && this.#touched(rollout) <= canary.count) return; // nothing is there that could be held up
    const hold = this.#holds.get(id);
    if (last?.canary.kind === 'held') {
      const isOver = hold !== undefined && hold.ms !== null && this.#agenda.now >= hold.since + hold.ms;
      if (!isOver) broken(`rollout ${id} goes on before it is promoted`);
      return;
    }
    if (target.rollout.canaryHoldMs !== 0) broken(`rollout ${id} goes on without the hold after its canary`);
    // Its first turn after the canary may have been begun, and be over, within the same step.
    const done = turns.filter(({ step }) => step.kind === 'done' || isActive({ step }));
    if (done.length < canary.count) broken(`rollout ${id} goes on although its canary is not done`);
  }

  #touched(rollout: Rollout): number {
    const begun = ordinary(rollout).filter(({ step }) => step.kind !== 'pending' && step.kind !== 'skipped');
    return begun.filter(({ id }) => !this.#extras.has(`${rollout.id} ${id}`)).length;
  }
}
