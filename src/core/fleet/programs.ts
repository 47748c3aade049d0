/** The plans of all programs, and who depends on each: worked out when it is asked for, until a plan changes. */
import type { ProgramName } from '../../base/ids.ts';
import type { ProgramPlan } from '../plan.ts';

export class Programs extends Map<ProgramName, ProgramPlan> {
  // Declared, not set: the map's own constructor puts its entries in before a field has its first value.
  declare private dependents: Map<ProgramName, ProgramName[]> | null;

  override set(name: ProgramName, plan: ProgramPlan): this {
    this.dependents = null;
    return super.set(name, plan);
  }

  override delete(name: ProgramName): boolean {
    this.dependents = null;
    return super.delete(name);
  }

  override clear(): void {
    this.dependents = null;
    super.clear();
  }

  /** Those that name it in their `depends_on`, in the order of the config. */
  dependentsOf(name: ProgramName): readonly ProgramName[] {
    this.dependents ??= this.#all();
    return this.dependents.get(name) ?? [];
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
