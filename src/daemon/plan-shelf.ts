/** The plans of programs in the journal, each written once and referred to by whatever has been begun with it. */
import { createHash } from 'node:crypto';
import type { ProgramPlan } from '../core/plan.ts';
import type { Journal } from './journal.ts';
import { isPlan } from './plan-shape.ts';

/** Names a plan among those of its program: the revision, and more where plans of one revision differ in what takes effect at once. */
export type PlanRef = string;

export class PlanShelf {
  readonly #journal: Journal;
  /** A plan is never changed, so what was written of it need not be put into words again. */
  readonly #refs = new WeakMap<ProgramPlan, PlanRef>();
  /** Those that were read, so that what shares a plan shares it again. */
  readonly #read = new Map<string, ProgramPlan>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Writes it down, unless it is there already. */
  keep(plan: ProgramPlan): PlanRef {
    const known = this.#refs.get(plan);
    if (known !== undefined && this.#journal.has(keyOf(plan.name, known))) return known;
    const ref = this.#place(plan);
    this.#refs.set(plan, ref);
    return ref;
  }

  #place(plan: ProgramPlan): PlanRef {
    const text = JSON.stringify(plan);
    const plain = keyOf(plan.name, plan.revision);
    if (!this.#journal.has(plain)) this.#journal.put(plain, { ...plan });
    if (this.#journal.text(plain) === text) return plan.revision;
    const ref = `${plan.revision}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
    this.#journal.put(keyOf(plan.name, ref), { ...plan });
    return ref;
  }

  get(name: string, ref: unknown): ProgramPlan | null {
    if (typeof ref !== 'string') return null;
    const key = keyOf(name, ref);
    const found = this.#read.get(key) ?? this.#journal.get(key, (plan) => (isPlan(plan) ? plan : null));
    if (found === null || found.name !== name) return null;
    this.#read.set(key, found);
    this.#refs.set(found, ref);
    return found;
  }

  /** One with this revision, the plain one first: for whoever knows no more than that. */
  find(name: string, revision: string): ProgramPlan | null {
    const plain = this.get(name, revision);
    if (plain !== null) return plain;
    for (const [key] of this.#journal.under(`plan/${name}/${revision}-`))
      return this.get(name, `${revision}-${key}`);
    return null;
  }

  /** Takes away those of these programs that nothing in the journal refers to; `also`: what somebody still works with. */
  clear(isMeant: (name: string) => boolean, also: Iterable<ProgramPlan>): void {
    const used = new Set(referredTo(this.#journal, isMeant));
    for (const plan of also) used.add(`${plan.name}/${this.#refs.get(plan) ?? plan.revision}`);
    for (const [key] of [...this.#journal.under('plan/')]) {
      if (!isMeant(key.slice(0, key.lastIndexOf('/'))) || used.has(key)) continue;
      this.#journal.put(`plan/${key}`, null);
      this.#read.delete(`plan/${key}`);
    }
  }
}

const keyOf = (name: string, ref: PlanRef): string => `plan/${name}/${ref}`;

/** All `NAME/REF` that anything in the journal names. */
function* referredTo(journal: Journal, isMeant: (name: string) => boolean): Iterable<string> {
  for (const [id, value] of journal.under('run/')) {
    const name = id.slice(0, id.lastIndexOf(':'));
    if (!isMeant(name)) continue;
    const { run } = fieldsOf(value);
    const { plan, revision } = fieldsOf(run); // an earlier version has written the revision alone
    yield `${name}/${plan ?? revision}`;
  }
  for (const [id, value] of journal.under('begun/')) {
    const { begun } = fieldsOf(value);
    yield `${id.slice(0, id.lastIndexOf(':'))}/${fieldsOf(begun).plan}`;
  }
  for (const prefix of ['rolling/', 'turn/', 'kept/']) {
    for (const [, value] of journal.under(prefix)) {
      const { program, plan } = fieldsOf(value);
      yield `${program}/${plan}`;
    }
  }
  for (const [name, value] of journal.under('revisions/')) {
    for (const past of Array.isArray(value) ? value : []) yield `${name}/${fieldsOf(past).plan}`;
  }
}

/** Of anything that JSON can be; a field that is not there is undefined. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};
