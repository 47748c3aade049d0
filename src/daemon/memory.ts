/** What of the fleet is written into the journal, and how a new daemon reads it back. */
import type { Moment } from '../base/clock.ts';
import type { InstanceId, ProgramName, Run } from '../base/ids.ts';
import type { Recorded } from '../core/fleet/effect.ts';
import type { Fleet, Memory } from '../core/fleet/fleet.ts';
import type { Instance } from '../core/instance/instance.ts';
import { lifeOf } from '../core/instance/phase.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Clock } from '../ports/clock.ts';
import { describeRollout } from './describe.ts';
import type { Journal } from './journal.ts';
import { type InstanceRecord, lastingDeadline, recordOf, restore } from './record.ts';
import type { LogPlace } from './watches.ts';

/** Run numbers are reserved in blocks, so that none is used twice whatever happens to the last writes. */
const RUN_BLOCK = 1000;
/** Rollouts that are remembered for `rollout status`. */
const ROLLOUTS_KEPT = 20;

/** What is written down beside what the fleet knows. */
export interface Known {
  /** What tells the leader of a run from any other process. */
  identity(run: Run): string | null;
  /** Where the log files ended before the run began. */
  places(run: Run): readonly LogPlace[];
  /** How many instances the config has of it. */
  configured(program: ProgramName): number | null;
}

export class MemoryKeeper {
  readonly #journal: Journal;
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #known: Known;
  /** Of each instance, what was written last, in short. */
  readonly #kept = new Map<InstanceId, { readonly gist: string; readonly identity: string }>();
  #reservedRuns: number;

  constructor(journal: Journal, fleet: Fleet, clock: Clock, known: Known) {
    this.#known = known;
    this.#journal = journal;
    this.#fleet = fleet;
    this.#clock = clock;
    this.#reservedRuns = readCounter(journal, 'next_run');
  }

  keep(what: Recorded): void {
    if (what.kind === 'instance') this.#keepInstance(what.instance);
    else if (what.kind === 'rollout') this.#keepRollout(what.rollout);
    else if (what.kind === 'removed') this.#forget(what.id);
    else this.#keepCount(what.program, what.instances);
  }

  #forget(id: InstanceId): void {
    this.#kept.delete(id);
    this.#journal.put(`run/${id}`, null);
    this.#journal.put(`stopped/${id}`, null);
  }

  /** With the config's own number, so that a new one there is seen to be newer. */
  #keepCount(program: ProgramName, instances: number | null): void {
    const configured = this.#known.configured(program);
    this.#journal.put(`count/${program}`, instances === null ? null : { instances, configured });
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
    const { said } = phase.body;
    const drain = phase.kind === 'draining' ? `${phase.onTimeout} ${phase.asked} ${phase.overdue}` : '';
    const seat = `${wish.want} ${instance.generation} ${instance.leaving} ${instance.queued}`;
    const hook = phase.kind === 'starting' && phase.hook;
    const gist = `${run} ${phase.kind} ${hook} ${lastingDeadline(phase)} ${seat} ${end} ${drain} ${said.drained} ${said.watchdogMs} ${program.revision}`;
    const before = this.#kept.get(id);
    if (before?.gist === gist) return;
    // Once the leader is gone, what it was is only known from before.
    const identity = this.#known.identity(run) ?? before?.identity ?? '';
    this.#kept.set(id, { gist, identity });
    // Only one that starts is still to be watched for its line.
    const places = phase.kind === 'starting' ? this.#known.places(run) : [];
    const record = recordOf(instance, { identity, places }, this.#clock.now());
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

/** What is known of the runs that may still be alive beside what they were doing. */
export interface Remembered {
  readonly memory: Memory;
  /** What tells their leaders apart. */
  readonly identities: Map<Run, string>;
  readonly places: ReadonlyMap<Run, readonly LogPlace[]>;
}

export function readMemory(journal: Journal, plan: Plan, now: Moment): Remembered {
  const stopped = new Set<InstanceId>();
  // Keys were written from ids, so that is what they are.
  for (const [id] of journal.under('stopped/')) stopped.add(id as InstanceId);
  const generations = new Map<ProgramName, number>();
  for (const [name, value] of journal.under('generation/')) {
    if (typeof value === 'number') generations.set(name as ProgramName, value);
  }
  const { alive, identities, places } = readRuns(journal, now);
  const nextRun = readCounter(journal, 'next_run');
  const nextRollout = readCounter(journal, 'next_rollout');
  const counts = readCounts(journal, plan);
  return {
    memory: { nextRun, nextRollout, generations, stopped, alive, counts },
    identities,
    places,
  };
}

/** A number that came into the config since the operator's word is newer than that: the word is forgotten. */
function readCounts(journal: Journal, plan: Plan): Map<ProgramName, number> {
  const counts = new Map<ProgramName, number>();
  for (const [name, value] of [...journal.under('count/')]) {
    const program = plan.programs.find((candidate) => candidate.name === name);
    const kept: { instances?: unknown; configured?: unknown } =
      typeof value === 'object' && value !== null ? value : {};
    if (program !== undefined && kept.configured === program.instances && isCount(kept.instances)) {
      counts.set(program.name, kept.instances);
    } else journal.put(`count/${name}`, null);
  }
  return counts;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function readRuns(
  journal: Journal,
  now: Moment,
): {
  alive: Map<InstanceId, Instance>;
  identities: Map<Run, string>;
  places: Map<Run, readonly LogPlace[]>;
} {
  const plans = new Map(journal.under('plan/'));
  const alive = new Map<InstanceId, Instance>();
  const identities = new Map<Run, string>();
  const places = new Map<Run, readonly LogPlace[]>();
  for (const [, value] of journal.under('run/')) {
    const read = readRun(value, plans, now);
    // What cannot be read is not lost: a run that still lives is found by its mark.
    if (read === null) continue;
    alive.set(read.instance.id, read.instance);
    identities.set(read.run, read.identity);
    if (read.places.length > 0) places.set(read.run, read.places);
  }
  return { alive, identities, places };
}

function readRun(
  value: unknown,
  plans: ReadonlyMap<string, unknown>,
  now: Moment,
): { instance: Instance; run: Run; identity: string; places: readonly LogPlace[] } | null {
  try {
    const record = value as InstanceRecord; // nothing else is written under this prefix, unless by another version
    const { run, revision, identity, places = [] } = record.run;
    const name = record.id.slice(0, record.id.lastIndexOf(':'));
    const program = plans.get(`${name}/${revision}`) as ProgramPlan | undefined; // likewise
    if (program === undefined) return null;
    return { instance: restore(record, program, now), run, identity, places };
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
