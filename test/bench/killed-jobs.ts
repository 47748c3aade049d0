/**
 * One rolling restart by core itself, on a virtual clock, of workers whose jobs are longer than all of it: how many
 * jobs were killed, and how many of them more than once.
 */
import { mono, wall } from '../../src/base/clock.ts';
import { type InstanceId, pid, type Run } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent, TimerName } from '../../src/core/fleet/event.ts';
import { createFleet, type Fleet, NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import { stepFleet } from '../../src/core/fleet/step.ts';
import type { Life } from '../../src/core/instance/phase.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { plan, program } from '../core/rig.ts';
import { Agenda } from '../sim/agenda.ts';
import { Dice } from '../sim/dice.ts';

export interface Setting {
  readonly onTimeout: ProgramPlan['drain']['onTimeout'];
  /** A share of a job's length. */
  readonly hold: number;
  readonly maxParallel: number;
  readonly surge: number;
  readonly order: ProgramPlan['rollout']['order'];
  /** So many of the eight have a job; whoever has one takes the next when it is done. */
  readonly busy: number;
  /** Whom the queue gives a job again, and when: `at_once` and `later` to anybody who works then. */
  readonly retry: 'at_once' | 'later' | 'newest';
}

export interface Outcome {
  /** Jobs that were killed once at least, and those of them that were killed again. */
  readonly killed: number;
  readonly twice: number;
  readonly state: string;
}

export const INSTANCES = 8;
const START_MS = 1000;
const DRAIN_MS = 10_000;
const HEALTHY_MS = 10_000;
/** Longer than the restart of all eight. */
export const JOB_MS = 300_000;
/** So long that the next worker is there again, and so short that no other is touched meanwhile. */
const LATER_MS = 5000;
const LIMIT_MS = 40 * JOB_MS;

interface Job {
  kills: number;
}

interface Worker {
  readonly id: InstanceId;
  readonly life: Life;
  readonly jobs: Set<Job>;
  asked: boolean;
  dead: boolean;
}

export function killedJobs(seed: number, setting: Setting): Outcome {
  return new KillingFleet(seed, setting).roll();
}

class KillingFleet {
  readonly #setting: Setting;
  readonly #dice: Dice;
  readonly #agenda = new Agenda();
  readonly #fleet: Fleet;
  readonly #plan: ProgramPlan;
  readonly #workers = new Map<Run, Worker>();
  readonly #timers = new Map<string, number>();
  readonly #jobs: Job[] = [];

  constructor(seed: number, setting: Setting) {
    this.#setting = setting;
    this.#dice = new Dice(seed);
    this.#plan = planFor(setting);
    this.#fleet = createFleet(plan([this.#plan]), NO_MEMORY);
  }

  roll(): Outcome {
    const ids = [...this.#fleet.instances.keys()];
    this.#post({ type: 'start', ids, because: 'operator' });
    this.#runUntil(() => ids.every((id) => this.#fleet.instances.get(id)?.phase.kind === 'running'));
    for (const worker of this.#drawn([...this.#workers.values()], this.#setting.busy)) {
      this.#begin(this.#newJob(), worker, this.#dice.float() * JOB_MS);
    }
    this.#beginRollout(ids);
    const state = (): string => [...this.#fleet.rollouts.values()][0]?.state ?? 'none';
    this.#runUntil(() => state() !== 'none' && state() !== 'running');
    const killed = this.#jobs.filter(({ kills }) => kills > 0);
    return { killed: killed.length, twice: killed.filter(({ kills }) => kills > 1).length, state: state() };
  }

  #beginRollout(ids: readonly InstanceId[]): void {
    const { maxParallel, surge } = this.#setting;
    const cause = { kind: 'operator', by: null, words: null, of: null } as const;
    const how = { maxParallel, surge, canary: 0, after: null, replaces: false, cause };
    this.#post({ type: 'begin_rollout', program: this.#plan, ids, ...how });
  }

  #runUntil(isSo: () => boolean): void {
    const limit = this.#agenda.now + LIMIT_MS;
    while (!isSo()) {
      if (!this.#agenda.next(limit))
        throw new Error(`the fleet stands still: ${JSON.stringify(this.#setting)}`);
    }
  }

  /** Every event comes by way of the clock, so one is taken at a time. */
  #post(event: FleetEvent, afterMs = 0): void {
    this.#agenda.after(afterMs, () => {
      const { now } = this.#agenda;
      for (const effect of stepFleet(this.#fleet, event, { mono: mono(now), wall: wall(now) })) {
        this.#perform(effect);
      }
    });
  }

  #perform(effect: FleetEffect): void {
    switch (effect.type) {
      case 'spawn':
        this.#spawn(effect.instance.id, effect.life);
        break;
      case 'signal':
        this.#ask(this.#worker(effect.run));
        break;
      case 'signal_tree':
        if (effect.signal === 'KILL') this.#kill(this.#worker(effect.run));
        break;
      case 'survey':
        this.#post({ type: 'tree', run: effect.run, left: 0 });
        break;
      case 'arm':
        this.#arm(effect.timer, effect.at);
        break;
      case 'disarm':
        this.#timers.delete(nameOf(effect.timer));
        break;
      default: // nobody else is there to be told
    }
  }

  #spawn(id: InstanceId, life: Life): void {
    const worker: Worker = { id, life, jobs: new Set(), asked: false, dead: false };
    this.#workers.set(life.run, worker);
    this.#post({ type: 'spawned', run: life.run, pid: pid(1000) });
    this.#tell(worker);
  }

  #arm(timer: TimerName, at: number): void {
    const name = nameOf(timer);
    this.#timers.set(name, at);
    this.#agenda.at(at, () => {
      if (this.#timers.get(name) === at) this.#post({ type: 'due', timer });
    });
  }

  #worker(run: Run): Worker {
    const worker = this.#workers.get(run);
    if (worker === undefined) throw new Error(`no run ${run}`);
    return worker;
  }

  #ask(worker: Worker): void {
    worker.asked = true;
    if (worker.jobs.size === 0) this.#end(worker, 'TERM');
  }

  #kill(worker: Worker): void {
    if (worker.dead) return;
    const cut = [...worker.jobs];
    worker.jobs.clear();
    this.#end(worker, 'KILL');
    for (const job of cut) {
      job.kills++;
      this.#retry(job, this.#setting.retry === 'later' ? LATER_MS : 0);
    }
  }

  #end(worker: Worker, signal: string): void {
    if (worker.dead) return;
    worker.dead = true;
    const { run } = worker.life;
    const exit =
      signal === 'KILL' ? ({ kind: 'signal', signal } as const) : ({ kind: 'code', code: 0 } as const);
    this.#post({ type: 'exited', run, exit });
    this.#post({ type: 'tree', run, left: 0 });
  }

  /** To anybody who works and takes jobs at that moment, or to one of the newest of those. */
  #retry(job: Job, afterMs: number): void {
    this.#agenda.after(afterMs, () => {
      const working = [...this.#workers.values()].filter((worker) => this.#takes(worker));
      const newest = Math.max(...working.map(({ life }) => life.generation));
      const chosen =
        this.#setting.retry === 'newest' ? working.filter(({ life }) => life.generation === newest) : working;
      const [taker] = this.#drawn(chosen, 1);
      if (taker === undefined) this.#retry(job, LATER_MS);
      else this.#begin(job, taker, JOB_MS);
    });
  }

  #takes({ id, life, asked, dead }: Worker): boolean {
    const phase = this.#fleet.instances.get(id)?.phase;
    return !asked && !dead && phase?.kind === 'running' && phase.body.life.run === life.run;
  }

  #newJob(): Job {
    const job = { kills: 0 };
    this.#jobs.push(job);
    return job;
  }

  #begin(job: Job, worker: Worker, lengthMs: number): void {
    worker.jobs.add(job);
    this.#tell(worker);
    this.#agenda.after(lengthMs, () => {
      if (!worker.jobs.delete(job)) return; // it was cut
      if (worker.asked) {
        if (worker.jobs.size === 0) this.#end(worker, 'TERM');
      } else this.#begin(this.#newJob(), worker, JOB_MS);
    });
  }

  #tell({ life: { run }, jobs }: Worker): void {
    this.#post({ type: 'notified', run, message: { inFlight: jobs.size } });
  }

  #drawn<T>(list: readonly T[], count: number): T[] {
    const rest = [...list];
    const drawn: T[] = [];
    while (drawn.length < count && rest.length > 0) {
      drawn.push(...rest.splice(this.#dice.int(0, rest.length - 1), 1));
    }
    return drawn;
  }
}

function planFor({ onTimeout, hold, maxParallel, surge, order }: Setting): ProgramPlan {
  const count = (count: number) => ({ kind: 'count', count }) as const;
  return program({
    instances: INSTANCES,
    ready: { when: 'spawned', forMs: START_MS },
    drain: { timeoutMs: DRAIN_MS, onTimeout },
    rollout: {
      maxParallel: count(maxParallel),
      maxSurge: count(surge),
      minHealthyTimeMs: HEALTHY_MS,
      healthyDeadlineMs: 60_000,
      afterKillHoldMs: hold * JOB_MS,
      order,
    },
  });
}

const nameOf = (timer: TimerName): string => ('id' in timer ? `${timer.of} ${timer.id}` : timer.of);
