/**
 * The heartbeat. One owner of the state: an event is taken, the new state stands, then its effects are performed: first
 * all that is to be written down, so that nothing is done which the next daemon would not know of. Whatever they cause
 * is queued behind it: no re-entry, no await in between.
 */
import type { Moment } from '../base/clock.ts';
import type { Run } from '../base/ids.ts';
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
  /** Leaders are about to be asked or told to end, in this order. */
  signalling(runs: readonly Run[]): void;
  /** This one at once. */
  turn(run: Run): void;
  /** All of them have been; also where there are none. */
  signalled(): void;
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
      const { records, signals, others } = courseOf(stepFleet(this.#options.fleet, event, now));
      for (const effect of records) this.#perform(effect, now);
      if ([...signals, ...others].some(touchesWorld)) this.#guarded(() => this.#options.secured());
      this.#signal(signals, now);
      for (const effect of others) this.#perform(effect, now);
    });
  }

  /** How far it came is known to the next daemon at any moment, but for one of them: so nothing else comes between. */
  #signal(effects: readonly FleetEffect[], now: Moment): void {
    if (effects.length > 0) this.#guarded(() => this.#options.signalling(effects.flatMap(signalledRun)));
    for (const effect of effects) {
      for (const run of signalledRun(effect)) this.#guarded(() => this.#options.turn(run));
      this.#perform(effect, now);
    }
    this.#guarded(() => this.#options.signalled());
    if (effects.length > 0) this.#guarded(() => this.#options.secured());
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

/** In which order a step is performed. */
interface Course {
  readonly records: readonly FleetEffect[];
  /** What asks or tells leaders to end, and what is to be done to the same runs before that. */
  readonly signals: readonly FleetEffect[];
  readonly others: readonly FleetEffect[];
}

export function courseOf(effects: readonly FleetEffect[]): Course {
  const deeds = withoutVain(effects.filter(({ type }) => type !== 'record'));
  const last = new Map(
    deeds.flatMap((deed, index) => signalledRun(deed).map((run) => [run, index] as const)),
  );
  const isFirst = (deed: FleetEffect, index: number): boolean =>
    'run' in deed && index <= (last.get(deed.run) ?? -1);
  const others = deeds.filter((deed, index) => !isFirst(deed, index));
  // It takes its time, and is of use to nobody yet.
  const isAhead = ({ type }: FleetEffect): boolean => type === 'prepare';
  return {
    records: effects.filter(({ type }) => type === 'record'),
    signals: deeds.filter(isFirst),
    others: [...others.filter((effect) => !isAhead(effect)), ...others.filter(isAhead)],
  };
}

const signalledRun = (effect: FleetEffect): Run[] => (effect.type === 'signal' ? [effect.run] : []);

/** What is got ready last of all cannot be let go of before that: what is both within one step is neither. */
function withoutVain(deeds: readonly FleetEffect[]): readonly FleetEffect[] {
  const prepared = new Set(deeds.flatMap((deed) => (deed.type === 'prepare' ? [deed.life.run] : [])));
  const vain = new Set(
    deeds.flatMap((deed) => (deed.type === 'unprepare' && prepared.has(deed.run) ? [deed.run] : [])),
  );
  if (vain.size === 0) return deeds;
  return deeds.filter(
    (deed) =>
      !(deed.type === 'prepare' && vain.has(deed.life.run)) &&
      !(deed.type === 'unprepare' && vain.has(deed.run)),
  );
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
