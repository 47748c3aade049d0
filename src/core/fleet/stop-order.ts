/** The order in which several programs are stopped: who is needed is asked to end when those who need it are at rest. */
import type { InstanceId, ProgramName } from '../../base/ids.ts';
import type { Because } from '../instance/because.ts';
import type { Instance } from '../instance/instance.ts';
import type { How } from '../instance/phase.ts';

export interface Held {
  readonly id: InstanceId;
  readonly how: How;
  readonly because: Because;
}

/** Of one program that has to wait. */
interface Hold {
  /** Instances of other programs that need this one and are not at rest yet. */
  readonly blockers: Set<InstanceId>;
  readonly held: Map<InstanceId, Held>;
}

export class StopOrder {
  readonly #holds = new Map<ProgramName, Hold>();

  /**
   * Takes these in, all of which are to end and are not at rest; `others` are on their way already. Says which may be
   * asked to end now; the rest is given out by `release`.
   */
  begin(
    ending: readonly Instance[],
    others: readonly Instance[],
    how: How,
    because: Because,
  ): Set<InstanceId> {
    const blockers = blockersAmong([...ending, ...others]);
    const free = new Set<InstanceId>();
    for (const { id, program } of ending) {
      this.forget(id);
      const blocking = blockers.get(program.name);
      if (blocking === undefined) free.add(id);
      else this.#hold(program.name, blocking).held.set(id, { id, how, because });
    }
    return free;
  }

  #hold(program: ProgramName, blocking: ReadonlySet<InstanceId>): Hold {
    const hold = this.#holds.get(program) ?? { blockers: new Set(), held: new Map() };
    for (const id of blocking) hold.blockers.add(id);
    this.#holds.set(program, hold);
    return hold;
  }

  get isEmpty(): boolean {
    return this.#holds.size === 0;
  }

  /** For whom this one waits to be stopped; null: for nobody. */
  waitsFor(instance: Instance): InstanceId | null {
    const hold = this.#holds.get(instance.program.name);
    if (hold === undefined || !hold.held.has(instance.id)) return null;
    return [...hold.blockers][0] ?? null;
  }

  /** It has come to rest, or is wanted again: whoever waited for it alone is to be stopped now. */
  release(id: InstanceId): Held[] {
    const released: Held[] = [];
    for (const [program, hold] of this.#holds) {
      if (!hold.blockers.delete(id) || hold.blockers.size > 0) continue;
      released.push(...hold.held.values());
      this.#holds.delete(program);
    }
    return released;
  }

  /** It is not to be stopped by an earlier request any more: it is at rest, wanted again, or asked anew. */
  forget(id: InstanceId): void {
    for (const hold of this.#holds.values()) hold.held.delete(id);
  }
}

/** Of each program that others among these need: which of them. */
function blockersAmong(ending: readonly Instance[]): Map<ProgramName, Set<InstanceId>> {
  const programs = new Set(ending.map(({ program }) => program.name));
  const blockers = new Map<ProgramName, Set<InstanceId>>();
  for (const { id, program } of ending) {
    for (const needed of Object.keys(program.dependsOn) as ProgramName[]) {
      if (!programs.has(needed)) continue;
      const set = blockers.get(needed) ?? new Set();
      blockers.set(needed, set.add(id));
    }
  }
  return blockers;
}
