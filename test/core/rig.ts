/** What the tests of core share: plans, moments, and an instance or a fleet that takes one event after another. */

import { type Moment, mono, wall } from '../../src/base/clock.ts';
import {
  type InstanceId,
  instanceId,
  pid,
  programName,
  type Run,
  revision,
  run,
} from '../../src/base/ids.ts';
import type { FleetEffect, News } from '../../src/core/fleet/effect.ts';
import type { FleetEvent, TimerName } from '../../src/core/fleet/event.ts';
import { createFleet, type Fleet, type Memory, NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import { stepFleet } from '../../src/core/fleet/step.ts';
import type { InstanceEffect } from '../../src/core/instance/effect.ts';
import type { InstanceEvent, Notified } from '../../src/core/instance/event.ts';
import { type Instance, newInstance } from '../../src/core/instance/instance.ts';
import { lifeOf, type Waiting } from '../../src/core/instance/phase.ts';
import { step } from '../../src/core/instance/step.ts';
import type { HookName, HookPlan, Plan, ProgramPlan } from '../../src/core/plan.ts';
import { PLAIN } from '../rig/logging.ts';

export const at = (ms: number): Moment => ({ mono: mono(ms), wall: wall(1_000_000 + ms) });
export const worker = (index: number): InstanceId => instanceId(programName('worker'), index);

/** USR1 asks to drain, TERM stops: so that a test can tell them apart. */
export const PROGRAM: ProgramPlan = {
  name: programName('worker'),
  revision: revision('one'),
  command: ['worker'],
  instances: 1,
  directory: '/',
  environment: {},
  envFiles: [],
  inheritEnvironment: true,
  user: null,
  group: null,
  umask: null,
  nice: null,
  limits: { resources: {}, memoryMax: null, cpuMax: null },
  maxMemory: null,
  maxAgeMs: null,
  autostart: true,
  essential: false,
  dependsOn: {},
  priority: 0,
  restart: 'always',
  successExitCodes: [0],
  backoff: { initialMs: 100, factor: 2, maxMs: 1000, jitter: 0, resetAfterMs: 5000, giveUpAfter: 3 },
  schedule: null,
  ready: { when: 'spawned', forMs: 50 },
  health: null,
  watchdogMs: null,
  drain: {
    signal: 'USR1',
    doneWhen: 'exit',
    check: null,
    waitFor: 'tree',
    timeoutMs: 300,
    onTimeout: 'pause',
  },
  stop: { signal: 'TERM', timeoutMs: 200 },
  rollout: {
    maxParallel: { kind: 'count', count: 1 },
    maxSurge: { kind: 'count', count: 0 },
    minHealthyTimeMs: 500,
    healthyDeadlineMs: 2000,
    canary: { kind: 'count', count: 0 },
    canaryHoldMs: 0,
    check: null,
    maxFailures: 0,
    onFailure: 'pause',
    afterKillHoldMs: 0,
    order: 'index',
  },
  hooks: { pre_start: null, post_start: null, pre_drain: null, post_stop: null },
  logs: { ...PLAIN, stdout: { kind: 'none' }, stderr: 'merge' },
};

export type Change = { readonly [K in keyof ProgramPlan]?: Partial<ProgramPlan[K]> | ProgramPlan[K] };

/** PROGRAM with some keys changed; of `drain`, `stop`, `backoff` and `rollout` only what is named. */
export function program(change: Change = {}): ProgramPlan {
  const merged = Object.entries(change).map(([key, value]) => {
    const before: unknown = PROGRAM[key as keyof ProgramPlan]; // Change has no other keys
    const isPart = key !== 'ready' && key !== 'dependsOn' && isObject(before) && isObject(value);
    return [key, isPart ? Object.assign({}, before, value) : value];
  });
  return { ...PROGRAM, ...Object.fromEntries(merged) };
}

export const hook = (onFailure: HookPlan['onFailure'] = 'fail'): HookPlan => ({
  command: ['hook'],
  timeoutMs: 1000,
  onFailure,
});

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A rolling restart as it is without options. */
export const BEGIN = {
  type: 'begin_rollout',
  surge: 0,
  canary: 0,
  cause: { kind: 'operator', by: null, words: null, of: null },
  after: null,
  replaces: false,
} as const;

/** One instance on a bench. */
export class Bench {
  instance: Instance;
  now = 0;
  /** What it would have to wait for. */
  gate: Waiting | null = null;

  constructor(plan: ProgramPlan = PROGRAM) {
    this.instance = newInstance(worker(0), 0, plan, { want: 'down', because: 'start' });
  }

  get phase(): Instance['phase'] {
    return this.instance.phase;
  }

  /** Of the life that is under way, or of the last one. */
  get run(): Run {
    return lifeOf(this.phase)?.run ?? this.instance.lastRun ?? run(0);
  }

  take(event: InstanceEvent): readonly InstanceEffect[] {
    const context = {
      now: at(this.now),
      nextRun: run((this.instance.lastRun ?? 0) + 1),
      gate: () => this.gate,
    };
    const { instance, effects } = step(this.instance, event, context);
    this.instance = instance;
    return effects;
  }

  /** Takes it and says in short what came of it: `running: TERM→leader`. */
  told(event: InstanceEvent): string {
    const effects = this.take(event);
    return summary(this.phase.kind, effects);
  }

  start = () => this.take({ type: 'start', because: 'operator' });
  stop = (how: 'drain' | 'now' | 'kill' = 'drain') => this.take({ type: 'stop', because: 'operator', how });
  spawned = () => this.take({ type: 'spawned', run: this.run, pid: PID });
  spawnFailed = () => this.take({ type: 'spawn_failed', run: this.run, stage: 'exec', error: 'ENOENT' });
  code = (code: number) => this.take({ type: 'exited', run: this.run, exit: { kind: 'code', code } });
  signalled = (signal: string) =>
    this.take({ type: 'exited', run: this.run, exit: { kind: 'signal', signal } });
  tree = (left: number) => this.take({ type: 'tree', run: this.run, left });
  says = (message: Notified) => this.take({ type: 'notified', run: this.run, message });
  due = () => this.take({ type: 'due' });
  hooked = (hook: HookName, ok = true) =>
    this.take({
      type: 'hooked',
      run: this.run,
      hook,
      ok,
      detail: ok ? 'exited with code 0' : 'exited with code 1',
    });
  checked = (purpose: 'ready' | 'health' | 'drain' | 'log', ok = true) =>
    this.take({ type: 'checked', run: this.run, purpose, ok, detail: ok ? '200' : 'connection refused' });
  measured = (bytes: number) => this.take({ type: 'measured', run: this.run, bytes });
  replace = (plan: ProgramPlan, because: 'operator' | 'rollout 7', onTimeout: 'pause' | 'kill' | 'stop') =>
    this.take({ type: 'replace', because, program: plan, generation: 1, onTimeout });

  /** Time passes, and the phase's timer rings. */
  after(ms: number): readonly InstanceEffect[] {
    this.now += ms;
    return this.due();
  }

  /** From nothing to running, by way of its hooks. */
  running(): this {
    this.start();
    if (this.phase.kind === 'waiting') this.take({ type: 'scheduled' });
    if (this.phase.kind === 'preparing') this.hooked('pre_start');
    this.spawned();
    if (this.instance.program.ready.when === 'notify') this.says({ ready: true });
    else this.after(50);
    if (this.phase.kind === 'starting') this.hooked('post_start');
    return this;
  }
}

const PID = pid(4711);

/** Effects in short, announcements left out. */
export function summary(kind: string, effects: readonly InstanceEffect[]): string {
  const words = effects.flatMap((effect) => {
    if (effect.type === 'signal') return [`${effect.signal}→leader`];
    if (effect.type === 'signal_tree') return [`${effect.signal}→tree`];
    return effect.type === 'announce' ? [] : [effect.type];
  });
  return words.length === 0 ? kind : `${kind}: ${words.join(' ')}`;
}

/** What was announced, by type. */
export const newsIn = (effects: readonly InstanceEffect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'announce' ? [effect.what.type] : []));

/** A fleet on a bench, whose processes do what the test says and nothing else. */
export class Fleets {
  readonly fleet: Fleet;
  now = 0;
  /** Of the last event. */
  effects: FleetEffect[] = [];
  readonly timers = new Map<string, number>();

  constructor(programs: readonly ProgramPlan[], memory: Memory = NO_MEMORY) {
    this.fleet = createFleet(plan(programs), memory);
  }

  take(event: FleetEvent): this {
    if (event.type === 'due') this.#rung(nameOf(event.timer));
    this.effects = stepFleet(this.fleet, event, at(this.now));
    for (const effect of this.effects) {
      if (effect.type === 'arm') this.timers.set(nameOf(effect.timer), effect.at);
      if (effect.type === 'disarm') this.timers.delete(nameOf(effect.timer));
    }
    return this;
  }

  /** One that rings at its time is armed no more; one that was cancelled too late is not it. */
  #rung(name: string): void {
    if ((this.timers.get(name) ?? Number.POSITIVE_INFINITY) <= this.now) this.timers.delete(name);
  }

  /** A number is that of a worker. */
  seat(which: Which): Instance {
    const seat = this.fleet.instances.get(idOf(which));
    if (seat === undefined) throw new Error(`no ${idOf(which)}`);
    return seat;
  }

  kindOf = (which: Which): string => this.fleet.instances.get(idOf(which))?.phase.kind ?? 'none';
  kinds = (): string => [...this.fleet.instances.values()].map(({ phase }) => phase.kind).join(' ');
  ids = (): InstanceId[] => [...this.fleet.instances.keys()];
  runOf = (which: Which): Run => lifeOf(this.seat(which).phase)?.run ?? run(0);

  start = (...ids: InstanceId[]) =>
    this.take({ type: 'start', ids: ids.length > 0 ? ids : this.ids(), because: 'operator' });
  stop = (which: Which, how: 'drain' | 'now' | 'kill' = 'drain') =>
    this.take({ type: 'stop', ids: [idOf(which)], how });
  stopAll = (how: 'drain' | 'now' | 'kill' = 'drain') => this.take({ type: 'stop', ids: this.ids(), how });
  restart = (which: Which, ...programs: ProgramPlan[]) =>
    this.take({ type: 'restart', ids: [idOf(which)], programs });
  scale = (instances: number, name = 'worker') =>
    this.take({ type: 'scale', program: programName(name), instances });
  reload = (...programs: ProgramPlan[]) => this.take({ type: 'reload', programs, shutdownTimeoutMs: null });
  scheduled = (missed = 0, name = 'worker') =>
    this.take({ type: 'scheduled', program: programName(name), at: at(this.now).wall, missed });
  hooked = (which: Which, hook: HookName, ok = true) =>
    this.take({ type: 'hooked', run: this.runOf(which), hook, ok, detail: 'exited with code 1' });
  checked = (which: Which, ok = true, purpose: 'ready' | 'health' | 'drain' | 'log' = 'health') =>
    this.take({ type: 'checked', run: this.runOf(which), purpose, ok, detail: '503' });
  measured = (which: Which, bytes: number) => this.take({ type: 'measured', run: this.runOf(which), bytes });
  spawned = (which: Which) => this.take({ type: 'spawned', run: this.runOf(which), pid: PID });
  exited = (which: Which, code = 0) =>
    this.take({ type: 'exited', run: this.runOf(which), exit: { kind: 'code', code } });
  tree = (which: Which, left = 0) => this.take({ type: 'tree', run: this.runOf(which), left });
  says = (which: Which, message: Notified) =>
    this.take({ type: 'notified', run: this.runOf(which), message });
  due = (timer: TimerName) => this.take({ type: 'due', timer });

  /** The leader exits and nothing of it is left. */
  gone(which: Which, code = 0): this {
    return this.exited(which, code).tree(which);
  }

  /** The system has started it, and it becomes ready. */
  ready(which: Which): this {
    this.spawned(which);
    return this.ring(which, 50);
  }

  /** So much later, its timer rings. */
  ring(which: Which, ms: number): this {
    this.now += ms;
    return this.due({ of: 'instance', id: idOf(which) });
  }

  /** Starts all of them, as they let each other. */
  allReady(): this {
    this.start();
    const spawning = () => [...this.fleet.instances.values()].find(({ phase }) => phase.kind === 'spawning');
    for (let next = spawning(); next !== undefined; next = spawning()) this.ready(next.id);
    return this;
  }

  /** Signals of the last event: `TERM→worker:0`, with `…` where it went to the tree. */
  signals = (): string =>
    this.effects
      .flatMap((effect) => {
        if (effect.type === 'signal') return [`${effect.signal}→${effect.instance.id}`];
        return effect.type === 'signal_tree' ? [`${effect.signal}→${effect.instance.id}…`] : [];
      })
      .join(' ');

  /** What was announced by the last event, of one type. */
  news<T extends News['type']>(type: T): Extract<News, { type: T }>[] {
    return this.effects.flatMap((effect) => {
      const what = effect.type === 'announce' ? effect.what : null;
      return what !== null && isOf(type, what) ? [what] : [];
    });
  }

  /** Effects of the last event that have to do with processes, hooks and watches, in short. */
  deeds = (): string =>
    this.effects
      .flatMap((effect) => {
        if (!('instance' in effect)) return [];
        const { id } = effect.instance;
        if (effect.type === 'hook') return [`${effect.hook} of ${id}`];
        if (effect.type === 'watch') return [`watch ${effect.watch.purpose} of ${id}`];
        if (effect.type === 'unwatch') return [`unwatch ${effect.purpose} of ${id}`];
        return [`${effect.type} of ${id}`];
      })
      .join(', ');
}

/** A number is that of a worker. */
export type Which = number | string;
const idOf = (which: Which): InstanceId => {
  if (typeof which === 'number') return worker(which);
  const [name = '', index = '0'] = which.split(':');
  return instanceId(programName(name), Number(index));
};

const isOf = <T extends News['type']>(type: T, what: News): what is Extract<News, { type: T }> =>
  what.type === type;

const nameOf = (timer: TimerName): string => ('id' in timer ? `${timer.of} ${timer.id}` : timer.of);

export function plan(programs: readonly ProgramPlan[]): Plan {
  return {
    name: 'test',
    configFile: '/supervisor.yaml',
    runDir: '/run',
    stateDir: '/state',
    logDir: '/logs',
    ownLog: { maxBytes: null, keep: 10, maxAgeMs: null, compress: false, format: 'raw' },
    socketMode: 0o600,
    shutdownTimeoutMs: null,
    groups: {},
    programs,
  };
}
