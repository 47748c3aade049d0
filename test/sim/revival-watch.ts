/** What must hold of rollouts when their daemon dies: the next one goes on with them as they were, and with the time that was left. */
import type { RolloutId, Run } from '../../src/base/ids.ts';
import { isSamePlan } from '../../src/core/change.ts';
import type { Fleet } from '../../src/core/fleet/fleet.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import { lifeOf } from '../../src/core/instance/phase.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { isOver, type Rollout, type Turn } from '../../src/core/rollout/rollout.ts';
import { broken } from './broken.ts';
import { turnOf } from './gate-watch.ts';

export class RevivalWatch {
  readonly #fleet: Fleet;
  /** What the stopwatch of a daemon said when the world began. */
  readonly #zero: () => number;
  #died: readonly Rollout[] = [];
  #zeroThen = 0;
  /** What each had that works, of the programs that are rolled. */
  readonly #plans = new Map<Run, Plans>();

  constructor(fleet: Fleet, zero: () => number) {
    this.#fleet = fleet;
    this.#zero = zero;
  }

  died(): void {
    this.#zeroThen = this.#zero();
    this.#died = [...this.#fleet.rollouts.values()].filter((rollout) => !isOver(rollout));
    this.#plans.clear();
    for (const { turns } of this.#died) for (const { id } of turns) this.#keep(this.#fleet.instances.get(id));
  }

  raised(file: readonly ProgramPlan[]): void {
    const known = new Set<RolloutId>();
    for (const was of this.#died) {
      const now = this.#fleet.rollouts.get(was.id);
      if (!file.some(({ name }) => name === was.program)) continue; // there is nothing that it could roll
      if (now === undefined) throw broken(`rollout ${was.id} does not survive its daemon`);
      known.add(was.id);
      this.#same(was, now);
      for (const turn of was.turns) this.#goesOn(was, turn, turnOf(now, turn.id));
      for (const { id } of was.turns) this.#isLeftAlone(now, this.#fleet.instances.get(id));
    }
    for (const { id } of this.#fleet.rollouts.values())
      if (!known.has(id)) broken(`rollout ${id} was not under way when its daemon died`);
  }

  #keep(seat: Instance | undefined): void {
    const life = seat === undefined ? null : lifeOf(seat.phase);
    if (seat !== undefined && life !== null)
      this.#plans.set(life.run, { next: seat.program, own: life.program });
  }

  /** Nobody has judged yet what the rollout brings: a run has it with its turn, and not because a daemon dies. */
  #isLeftAlone({ reverting }: Rollout, seat: Instance | undefined): void {
    const life = seat === undefined ? null : lifeOf(seat.phase);
    const had = life === null ? undefined : this.#plans.get(life.run);
    if (seat === undefined || life === null || had === undefined) return;
    const { instances, autostart } = had.own; // no matter of a run
    if (isAtWork(seat) && !isSamePlan(had.own, { ...life.program, instances, autostart }))
      broken(`run ${life.run} has another plan with the next daemon`);
    const isToGo = seat.generation === reverting?.from && life.generation === seat.generation;
    if (isToGo && had.next.revision !== seat.program.revision)
      broken(`${seat.id} is to have another plan with the next daemon`);
  }

  #same(was: Rollout, now: Rollout): void {
    const { id } = was;
    const facts = (of: Rollout): unknown => [
      of.state,
      of.program,
      of.target.revision,
      of.generation,
      of.maxParallel,
      of.canary.kind,
      of.after,
      of.checks,
      of.reverting?.from,
      of.turns.length,
    ];
    const [a, b] = [JSON.stringify(facts(was)), JSON.stringify(facts(now))];
    if (a !== b) broken(`rollout ${id} was ${a}, and is ${b} with the next daemon`);
    const until = ({ canary }: Rollout): number | null => (canary.kind === 'held' ? canary.until : null);
    this.#sameTime(`the hold of rollout ${id}`, until(was), until(now));
    this.#sameTime(`the wait of rollout ${id}`, was.notBefore?.at ?? null, now.notBefore?.at ?? null);
  }

  #goesOn({ id }: Rollout, { id: seat, step: was }: Turn, turn: Turn | undefined): void {
    const now = turn?.step ?? broken(`rollout ${id} has forgotten the turn of ${seat}`);
    if (!MAY_BECOME[was.kind].includes(now.kind))
      broken(`the turn of ${seat} was ${was.kind}, and is ${now.kind}`);
    if ('deadline' in was && 'deadline' in now)
      this.#sameTime(`the turn of ${seat}`, was.deadline, now.deadline);
    if ('healthyAt' in was && 'healthyAt' in now)
      this.#sameTime(`the health of ${seat}`, was.healthyAt, now.healthyAt);
  }

  #sameTime(what: string, was: number | null, now: number | null): void {
    const [then, next] = [
      was === null ? null : was - this.#zeroThen,
      now === null ? null : now - this.#zero(),
    ];
    if (then !== next) broken(`${what} ended at ${then}, and ends at ${next} with the next daemon`);
  }
}

const isAtWork = ({ phase }: Instance): boolean => phase.kind === 'starting' || phase.kind === 'running';

interface Plans {
  /** Of the next run. */
  readonly next: ProgramPlan;
  readonly own: ProgramPlan;
}

/** What the next daemon may make of a turn: what was not written down of a run is tried anew. */
const MAY_BECOME: Record<Turn['step']['kind'], readonly Turn['step']['kind'][]> = {
  pending: ['pending'],
  draining: ['draining', 'pending'],
  starting: ['starting', 'draining', 'pending'],
  settling: ['settling', 'draining', 'pending'],
  checking: ['settling', 'draining', 'pending'],
  serving: ['serving', 'pending'],
  leaving: ['leaving'],
  done: ['done'],
  failed: ['failed'],
  skipped: ['skipped'],
};
