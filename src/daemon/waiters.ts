/** Requests that wait until each of their instances got somewhere. Woken by changes, never by polling. */
import type { InstanceId } from '../base/ids.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { ActionOutcome } from '../protocol/replies.ts';

/** The outcome, or null as long as it is open. */
export type Judge = (instance: Instance) => ActionOutcome | null;
/** The outcome for one that is not there any more. */
export type Farewell = (id: InstanceId) => ActionOutcome;

interface Waiter {
  readonly open: Set<InstanceId>;
  readonly outcomes: Map<InstanceId, ActionOutcome>;
  readonly judge: Judge;
  readonly removed: Farewell;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Waiters {
  readonly #waiters = new Set<Waiter>();

  /** Requests that wait now. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves with the outcomes in the order of `instances`; never, once the signal has fired. */
  wait(
    instances: readonly Instance[],
    judge: Judge,
    signal: AbortSignal,
    removed: Farewell = removedMeanwhile,
  ): Promise<ActionOutcome[]> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return; // gone before it came to wait
      const open = new Set(instances.map(({ id }) => id));
      const inOrder = (outcomes: Map<InstanceId, ActionOutcome>): ActionOutcome[] =>
        instances.flatMap(({ id }) => outcomes.get(id) ?? []);
      const waiter: Waiter = {
        open,
        outcomes: new Map(),
        judge,
        removed,
        resolve: () => resolve(inOrder(waiter.outcomes)),
        reject,
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', () => this.#waiters.delete(waiter), { once: true });
      for (const instance of instances) this.#ask(waiter, instance);
      this.#endIfSettled(waiter);
    });
  }

  /** None of them gets an answer: `error` says why. */
  giveUp(error: () => Error): void {
    for (const { reject } of this.#waiters) reject(error());
    this.#waiters.clear();
  }

  changed(instance: Instance): void {
    for (const waiter of this.#waiters) {
      if (!waiter.open.has(instance.id)) continue;
      this.#ask(waiter, instance);
      this.#endIfSettled(waiter);
    }
  }

  /** There is no such instance any more. */
  removed(id: InstanceId): void {
    for (const waiter of this.#waiters) {
      if (!waiter.open.delete(id)) continue;
      waiter.outcomes.set(id, waiter.removed(id));
      this.#endIfSettled(waiter);
    }
  }

  #ask(waiter: Waiter, instance: Instance): void {
    const outcome = waiter.judge(instance);
    if (outcome === null) return;
    waiter.open.delete(instance.id);
    waiter.outcomes.set(instance.id, outcome);
  }

  #endIfSettled(waiter: Waiter): void {
    if (waiter.open.size > 0 || !this.#waiters.delete(waiter)) return;
    waiter.resolve();
  }
}

const removedMeanwhile: Farewell = (id) => ({
  id,
  state: 'stopped',
  ok: false,
  already: false,
  message: `${id} was removed meanwhile`,
});
