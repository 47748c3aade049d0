/** How far a rollout is after each turn, counted from its events: an answer to a question may be ahead of them. */
import type { WireEvent } from '../protocol/events.ts';
import type { RolloutStatus } from '../protocol/status.ts';

export class Progress {
  readonly #done = new Map<number, Set<string>>();
  readonly #totals = new Map<number, ReadonlySet<string>>();

  constructor(rollouts: readonly RolloutStatus[]) {
    for (const { id, turns } of rollouts) {
      const own = turns.filter(({ extra }) => !extra);
      this.#totals.set(id, new Set(own.map(({ instance }) => instance)));
      const done = own.filter(({ step }) => step === 'done');
      this.#done.set(id, new Set(done.map(({ instance }) => instance)));
    }
  }

  /** ` (1 of 4)` for a turn that is done; on the way back, and of an extra instance, nothing. */
  after(event: WireEvent): string {
    if (event.type !== 'turn' || event.step !== 'done' || event.back === true) return '';
    const own = this.#totals.get(event.rollout);
    const done = this.#done.get(event.rollout);
    if (own === undefined || done === undefined || !own.has(event.instance)) return '';
    done.add(event.instance);
    return ` (${done.size} of ${own.size})`;
  }
}
