/**
 * The heartbeat. One owner of the state: an event is taken, the new state stands, then its effects are performed: first
 * all that is to be written down, so that nothing is done which the next daemon would not know of. Whatever they cause
 * is queued behind it: no re-entry, no await in between.
 */
import type { Moment } from '../base/clock.ts';
import type { FleetEffect } from '../core/fleet/effect.ts';
import type { FleetEvent } from '../core/fleet/event.ts';
import type { Fleet } from '../core/fleet/fleet.ts';
import { stepFleet } from '../core/fleet/step.ts';
import type { Clock } from '../ports/clock.ts';

export interface LoopOptions {
  readonly fleet: Fleet;
  readonly clock: Clock;
  /** `now`: the moment of the step that wants it. */
  perform(effect: FleetEffect, now: Moment): void;
  /** What this step records has been recorded, and is to be written before anything else of it is performed. */
  secured(): void;
  /** All of a step was performed. */
  performed(): void;
  /** Everything that was queued has been dealt with: the moment to write what has gathered. */
  settled(): void;
  /** A defect of ours. The loop goes on. */
  defect(error: unknown): void;
}

/** When it came, not when its turn came: a program that has lived for a second has, however long the queue is. */
interface Happened {
  readonly event: FleetEvent;
  readonly now: Moment;
}

export class Loop {
  readonly #options: LoopOptions;
  #queue: Happened[] = [];
  #busy = false;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  post(event: FleetEvent): void {
    this.#queue.push({ event, now: this.#options.clock.now() });
    if (!this.#busy) this.#run();
  }

  #run(): void {
    this.#busy = true;
    try {
      while (this.#queue.length > 0) this.#drain();
      this.#settle();
    } finally {
      this.#busy = false;
    }
  }

  /** Whatever comes of this is dealt with when all of it is done. */
  hold(act: () => void): void {
    const wasBusy = this.#busy;
    this.#busy = true;
    this.#guarded(act);
    this.#busy = wasBusy;
    if (!wasBusy) this.#run();
  }

  #drain(): void {
    const events = this.#queue;
    this.#queue = [];
    for (const happened of events) this.#take(happened);
  }

  /** Whoever posts is a timer, a process or a request: none of them is to hear of a defect in here. */
  #settle(): void {
    this.#guarded(() => this.#options.settled());
  }

  #take({ event, now }: Happened): void {
    this.#guarded(() => {
      const effects = stepFleet(this.#options.fleet, event, now);
      const deeds = effects.filter(({ type }) => type !== 'record' && type !== 'prepare');
      for (const effect of effects) if (effect.type === 'record') this.#perform(effect, now);
      if (deeds.some(touchesWorld)) this.#guarded(() => this.#options.secured());
      for (const effect of deeds) this.#perform(effect, now);
      this.#options.performed();
      // That it was asked is known for sure from now on, however long the rest of the queue takes.
      if (deeds.some(({ type }) => type === 'signal')) this.#guarded(() => this.#options.secured());
      // Takes its time: whoever is killed over it has asked all that were to be asked.
      for (const effect of effects) if (effect.type === 'prepare') this.#perform(effect, now);
    });
  }

  #perform(effect: FleetEffect, now: Moment): void {
    this.#guarded(() => this.#options.perform(effect, now));
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.defect(error);
    }
  }
}

/** What cannot be taken back: whoever is killed right after it leaves something behind. */
function touchesWorld({ type }: FleetEffect): boolean {
  return WORLDLY.has(type);
}

const WORLDLY: ReadonlySet<FleetEffect['type']> = new Set([
  'spawn',
  'signal',
  'signal_tree',
  'hook',
  'judge',
]);
