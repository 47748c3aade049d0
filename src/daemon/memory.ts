/** What of the fleet is written into the journal, for the next daemon; `remembered.ts` reads it back. */
import type { InstanceId, ProgramName, Run } from '../base/ids.ts';
import type { Recorded } from '../core/fleet/effect.ts';
import type { Fleet } from '../core/fleet/fleet.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { ProgramPlan } from '../core/plan.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Clock } from '../ports/clock.ts';
import { describeRollout } from './describe.ts';
import type { Journal, Journalled } from './journal.ts';
import { lastingDeadline, recordOf } from './record.ts';
import { type CompletedRecord, readCounter } from './remembered.ts';
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
  /** Names this start of the machine; null where nobody knows. */
  readonly boot: string | null;
}

export class MemoryKeeper {
  readonly #journal: Journal;
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #known: Known;
  /** Of each instance, what was written last, in short. */
  readonly #kept = new Map<InstanceId, { readonly gist: string; readonly identity: string }>();
  readonly #plans = new Map<string, ProgramPlan>();
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
    this.#journal.put(`completed/${id}`, null);
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
    this.#journal.put(`completed/${id}`, this.#completionOf(instance));
    this.#keepRun(instance);
    const { nextRun } = this.#fleet;
    if (nextRun < this.#reservedRuns) return;
    this.#reservedRuns = nextRun + RUN_BLOCK;
    this.#journal.put('next_run', this.#reservedRuns);
    this.#journal.flush(); // before any of them is begun: whoever is killed now must not have them given out again
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
    this.#keepPlan(program);
    this.#journal.put(`run/${id}`, record === null ? null : { ...record });
  }

  /** A plan is never changed, so what was written last of it need not be put into words again. */
  #keepPlan(program: ProgramPlan): void {
    const key = `plan/${program.name}/${program.revision}`;
    if (this.#plans.get(key) === program) return;
    this.#plans.set(key, program);
    this.#journal.put(key, { ...program });
  }

  #keepRollout(rollout: Rollout): void {
    const { id, program } = rollout;
    this.#journal.put(`rollout/${id}`, { ...describeRollout(rollout, this.#clock.now()) });
    this.#journal.put(`rollout/${id - ROLLOUTS_KEPT}`, null);
    this.#journal.put('next_rollout', this.#fleet.nextRollout);
    this.#journal.put(`generation/${program}`, rollout.generation);
  }
}
