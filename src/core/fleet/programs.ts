/** The plans of all programs, who depends on each, and how far down it is: worked out when asked for, until a plan changes. */
import type { ProgramName } from '../../base/ids.ts';
import type { ProgramPlan } from '../plan.ts';

export class Programs extends Map<ProgramName, ProgramPlan> {
  // Declared, not set: the map's own constructor puts its entries in before a field has its first value.
  declare private dependents: Map<ProgramName, ProgramName[]> | null;
  declare private heights: Map<ProgramName, number> | null;

  override set(name: ProgramName, plan: ProgramPlan): this {
    this.forget();
    return super.set(name, plan);
  }

  override delete(name: ProgramName): boolean {
    this.forget();
    return super.delete(name);
  }

  override clear(): void {
    this.forget();
    super.clear();
  }

  /** Those that name it in their `depends_on`, in the order of the config. */
  dependentsOf(name: ProgramName): readonly ProgramName[] {
    this.dependents ??= this.#all();
    return this.dependents.get(name) ?? [];
  }

  /** Of these the first that needs none of the others, be it by way of others. */
  lowestOf(names: Iterable<ProgramName>): ProgramName | undefined {
    let lowest: { readonly name: ProgramName; readonly height: number } | undefined;
    for (const name of names) {
      const height = this.#heightOf(name);
      if (lowest === undefined || height < lowest.height) lowest = { name, height };
      if (height === 0) break; // there is nothing lower
    }
    return lowest?.name;
  }

  /** Longer than the way to anything that it needs. Plans of different times may form a circle: who is met twice counts once. */
  #heightOf(name: ProgramName): number {
    this.heights ??= new Map();
    const known = this.heights.get(name);
    if (known !== undefined) return known;
    this.heights.set(name, 0);
    // The keys of a plan's dependencies are names of programs.
    const needs = Object.keys(this.get(name)?.dependsOn ?? {}) as ProgramName[];
    const height = needs.reduce((most, on) => Math.max(most, this.#heightOf(on) + 1), 0);
    this.heights.set(name, height);
    return height;
  }

  /** Of the class, not of the object: see above. */
  private forget(): void {
    this.dependents = null;
    this.heights = null;
  }

  #all(): Map<ProgramName, ProgramName[]> {
    const all = new Map<ProgramName, ProgramName[]>();
    for (const { name, dependsOn } of this.values()) {
      // The keys of a plan's dependencies are names of programs.
      for (const on of Object.keys(dependsOn) as ProgramName[]) all.set(on, [...(all.get(on) ?? []), name]);
    }
    return all;
  }
}
