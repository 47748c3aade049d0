/** What one daemon writes down for the next: by the daemon's own code, but for the paper. */
import type { Moment } from '../../src/base/clock.ts';
import type { Pid, Run } from '../../src/base/ids.ts';
import type { Recorded } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { Fleet, Memory } from '../../src/core/fleet/fleet.ts';
import { resumeRollouts } from '../../src/core/fleet/resume.ts';
import type { Plan, ProgramPlan } from '../../src/core/plan.ts';
import { recall, toAsk, underWay, unwanted, wantedAgain } from '../../src/daemon/adopt.ts';
import { doubtsOf } from '../../src/daemon/ask-list.ts';
import { KeptPlans } from '../../src/daemon/kept-plans.ts';
import { MemoryKeeper } from '../../src/daemon/memory.ts';
import { PlanShelf } from '../../src/daemon/plan-shelf.ts';
import { forgetPlans, readMemory } from '../../src/daemon/remembered.ts';
import { asJournal, type Disk, Paper } from './paper.ts';
import type { System } from './system.ts';

const BOOT = 'this start of the machine';

/** Of one daemon. */
interface Desk {
  readonly paper: Paper;
  readonly kept: KeptPlans;
  readonly keeper: MemoryKeeper;
}

/** What a new daemon does first. */
interface Reopened {
  /** Runs that the last one was about to begin, and did. */
  readonly begun: readonly { readonly run: Run; readonly pid: Pid }[];
  readonly events: readonly FleetEvent[];
}

export class Archive {
  readonly #fleet: Fleet;
  readonly #system: System;
  readonly #now: () => Moment;
  readonly #disk: Disk = new Map();
  #desk: Desk;
  #asked: readonly (readonly [asked: Run, isMarked: boolean])[] = [];

  constructor(fleet: Fleet, system: System, now: () => Moment, plan: Plan) {
    this.#fleet = fleet;
    this.#system = system;
    this.#now = now;
    const paper = new Paper(this.#disk);
    const kept = new KeptPlans(asJournal(paper), new PlanShelf(asJournal(paper)));
    kept.applyTo(plan);
    this.#desk = { paper, kept, keeper: this.#keeperFor(paper, new Map()) };
  }

  keep(what: Recorded): void {
    this.#desk.keeper.keep(what);
    if (what.kind === 'program' && what.plan !== null) this.#desk.kept.keep(what.plan);
  }

  flush(): void {
    this.#desk.paper.flush();
  }

  signalling(runs: readonly Run[]): void {
    this.#desk.keeper.signalling(runs);
  }

  turn(run: Run): void {
    this.#asked = this.#asked.map(([one, isMarked]) => [one, isMarked || one === run]);
  }

  /** All signals of a step were sent. */
  signalled(): void {
    this.#desk.keeper.signalled();
    this.flush();
  }

  /** The file is taken at its word for these. */
  follow(programs: readonly ProgramPlan[]): void {
    this.#desk.kept.follow(programs);
  }

  /** A new daemon begins: what it knows of the one before. `take` makes its fleet of that. */
  reopen(filed: Plan, take: (plan: Plan, memory: Memory) => void): Reopened {
    const paper = new Paper(this.#disk);
    const journal = asJournal(paper);
    const shelf = new PlanShelf(journal);
    const kept = new KeptPlans(journal, shelf);
    const calm = kept.applyTo(filed);
    const remembered = readMemory(journal, calm, this.#now(), {
      boot: BOOT,
      doubts: doubtsOf(this.#asked),
    });
    const { memory, identities, wanted } = remembered;
    const plan = underWay(calm, memory.rollouts);
    for (const rollout of memory.rollouts) kept.resume(rollout);
    const planOf = (name: string, revision: string): ProgramPlan | null => shelf.find(name, revision);
    const recalled = recall({ ...remembered, planOf }, plan, this.#system.marks(), this.#now());
    take(plan, recalled.memory);
    this.#desk = { paper, kept, keeper: this.#keeperFor(paper, identities) };
    forgetPlans(journal, this.#fleet);
    const again = [...resumeRollouts(this.#fleet), ...wantedAgain(this.#fleet, wanted)];
    return { begun: recalled.begun, events: [...toAsk(this.#fleet), ...unwanted(this.#fleet), ...again] };
  }

  #keeperFor(paper: Paper, identities: ReadonlyMap<Run, string>): MemoryKeeper {
    const now = this.#now;
    return new MemoryKeeper(
      asJournal(paper),
      this.#fleet,
      { now },
      {
        identity: (run) => this.#system.identity(run) ?? identities.get(run) ?? null,
        places: () => [],
        configured: (name) => this.#fleet.programs.get(name)?.instances ?? null,
        boot: BOOT,
        askList: {
          begin: (runs) => {
            this.#asked = runs.map((one) => [one, false]);
          },
        },
        history: { keep: () => {} },
      },
    );
  }
}
