/** Puts looks at a family together into the life of each process. */
import type { Sighting } from './round.ts';

/** What a look tells of one process. */
export interface Seen {
  readonly pid: number;
  readonly start: string;
  readonly ppid: number;
  readonly group: number;
  readonly session: number;
  readonly command: string;
  readonly ended: boolean;
  readonly killedBy: number | null;
  /** What it is cannot be seen in this moment. */
  readonly bare: boolean;
  readonly heeded: Sighting['heeded'];
}

export class Sightings {
  readonly #lives = new Map<string, Sighting>();
  #leader: number;

  constructor(leader: number) {
    this.#leader = leader;
  }

  /** All that there are at this moment; whoever is not among them has gone. */
  take(seen: readonly Seen[], at: number): void {
    const present = new Set<string>();
    for (const one of seen) {
      if (one.pid === this.#leader) continue;
      const name = `${one.pid} ${one.start}`;
      const before = this.#lives.get(name);
      if (one.ended) {
        if (one.killedBy !== null) this.note([one]);
        continue;
      }
      present.add(name);
      this.#lives.set(name, alive(one, before, at));
    }
    for (const [name, life] of this.#lives) {
      if (life.goneAt === null && !present.has(name)) this.#lives.set(name, { ...life, goneAt: at });
    }
  }

  /** By what some of them were ended, as far as that was seen between two looks. */
  note(killed: readonly Pick<Seen, 'pid' | 'start' | 'killedBy'>[]): void {
    for (const { pid, start, killedBy } of killed) {
      const name = `${pid} ${start}`;
      const life = this.#lives.get(name);
      if (life !== undefined) this.#lives.set(name, { ...life, killedBy });
    }
  }

  /** In the order in which they were found. */
  all(): readonly Sighting[] {
    return [...this.#lives.values()];
  }
}

/** It may have become another program, or gone into another group; its first parent stays its parent. */
function alive(one: Seen, before: Sighting | undefined, at: number): Sighting {
  if (one.bare && before !== undefined) return { ...before, lastAt: at, goneAt: null };
  const { pid, group, session, command } = one;
  return {
    pid,
    ppid: before?.ppid ?? one.ppid,
    group,
    session,
    command,
    heeded: before?.command === command ? both(before.heeded, one.heeded) : one.heeded,
    firstAt: before?.firstAt ?? at,
    lastAt: at,
    goneAt: null,
    killedBy: null,
  };
}

/** What a program has had at any time: many lay their handlers down in the moment before they exit, Node among them. */
const both = (before: Seen['heeded'], now: Seen['heeded']): Seen['heeded'] => ({
  ignored: [...new Set([...before.ignored, ...now.ignored])],
  caught: [...new Set([...before.caught, ...now.caught])],
});
