/** A daemon without hands and without a clock; the next one in the same folder knows what this one has written. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Moment } from '../../src/base/clock.ts';
import { type InstanceId, pid, type Run, run } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { Fleet } from '../../src/core/fleet/fleet.ts';
import { stepFleet } from '../../src/core/fleet/step.ts';
import { lifeOf } from '../../src/core/instance/phase.ts';
import type { Plan, ProgramPlan } from '../../src/core/plan.ts';
import { AskFile, readAskList } from '../../src/daemon/ask-list.ts';
import { RolloutHistory } from '../../src/daemon/history.ts';
import { type Inheritance, inherit, takeUp } from '../../src/daemon/inheritance.ts';
import { Journal } from '../../src/daemon/journal.ts';
import { KeptPlans } from '../../src/daemon/kept-plans.ts';
import { courseOf } from '../../src/daemon/loop.ts';
import { MemoryKeeper } from '../../src/daemon/memory.ts';
import { PlanShelf } from '../../src/daemon/plan-shelf.ts';
import { forgetPlans } from '../../src/daemon/remembered.ts';
import type { LogPlace } from '../../src/daemon/watches.ts';
import type { Unrecorded } from '../../src/ports/processes.ts';
import { at, plan, program, worker } from '../core/rig.ts';

let folder = '';
const open: Heir[] = [];

/** Where to wait for a disk costs nothing. */
const IN_MEMORY = '/dev/shm';

/** A folder for each test. */
export function useHeirs(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir(), 'memory-'));
  });
  afterEach(() => {
    for (const { journal, askList } of open.splice(0)) {
      journal.close();
      askList.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });
}

export const journalFile = (): string => join(folder, 'journal');
export const askFile = (): string => join(folder, 'asking');

export interface Options {
  readonly programs?: readonly ProgramPlan[];
  /** What bears our mark although nobody has recorded it. */
  readonly found?: readonly Unrecorded[];
  readonly now?: Moment;
  /** What names this start of the machine. */
  readonly boot?: string | null;
}

export class Heir {
  readonly warnings: string[] = [];
  readonly journal = new Journal(journalFile(), (text) => void this.warnings.push(text));
  readonly fleet: Fleet;
  readonly history: RolloutHistory;
  readonly identities: Inheritance['identities'];
  readonly places: ReadonlyMap<Run, readonly LogPlace[]>;
  readonly wanted: readonly InstanceId[];
  readonly isAnew: boolean;
  /** As it starts: the config's, but for what is kept. */
  readonly plan: Plan;
  /** Called with each effect as it is performed, after all that the step records was written. */
  performs: (effect: FleetEffect) => void = () => {};
  /** Runs that the last one was about to begin, and did. */
  readonly begun: Inheritance['begun'];
  readonly unwritten: Inheritance['unwritten'];
  readonly askList: AskFile;
  readonly #keeper: MemoryKeeper;
  readonly #kept: KeptPlans;
  #now: Moment;

  constructor({ programs = [program()], found = [], now = at(0), boot = 'this' }: Options = {}) {
    this.#now = now;
    open.push(this);
    const shelf = new PlanShelf(this.journal);
    this.#kept = new KeptPlans(this.journal, shelf);
    this.history = new RolloutHistory(this.journal);
    const processes = { unrecorded: (known: ReadonlySet<Run>) => found.filter(({ run }) => !known.has(run)) };
    const doubts = readAskList(askFile());
    this.askList = new AskFile(askFile());
    const estate = { journal: this.journal, shelf, kept: this.#kept, processes, boot, doubts };
    const warn = (text: string): void => void this.warnings.push(text);
    const inherited = inherit({ ...estate, warn }, plan(programs), now);
    this.identities = inherited.identities;
    this.places = inherited.places;
    this.wanted = inherited.wanted;
    this.isAnew = inherited.isAnew;
    this.plan = inherited.plan;
    this.fleet = inherited.fleet;
    this.begun = inherited.begun;
    this.unwritten = inherited.unwritten;
    this.#keeper = new MemoryKeeper(
      this.journal,
      this.fleet,
      { now: () => this.#now },
      {
        identity: (run) => `identity of ${run}`,
        places: (run) => [{ path: '/log', from: 1000 + run }],
        configured: (name) => programs.find((one) => one.name === name)?.instances ?? null,
        boot,
        askList: this.askList,
        history: this.history,
      },
    );
    forgetPlans(this.journal, this.fleet);
  }

  take(event: FleetEvent): this {
    const effects = stepFleet(this.fleet, event, this.#now);
    for (const effect of effects) {
      if (effect.type !== 'record') continue;
      this.#keeper.keep(effect.what);
      if (effect.what.kind === 'program' && effect.what.plan !== null) this.#kept.keep(effect.what.plan);
    }
    this.journal.flush();
    const { signals, others } = courseOf(effects);
    this.#keeper.signalling(signals.flatMap((effect) => (effect.type === 'signal' ? [effect.run] : [])));
    for (const effect of signals) {
      if (effect.type === 'signal') this.askList.mark(effect.run);
      this.performs(effect);
    }
    this.#keeper.signalled();
    this.journal.flush();
    for (const effect of others) this.performs(effect);
    return this;
  }

  /** What a new daemon does at once: takes up what it has found, and goes on. */
  goOn(): this {
    takeUp(this, {
      processes: { adopt: () => {}, identity: () => null },
      hold: (act) => act(),
      post: (event) => void this.take(event),
      perform: (effect) => {
        if (effect.type === 'record') this.#keeper.keep(effect.what);
        else this.performs(effect);
      },
      safely: (act) => act(),
    });
    this.journal.flush();
    return this;
  }

  /** The config file is taken at its word. */
  follow(programs: readonly ProgramPlan[]): this {
    this.#kept.follow(programs);
    return this;
  }

  /** It is so late now. */
  at(ms: number): this {
    this.#now = at(ms);
    return this;
  }

  seat(index = 0) {
    const seat = this.fleet.instances.get(worker(index));
    if (seat === undefined) throw new Error(`no worker:${index}`);
    return seat;
  }

  run = (index = 0): Run => lifeOf(this.seat(index).phase)?.run ?? run(0);
  ids = () => [...this.fleet.instances.keys()];
  start = () => this.take({ type: 'start', ids: this.ids(), because: 'operator' });
  spawned = (index = 0) => this.take({ type: 'spawned', run: this.run(index), pid: pid(4711 + index) });
  stop = () => this.take({ type: 'stop', ids: this.ids(), how: 'drain' });
  exited = (code = 0, index = 0) =>
    this.take({ type: 'exited', run: this.run(index), exit: { kind: 'code', code } });
  empty = (index = 0) => this.take({ type: 'tree', run: this.run(index), left: 0 });

  /** The one after it, when this one has been killed after all of it was written. */
  next(options?: Options): Heir {
    this.journal.flush();
    return new Heir(options);
  }

  /** When it has been killed before anything since the last flush was written. */
  nextAtOnce(options?: Options): Heir {
    return new Heir(options);
  }
}
