/** What of the fleet is written into the journal, for the next daemon; `remembered.ts` reads it back. */
import { assertNever } from '../base/assert-never.ts';
import type { InstanceId, ProgramName, Run } from '../base/ids.ts';
import type { Recorded } from '../core/fleet/effect.ts';
import type { Fleet } from '../core/fleet/fleet.ts';
import type { Instance } from '../core/instance/instance.ts';
import { lifeOf, type Phase } from '../core/instance/phase.ts';
import { isOver, type Rollout } from '../core/rollout/rollout.ts';
import type { Clock } from '../ports/clock.ts';
import type { AskList } from './ask-list.ts';
import type { RolloutHistory } from './history.ts';
import type { Journal, Journalled } from './journal.ts';
import { PlanShelf } from './plan-shelf.ts';
import { begunRecordOf, lastingDeadline, recordOf } from './record.ts';
import { type CompletedRecord, readCounter } from './remembered.ts';
import { RolloutKeeper } from './rollout-keeper.ts';
import type { LogPlace } from './watches.ts';

/** Run numbers are reserved in blocks, so that none is used twice whatever happens to the last writes. */
const RUN_BLOCK = 1000;

/** What is written down beside what the fleet knows. */
export interface Known {
  /** What tells the leader of a run from any other process. */
  identity(run: Run): string | null;
  /** Where the log files ended before the run began. */
  places(run: Run): readonly LogPlace[];
  /** How many instances the config has of it. */
  configured(program: ProgramName): number | null;
  /** Names this start of the machine; null where nobody knows. */
  readonly boot: string | null;
  readonly askList: Pick<AskList, 'begin'>;
  /** Where rollouts are told of once they are over. */
  readonly history: Pick<RolloutHistory, 'keep'>;
}

export class MemoryKeeper {
  readonly #journal: Journal;
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #known: Known;
  /** Of each instance, what was written last, in short. */
  readonly #kept = new Map<InstanceId, { readonly gist: string; readonly identity: string }>();
  /** Runs that have been asked to drain, and about which that is written down. */
  readonly #signalled = new Map<InstanceId, Run>();
  /** Those about which it is still to be written. */
  readonly #asking = new Map<Run, InstanceId>();
  readonly #shelf: PlanShelf;
  readonly #rollouts: RolloutKeeper;
  #reservedRuns: number;

  constructor(journal: Journal, fleet: Fleet, clock: Clock, known: Known) {
    this.#known = known;
    this.#journal = journal;
    this.#fleet = fleet;
    this.#clock = clock;
    this.#reservedRuns = readCounter(journal, 'next_run');
    this.#shelf = new PlanShelf(journal);
    this.#rollouts = new RolloutKeeper(journal, this.#shelf);
    for (const instance of fleet.instances.values()) {
      const { id, phase } = instance;
      if (phase.kind !== 'draining' || phase.asked !== true) continue;
      this.#signalled.set(id, phase.body.life.run);
      this.#keepRun(instance); // the list by which it may be known is about to have others in it
    }
  }

  keep(what: Recorded): void {
    switch (what.kind) {
      case 'instance':
        this.#keepInstance(what.instance);
        break;
      case 'rollout':
        this.#keepRollout(what.rollout);
        break;
      case 'removed':
        this.#forget(what.id);
        break;
      case 'count':
        this.#keepCount(what.program, what.instances);
        break;
      case 'revisions':
        this.#keepRevisions(what);
        break;
      case 'program': // whoever follows it keeps it, with what the file says: see kept-plans.ts
        break;
      default:
        assertNever(what);
    }
  }

  /** Leaders that are about to be signalled, in their order: some of them are asked to drain. */
  signalling(runs: readonly Run[]): void {
    const asked = runs.filter((run) => this.#asking.has(run));
    if (asked.length > 0) this.#known.askList.begin(asked);
  }

  /** Who was to be asked to drain has been. */
  signalled(): void {
    for (const [run, id] of this.#asking) {
      this.#asking.delete(run);
      const instance = this.#fleet.instances.get(id);
      if (instance === undefined || lifeOf(instance.phase)?.run !== run) continue;
      this.#signalled.set(id, run);
      this.#keepRun(instance);
    }
  }

  #forget(id: InstanceId): void {
    this.#kept.delete(id);
    this.#journal.put(`run/${id}`, null);
    this.#journal.put(`begun/${id}`, null);
    this.#journal.put(`wanted/${id}`, null);
    this.#journal.put(`stopped/${id}`, null);
    this.#journal.put(`completed/${id}`, null);
  }

  /** With the config's own number, so that a new one there is seen to be newer. */
  #keepCount(program: ProgramName, instances: number | null): void {
    const configured = this.#known.configured(program);
    this.#journal.put(`count/${program}`, instances === null ? null : { instances, configured });
  }

  #keepInstance(instance: Instance): void {
    const { id, wish, phase } = instance;
    this.#journal.put(`wanted/${id}`, wish.want === 'up' || null);
    if (wish.want === 'up') this.#journal.put(`stopped/${id}`, null);
    else if (wish.because === 'operator') this.#journal.put(`stopped/${id}`, true);
    this.#journal.put(`completed/${id}`, this.#completionOf(instance));
    // Before there is a process: one that nobody has the number of is found by its run, and this is what it is.
    const begun = phase.kind === 'spawning' ? this.#begun(instance, phase) : null;
    this.#journal.put(`begun/${id}`, begun);
    this.#keepRun(instance);
    const { nextRun } = this.#fleet;
    if (nextRun < this.#reservedRuns) return;
    this.#reservedRuns = nextRun + RUN_BLOCK;
    this.#journal.put('next_run', this.#reservedRuns);
    this.#journal.flush(); // before any of them is begun: whoever is killed now must not have them given out again
  }

  #begun(instance: Instance, phase: Extract<Phase, { kind: 'spawning' }>): Journalled {
    return { ...begunRecordOf(instance, phase, this.#shelf.keep(phase.life.program)) };
  }

  /** A run to completion is done, until somebody wants it again or the machine is started anew. */
  #completionOf({ phase, program, restarts, lastRun, lastExit }: Instance): Journalled {
    const { boot } = this.#known;
    if (phase.kind !== 'exited' || boot === null) return null;
    const { revision } = program;
    return { boot, revision, restarts, lastRun, lastExit } satisfies CompletedRecord;
  }

  /** What the next daemon has to know to take the run up. What a run says of itself is not worth a line each time. */
  #keepRun(instance: Instance): void {
    const { id, phase, wish } = instance;
    if (!('body' in phase)) {
      this.#kept.delete(id);
      this.#signalled.delete(id);
      this.#journal.put(`run/${id}`, null); // also what an earlier daemon has written
      return;
    }
    const { run, program } = phase.body.life;
    const end = 'ending' in phase ? `${phase.ending.exit !== null} ${phase.ending.cause}` : '';
    const { said } = phase.body;
    const signalled = this.#isSignalled(instance);
    const drain =
      phase.kind === 'draining' ? `${phase.onTimeout} ${phase.asked} ${signalled} ${phase.overdue}` : '';
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
    const plan = this.#shelf.keep(program);
    const record = recordOf(instance, { identity, places, plan, signalled }, this.#clock.now());
    this.#journal.put(`run/${id}`, record === null ? null : { ...record });
  }

  /** Whoever is to be asked in this step, or may have been by an earlier daemon, has not been for sure. */
  #isSignalled({ id, phase }: Instance): boolean {
    if (phase.kind !== 'draining' || phase.asked === false) return true;
    if (phase.asked === 'perhaps') return false;
    if (this.#signalled.get(id) === phase.body.life.run) return true;
    this.#asking.set(phase.body.life.run, id);
    return false;
  }

  #keepRevisions({ program, revisions }: Extract<Recorded, { kind: 'revisions' }>): void {
    const key = `revisions/${program}`;
    const kept = revisions.map(({ plan, at, whole }) => ({ plan: this.#shelf.keep(plan), at, whole }));
    const before = this.#journal.get(key, (value) => (Array.isArray(value) ? value.length : null)) ?? 0;
    this.#journal.put(key, kept);
    // One was left out for another: to look for plans that nobody names takes a look at all that is written down.
    if (kept.length <= before) this.#clearPlans(program);
  }

  #keepRollout(rollout: Rollout): void {
    const { id, program } = rollout;
    const now = this.#clock.now();
    this.#rollouts.keep(rollout, now);
    this.#known.history.keep(rollout, now);
    this.#journal.put('next_rollout', Math.max(this.#fleet.nextRollout, id + 1));
    this.#journal.put(`generation/${program}`, this.#fleet.generations.get(program) ?? rollout.generation);
    if (isOver(rollout)) this.#clearPlans(program);
  }

  /** Plans of this program that nothing refers to any more. */
  #clearPlans(program: ProgramName): void {
    const seats = [...this.#fleet.instances.values()].filter((seat) => seat.program.name === program);
    const inUse = seats.flatMap(({ phase }) => lifeOf(phase)?.program ?? []);
    this.#shelf.clear((name) => name === program, inUse);
  }
}
