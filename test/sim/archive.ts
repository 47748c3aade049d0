/** What one daemon writes down for the next: by the daemon's own code, but for the paper. */
import type { Moment } from '../../src/base/clock.ts';
import type { Run } from '../../src/base/ids.ts';
import type { Recorded } from '../../src/core/fleet/effect.ts';
import type { Fleet, Memory } from '../../src/core/fleet/fleet.ts';
import type { Plan } from '../../src/core/plan.ts';
import { recall } from '../../src/daemon/adopt.ts';
import type { Journal } from '../../src/daemon/journal.ts';
import { MemoryKeeper } from '../../src/daemon/memory.ts';
import { forgetPlans, readMemory } from '../../src/daemon/remembered.ts';
import { type Disk, Paper } from './paper.ts';
import type { System } from './system.ts';

const BOOT = 'this start of the machine';

export class Archive {
  readonly #fleet: Fleet;
  readonly #system: System;
  readonly #now: () => Moment;
  readonly #disk: Disk = new Map();
  #paper: Paper;
  #keeper: MemoryKeeper;
  #identities = new Map<Run, string>();

  constructor(fleet: Fleet, system: System, now: () => Moment) {
    this.#fleet = fleet;
    this.#system = system;
    this.#now = now;
    this.#paper = new Paper(this.#disk);
    this.#keeper = this.#newKeeper();
  }

  keep(what: Recorded): void {
    this.#keeper.keep(what);
  }

  flush(): void {
    this.#paper.flush();
  }

  /** A new daemon begins: what it knows of the one before. `take` makes its fleet of that. */
  reopen(plan: Plan, take: (memory: Memory) => void): void {
    this.#paper = new Paper(this.#disk);
    const journal = asJournal(this.#paper);
    const { memory, identities } = readMemory(journal, plan, this.#now(), BOOT);
    this.#identities = identities;
    take(recall(memory, identities, plan, this.#system.marks(), this.#now()));
    this.#keeper = this.#newKeeper();
    forgetPlans(journal, this.#fleet);
  }

  #newKeeper(): MemoryKeeper {
    return new MemoryKeeper(
      asJournal(this.#paper),
      this.#fleet,
      { now: this.#now },
      {
        identity: (run) => this.#system.identity(run) ?? this.#identities.get(run) ?? null,
        places: () => [],
        configured: (name) => this.#fleet.programs.get(name)?.instances ?? null,
        boot: BOOT,
      },
    );
  }
}

/** The journal is a class with private fields: nothing else than its methods is made use of. */
const asJournal = (paper: Pick<Journal, 'get' | 'under' | 'put' | 'flush'>): Journal => paper as Journal;
