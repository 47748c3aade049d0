/** What of the fleet is written into the journal, and how a new daemon reads it back. */
import type { Moment } from '../base/clock.ts';
import type { InstanceId, ProgramName, Run } from '../base/ids.ts';
import type { Recorded } from '../core/fleet/effect.ts';
import type { Fleet, Memory } from '../core/fleet/fleet.ts';
import type { Instance } from '../core/instance/instance.ts';
import { deadlineOf, lifeOf } from '../core/instance/phase.ts';
import type { ProgramPlan } from '../core/plan.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Clock } from '../ports/clock.ts';
import { describeRollout } from './describe.ts';
import type { Journal } from './journal.ts';
import { type InstanceRecord, recordOf, restore } from './record.ts';

/** Run numbers are reserved in blocks, so that none is used twice whatever happens to the last writes. */
const RUN_BLOCK = 1000;
/** Rollouts that are remembered for `rollout status`. */
const ROLLOUTS_KEPT = 20;

export class MemoryKeeper {
  readonly #journal: Journal;
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #identity: (run: Run) => string | null;
  /** Of each instance, what was written last, in short. */
  readonly #kept = new Map<InstanceId, { readonly gist: string; readonly identity: string }>();
  #reservedRuns: number;

  /** `identity`: what tells the leader of a run from any other process. */
  constructor(journal: Journal, fleet: Fleet, clock: Clock, identity: (run: Run) => string | null) {
    this.#identity = identity;
    this.#journal = journal;
    this.#fleet = fleet;
    this.#clock = clock;
    this.#reservedRuns = readCounter(journal, 'next_run');
  }

  keep(what: Recorded): void {
    if (what.kind === 'instance') this.#keepInstance(what.instance);
    else this.#keepRollout(what.rollout);
  }

  #keepInstance(instance: Instance): void {
    const { id, wish } = instance;
    if (wish.want === 'up') this.#journal.put(`stopped/${id}`, null);
    else if (wish.because === 'operator') this.#journal.put(`stopped/${id}`, true);
    this.#keepRun(instance);
    const { nextRun } = this.#fleet;
    if (nextRun < this.#reservedRuns) return;
    this.#reservedRuns = nextRun + RUN_BLOCK;
    this.#journal.put('next_run', this.#reservedRuns);
    this.#journal.flush(); // before any of them is begun: whoever is killed now must not have them given out again
  }

  /** What the next daemon has to know to take the run up. What a run says of itself is not worth a line each time. */
  #keepRun(instance: Instance): void {
    const { id, phase, wish } = instance;
    if (!('body' in phase)) {
      this.#kept.delete(id);
      this.#journal.put(`run/${id}`, null); // also what an earlier daemon has written
      return;
    }
    const { run, program } = phase.body.life;
    const end = 'ending' in phase ? `${phase.ending.exit !== null} ${phase.ending.cause}` : '';
    const drain = phase.kind === 'draining' ? `${phase.onTimeout} ${phase.overdue}` : '';
    const gist = `${run} ${phase.kind} ${deadlineOf(phase)} ${wish.want} ${instance.generation} ${end} ${drain} ${phase.body.said.drained}`;
    const before = this.#kept.get(id);
    if (before?.gist === gist) return;
    // Once the leader is gone, what it was is only known from before.
    const identity = this.#identity(run) ?? before?.identity ?? '';
    this.#kept.set(id, { gist, identity });
    const record = recordOf(instance, identity, this.#clock.now());
    this.#journal.put(`plan/${program.name}/${program.revision}`, { ...program });
    this.#journal.put(`run/${id}`, record === null ? null : { ...record });
  }

  #keepRollout(rollout: Rollout): void {
    const { id, program } = rollout;
    this.#journal.put(`rollout/${id}`, { ...describeRollout(rollout, this.#clock.now()) });
    this.#journal.put(`rollout/${id - ROLLOUTS_KEPT}`, null);
    this.#journal.put('next_rollout', this.#fleet.nextRollout);
    this.#journal.put(`generation/${program}`, rollout.generation);
  }
}

/** What the journal knows; runs that may still be alive come with what tells their leaders apart. */
export function readMemory(journal: Journal, now: Moment): { memory: Memory; identities: Map<Run, string> } {
  const stopped = new Set<InstanceId>();
  // Keys were written from ids, so that is what they are.
  for (const [id] of journal.under('stopped/')) stopped.add(id as InstanceId);
  const generations = new Map<ProgramName, number>();
  for (const [name, value] of journal.under('generation/')) {
    if (typeof value === 'number') generations.set(name as ProgramName, value);
  }
  const { alive, identities } = readRuns(journal, now);
  const nextRun = readCounter(journal, 'next_run');
  const nextRollout = readCounter(journal, 'next_rollout');
  return { memory: { nextRun, nextRollout, generations, stopped, alive }, identities };
}

function readRuns(
  journal: Journal,
  now: Moment,
): { alive: Map<InstanceId, Instance>; identities: Map<Run, string> } {
  const plans = new Map(journal.under('plan/'));
  const alive = new Map<InstanceId, Instance>();
  const identities = new Map<Run, string>();
  for (const [, value] of journal.under('run/')) {
    const read = readRun(value, plans, now);
    // What cannot be read is not lost: a run that still lives is found by its mark.
    if (read === null) continue;
    alive.set(read.instance.id, read.instance);
    identities.set(read.run, read.identity);
  }
  return { alive, identities };
}

function readRun(
  value: unknown,
  plans: ReadonlyMap<string, unknown>,
  now: Moment,
): { instance: Instance; run: Run; identity: string } | null {
  try {
    const record = value as InstanceRecord; // nothing else is written under this prefix, unless by another version
    const { run, revision, identity } = record.run;
    const name = record.id.slice(0, record.id.lastIndexOf(':'));
    const program = plans.get(`${name}/${revision}`) as ProgramPlan | undefined; // likewise
    return program === undefined ? null : { instance: restore(record, program, now), run, identity };
  } catch {
    return null;
  }
}

/** Plans that no run has any more. */
export function forgetPlans(journal: Journal, fleet: Fleet): void {
  const used = new Set(
    [...fleet.instances.values()].map(({ phase, program }) => {
      const { name, revision } = lifeOf(phase)?.program ?? program;
      return `${name}/${revision}`;
    }),
  );
  for (const [key] of [...journal.under('plan/')]) if (!used.has(key)) journal.put(`plan/${key}`, null);
}

function readCounter(journal: Journal, key: string): number {
  return journal.get(key, (value) => (typeof value === 'number' ? value : null)) ?? 1;
}
