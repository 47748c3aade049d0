/**
 * Programs that have another plan than the config file says, since a rollout to that was taken back: kept for the next
 * daemon as long as the file has the very revision that did not work out. A file with another one wins.
 */
import type { ProgramName, Revision } from '../base/ids.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Journal } from './journal.ts';
import { fieldsOf, type PlanShelf } from './plan-shelf.ts';

export class KeptPlans {
  readonly #journal: Journal;
  readonly #shelf: PlanShelf;
  /** Of each program, what the file had when it was last taken at its word. */
  readonly #filed = new Map<ProgramName, Revision>();
  /** Programs that were given theirs as this daemon began. */
  readonly applied: ProgramName[] = [];

  constructor(journal: Journal, shelf: PlanShelf) {
    this.#journal = journal;
    this.#shelf = shelf;
  }

  /** Programs that have another plan than the file says. */
  get names(): string[] {
    return [...this.#journal.under('kept/')].map(([name]) => name);
  }

  /** The plan of the file, with those in the place of its own that are kept. */
  applyTo(plan: Plan): Plan {
    for (const { name, revision } of plan.programs) this.#filed.set(name, revision);
    const known = new Set<string>(plan.programs.map(({ name }) => name));
    for (const [name] of [...this.#journal.under('kept/')]) if (!known.has(name)) this.#drop(name);
    return { ...plan, programs: plan.programs.map((program) => this.#keptFor(program) ?? program) };
  }

  #keptFor(program: ProgramPlan): ProgramPlan | null {
    const { name, revision, instances, autostart } = program;
    const { plan, file } = this.#journal.get(`kept/${name}`, fieldsOf) ?? {};
    const isMeant = file === revision;
    const kept = isMeant ? this.#shelf.get(name, plan) : null;
    if (kept === null && isMeant) this.#journal.reject(`kept/${name}`);
    else if (kept === null) this.#drop(name);
    else this.applied.push(name);
    // Neither is part of a revision: they are what the file says all the same.
    return kept && { ...kept, instances, autostart };
  }

  /** Whether what the file says of it is what was gone back from: the next daemon does not take that up. */
  covers({ name, revision }: ProgramPlan): boolean {
    return this.#journal.get(`kept/${name}`, fieldsOf)?.file === revision;
  }

  /** The file is taken at its word for these. */
  follow(programs: readonly ProgramPlan[]): void {
    for (const { name, revision } of programs) {
      this.#filed.set(name, revision);
      this.#drop(name);
    }
  }

  /** A rollout goes on, to what the file had when it was begun. */
  resume({ program, target, reverting, cause }: Rollout): void {
    if (reverting === null && cause.kind !== 'revert') this.#filed.set(program, target.revision);
  }

  /** Its plan is this one, whatever the file says. */
  keep(plan: ProgramPlan): void {
    const { name } = plan;
    const file = this.#filed.get(name);
    if (file === undefined || file === plan.revision) this.#drop(name);
    else this.#journal.put(`kept/${name}`, { program: name, plan: this.#shelf.keep(plan), file });
  }

  #drop(name: string): void {
    this.#journal.put(`kept/${name}`, null);
  }
}
