/** What the journal knows, read back by a new daemon. What cannot be read is passed over. */
import { type Moment, wall } from '../base/clock.ts';
import type { InstanceId, ProgramName, Revision, Run } from '../base/ids.ts';
import type { Completed, Fleet, Memory } from '../core/fleet/fleet.ts';
import type { PastPlan } from '../core/fleet/revisions.ts';
import type { Instance } from '../core/instance/instance.ts';
import { lifeOf } from '../core/instance/phase.ts';
import type { Plan } from '../core/plan.ts';
import type { Doubt } from './ask-list.ts';
import type { Journal } from './journal.ts';
import { withLastWord } from './last-word.ts';
import { fieldsOf, PlanShelf } from './plan-shelf.ts';
import { type BegunRecord, type InstanceRecord, restore, restoreBegun } from './record.ts';
import { isBegunRecord, isCompletedRecord, isInstanceRecord } from './record-shape.ts';
import { readRollouts } from './rollout-keeper.ts';
import type { LogPlace } from './watches.ts';

/** What is known of the runs that may still be alive beside what they were doing. */
export interface Remembered {
  readonly memory: Memory;
  /** What tells their leaders apart. */
  readonly identities: Map<Run, string>;
  readonly places: ReadonlyMap<Run, readonly LogPlace[]>;
  /** Runs that were about to be begun: whether they were, the hands find out. */
  readonly begun: ReadonlyMap<Run, Instance>;
  /** What was to be up when the last daemon died, whatever had come of that. */
  readonly wanted: readonly InstanceId[];
  /** The last daemon was one of an earlier start of the machine. */
  readonly isAnew: boolean;
}

/** Of whom the last daemon has not written down whether he was asked to drain. */
export type Doubts = ReadonlyMap<Run, Doubt>;

interface Circumstances {
  /** Names this start of the machine. */
  readonly boot: string | null;
  readonly doubts?: Doubts;
  /** Gets a sentence about what cannot be read. */
  warn?(text: string): void;
}

export function readMemory(
  journal: Journal,
  plan: Plan,
  now: Moment,
  { boot, doubts = new Map(), warn = () => {} }: Circumstances,
): Remembered {
  const shelf = new PlanShelf(journal);
  const isAnew = isAnotherBoot(journal, boot);
  if (isAnew) forgetProcesses(journal);
  const stopped = new Set<InstanceId>();
  // Keys were written from ids, so that is what they are.
  for (const [id] of journal.under('stopped/')) stopped.add(id as InstanceId);
  const generations = new Map<ProgramName, number>();
  for (const [name, value] of journal.under('generation/')) {
    if (isCount(value)) generations.set(name as ProgramName, value);
  }
  const { alive, identities, places } = readRuns(journal, shelf, doubts, now);
  const nextRun = readCounter(journal, 'next_run');
  const counts = readCounts(journal, plan);
  const completed = readCompleted(journal, plan, boot);
  const rollouts = readRollouts(journal, shelf, plan, now, warn);
  const nextRollout = rollouts.reduce(
    (next, { id }) => Math.max(next, id + 1),
    readCounter(journal, 'next_rollout'),
  );
  const revisions = readRevisions(journal, shelf, plan);
  const read = { nextRun, nextRollout, generations, stopped, alive, counts, completed, rollouts, revisions };
  return {
    memory: withLastWord(journal, read, plan, now),
    identities,
    places,
    begun: readBegun(journal, shelf, now),
    wanted: readWanted(journal, plan),
    isAnew,
  };
}

/** The machine has been started since, or the container: of what was at work before that, nothing is. */
function isAnotherBoot(journal: Journal, boot: string | null): boolean {
  const before = journal.get('boot', (value) => (typeof value === 'string' ? value : null));
  if (boot !== null && before !== boot) journal.put('boot', boot);
  return boot !== null && before !== null && before !== boot;
}

/**
 * What is wished for is believed, and how far the rollouts were: each is begun anew, and nobody has crashed. What lives
 * in spite of that is found by its mark.
 */
function forgetProcesses(journal: Journal): void {
  for (const prefix of ['run/', 'begun/', 'left/']) {
    for (const [id] of [...journal.under(prefix)]) journal.put(`${prefix}${id}`, null);
  }
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

/** As it is written down. `boot`, `revision`: what has to be as it was then. */
export interface CompletedRecord extends Completed {
  readonly boot: string;
  readonly revision: Revision;
}

function readCompleted(journal: Journal, plan: Plan, boot: string | null): Map<InstanceId, Completed> {
  const completed = new Map<InstanceId, Completed>();
  for (const [id, value] of [...journal.under('completed/')]) {
    if (!isCompletedRecord(value)) {
      journal.reject(`completed/${id}`);
      continue;
    }
    const record = value as CompletedRecord; // it has just been looked at
    const program = plan.programs.find(({ name }) => name === id.slice(0, id.lastIndexOf(':')));
    if (program?.revision === record.revision && program.restart !== 'always' && boot === record.boot) {
      const { restarts, lastRun, lastExit } = record;
      completed.set(id as InstanceId, { restarts, lastRun, lastExit }); // the key was written from it
    } else journal.put(`completed/${id}`, null);
  }
  return completed;
}

/** Of programs that there still are. */
function readWanted(journal: Journal, plan: Plan): InstanceId[] {
  const names = new Set<string>(plan.programs.map(({ name }) => name));
  return [...journal.under('wanted/')].flatMap(([id]) => {
    if (names.has(id.slice(0, id.lastIndexOf(':')))) return [id as InstanceId]; // the key was written from it
    journal.put(`wanted/${id}`, null);
    return [];
  });
}

/** Those whose plan is still there; of a program that the config has no more, none. */
function readRevisions(
  journal: Journal,
  shelf: PlanShelf,
  plan: Plan,
): Map<ProgramName, readonly PastPlan[]> {
  const revisions = new Map<ProgramName, readonly PastPlan[]>();
  for (const [name, value] of [...journal.under('revisions/')]) {
    const program = plan.programs.find((candidate) => candidate.name === name);
    if (program === undefined || !Array.isArray(value)) {
      if (Array.isArray(value)) journal.put(`revisions/${name}`, null);
      else journal.reject(`revisions/${name}`);
      continue;
    }
    const past = value.flatMap((entry): PastPlan[] => {
      const { plan: ref, at, whole } = fieldsOf(entry);
      const found = shelf.get(name, ref);
      return found === null || typeof at !== 'number'
        ? []
        : [{ plan: found, at: wall(at), whole: whole === true }];
    });
    revisions.set(program.name, past);
  }
  return revisions;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function readRuns(
  journal: Journal,
  shelf: PlanShelf,
  doubts: Doubts,
  now: Moment,
): {
  alive: Map<InstanceId, Instance>;
  identities: Map<Run, string>;
  places: Map<Run, readonly LogPlace[]>;
} {
  const alive = new Map<InstanceId, Instance>();
  const identities = new Map<Run, string>();
  const places = new Map<Run, readonly LogPlace[]>();
  for (const [id, value] of [...journal.under('run/')]) {
    const read = isOf(id, value) && isInstanceRecord(value) ? readRun(value, shelf, doubts, now) : null;
    // What cannot be read is not lost: a run that still lives is found by its mark.
    if (read === null) {
      journal.reject(`run/${id}`);
      continue;
    }
    alive.set(read.instance.id, read.instance);
    identities.set(read.run, read.identity);
    if (read.places.length > 0) places.set(read.run, read.places);
  }
  return { alive, identities, places };
}

function readBegun(journal: Journal, shelf: PlanShelf, now: Moment): Map<Run, Instance> {
  const all = new Map<Run, Instance>();
  for (const [id, value] of [...journal.under('begun/')]) {
    const program = shelf.get(id.slice(0, id.lastIndexOf(':')), fieldsOf(fieldsOf(value).begun).plan);
    if (program === null || !isOf(id, value) || !isBegunRecord(value)) {
      journal.reject(`begun/${id}`);
      continue;
    }
    const record = value as BegunRecord; // it has just been looked at
    all.set(record.begun.run, restoreBegun(record, program, now));
  }
  return all;
}

function readRun(
  value: unknown,
  shelf: PlanShelf,
  doubts: Doubts,
  now: Moment,
): { instance: Instance; run: Run; identity: string; places: readonly LogPlace[] } | null {
  const record = value as InstanceRecord; // it has just been looked at
  const { run, revision, plan = revision, identity, places = [] } = record.run;
  const name = record.id.slice(0, record.id.lastIndexOf(':'));
  const program = shelf.get(name, plan);
  return program === null
    ? null
    : { instance: restore(record, program, now, doubts.get(run)), run, identity, places };
}

/** It is where it belongs. */
const isOf = (id: string, value: unknown): boolean => fieldsOf(value).id === id;

/** Plans that nothing refers to any more. */
export function forgetPlans(journal: Journal, fleet: Fleet): void {
  const inUse = [...fleet.instances.values()].map(({ phase, program }) => lifeOf(phase)?.program ?? program);
  new PlanShelf(journal).clear(() => true, inUse);
}

export function readCounter(journal: Journal, key: string): number {
  return journal.get(key, (value) => (isCount(value) ? value : null)) ?? 1;
}
