/** What of the fleet is written into the journal, and how a new daemon reads it back. */
import type { InstanceId, ProgramName } from '../base/ids.ts';
import type { Recorded } from '../core/fleet/effect.ts';
import type { Fleet, Memory } from '../core/fleet/fleet.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Clock } from '../ports/clock.ts';
import { describeRollout } from './describe.ts';
import type { Journal } from './journal.ts';

/** Run numbers are reserved in blocks, so that none is used twice whatever happens to the last writes. */
const RUN_BLOCK = 1000;
/** Rollouts that are remembered for `rollout status`. */
const ROLLOUTS_KEPT = 20;

export class MemoryKeeper {
  readonly #journal: Journal;
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  #reservedRuns: number;

  constructor(journal: Journal, fleet: Fleet, clock: Clock) {
    this.#journal = journal;
    this.#fleet = fleet;
    this.#clock = clock;
    this.#reservedRuns = readCounter(journal, 'next_run');
  }

  keep(what: Recorded): void {
    if (what.kind === 'instance') this.#keepInstance(what.instance);
    else this.#keepRollout(what.rollout);
  }

  #keepInstance({ id, wish }: Instance): void {
    if (wish.want === 'up') this.#journal.put(`stopped/${id}`, null);
    else if (wish.because === 'operator') this.#journal.put(`stopped/${id}`, true);
    const { nextRun } = this.#fleet;
    if (nextRun < this.#reservedRuns) return;
    this.#reservedRuns = nextRun + RUN_BLOCK;
    this.#journal.put('next_run', this.#reservedRuns);
  }

  #keepRollout(rollout: Rollout): void {
    const { id, program } = rollout;
    this.#journal.put(`rollout/${id}`, { ...describeRollout(rollout, this.#clock.now()) });
    this.#journal.put(`rollout/${id - ROLLOUTS_KEPT}`, null);
    this.#journal.put('next_rollout', this.#fleet.nextRollout);
    this.#journal.put(`generation/${program}`, rollout.generation);
  }
}

export function readMemory(journal: Journal): Memory {
  const stopped = new Set<InstanceId>();
  // Keys were written from ids, so that is what they are.
  for (const [id] of journal.under('stopped/')) stopped.add(id as InstanceId);
  const generations = new Map<ProgramName, number>();
  for (const [name, value] of journal.under('generation/')) {
    if (typeof value === 'number') generations.set(name as ProgramName, value);
  }
  return {
    nextRun: readCounter(journal, 'next_run'),
    nextRollout: readCounter(journal, 'next_rollout'),
    generations,
    stopped,
    rollouts: [],
  };
}

function readCounter(journal: Journal, key: string): number {
  return journal.get(key, (value) => (typeof value === 'number' ? value : null)) ?? 1;
}
