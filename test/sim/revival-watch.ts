/** What must hold of rollouts when their daemon dies: the next one goes on with them as they were, and with the time that was left. */
import type { RolloutId } from '../../src/base/ids.ts';
import type { Fleet } from '../../src/core/fleet/fleet.ts';
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

  constructor(fleet: Fleet, zero: () => number) {
    this.#fleet = fleet;
    this.#zero = zero;
  }

  died(): void {
    this.#zeroThen = this.#zero();
    this.#died = [...this.#fleet.rollouts.values()].filter((rollout) => !isOver(rollout));
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
    }
    for (const { id } of this.#fleet.rollouts.values())
      if (!known.has(id)) broken(`rollout ${id} was not under way when its daemon died`);
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
