/** Rollouts that are not over, in the journal: each as a line for the whole and one for each turn, written when it has changed. */
import type { Moment } from '../base/clock.ts';
import type { RolloutId } from '../base/ids.ts';
import type { Plan } from '../core/plan.ts';
import { isOver, type Rollout, type Turn } from '../core/rollout/rollout.ts';
import type { Journal } from './journal.ts';
import { fieldsOf, type PlanShelf } from './plan-shelf.ts';
import { restoreRollout, restoreTurn, rolloutRecord, turnRecord } from './rollout-record.ts';

export class RolloutKeeper {
  readonly #journal: Journal;
  readonly #shelf: PlanShelf;
  /** As they were written last. */
  readonly #kept = new Map<RolloutId, Rollout>();

  constructor(journal: Journal, shelf: PlanShelf) {
    this.#journal = journal;
    this.#shelf = shelf;
  }

  keep(rollout: Rollout, now: Moment): void {
    const { id, turns, target } = rollout;
    if (isOver(rollout)) {
      this.#drop(id, Math.max(turns.length, this.#kept.get(id)?.turns.length ?? 0));
      return;
    }
    const before = this.#kept.get(id)?.turns ?? [];
    for (const [place, turn] of turns.entries()) {
      if (turn !== before[place]) this.#keepTurn(id, place, turn, now);
    }
    this.#dropTurns(id, turns.length, before.length);
    this.#journal.put(`rolling/${id}`, { ...rolloutRecord(rollout, this.#shelf.keep(target), now) });
    this.#kept.set(id, rollout);
  }

  #keepTurn(id: RolloutId, place: number, turn: Turn, now: Moment): void {
    const plan = this.#shelf.keep(turn.before.program);
    this.#journal.put(`turn/${id}/${place}`, { ...turnRecord(turn, plan, now) });
  }

  #drop(id: RolloutId, turns: number): void {
    this.#journal.put(`rolling/${id}`, null);
    this.#dropTurns(id, 0, turns);
    this.#kept.delete(id);
  }

  #dropTurns(id: RolloutId, from: number, to: number): void {
    for (let place = from; place < to; place++) this.#journal.put(`turn/${id}/${place}`, null);
  }
}

/** Those that were not over, of programs that there still are. `warn`: of each that cannot be read, which is dropped. */
export function readRollouts(
  journal: Journal,
  shelf: PlanShelf,
  { programs }: Plan,
  now: Moment,
  warn: (text: string) => void,
): Rollout[] {
  const names = new Set<string>(programs.map(({ name }) => name));
  const rollouts: Rollout[] = [];
  const known = new Set<string>();
  for (const [id, value] of [...journal.under('rolling/')]) {
    const rollout = readRollout(journal, shelf, value, now);
    const isOfNone = rollout !== null && !names.has(rollout.program);
    if (rollout !== null && !isOfNone) {
      rollouts.push(rollout);
      known.add(id);
      continue;
    }
    if (isOfNone) {
      journal.put(`rolling/${id}`, null);
      continue;
    }
    journal.reject(`rolling/${id}`);
    warn(
      `cannot read what was written down of rollout ${id}: it does not go on; see "tsup-visor rollout status"`,
    );
  }
  // Whatever was torn off its rollout.
  for (const [key] of [...journal.under('turn/')]) {
    if (!known.has(key.slice(0, key.indexOf('/')))) journal.put(`turn/${key}`, null);
  }
  return rollouts.sort((a, b) => a.id - b.id);
}

/** More than any program has instances. */
const MOST_TURNS = 100_000;

function readRollout(journal: Journal, shelf: PlanShelf, value: unknown, now: Moment): Rollout | null {
  const { id, count } = fieldsOf(value);
  if (typeof count !== 'number' || !(count <= MOST_TURNS)) return null;
  const planOf = (name: string, ref: unknown) => shelf.get(name, ref);
  const turns = Array.from({ length: count }, (_, place) =>
    journal.get(`turn/${id}/${place}`, (turn) => restoreTurn(turn, planOf, now)),
  );
  return restoreRollout(value, turns, planOf, now);
}
