/** The total table of one instance: each event in each phase, and what comes of it. "Nothing" is written down too. */
import { expect, test } from 'vitest';
import { pid, programName, revision, run } from '../../src/base/ids.ts';
import type { InstanceEffect } from '../../src/core/instance/effect.ts';
import type { InstanceEvent } from '../../src/core/instance/event.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import type { Waiting } from '../../src/core/instance/phase.ts';
import type { HookName } from '../../src/core/plan.ts';
import { Bench, hook, program, summary } from './rig.ts';

const SPAWN = 'spawning: spawn';
const ASK = 'draining: USR1→leader';
const TELL = 'stopping: TERM→leader';
const TELL_REST = 'sweeping: TERM→tree';
const KILL = 'killing: KILL→tree survey';

const WAIT: Waiting = {
  kind: 'dependency',
  on: programName('db'),
  condition: 'ready',
  why: 'db:0 is starting',
  hopeless: false,
};
const MB = 1024 * 1024;
const EVERY_MINUTE = { cron: '* * * * *', timezone: null, overlap: 'queue' } as const;
const ASKED_BY_TCP = { kind: 'tcp', host: 'localhost', port: '80' } as const;
const HEALTH = { check: ASKED_BY_TCP, intervalMs: 10, timeoutMs: 10, failures: 1, action: 'none' } as const;
const hooked = (name: HookName) => program({ hooks: { [name]: hook() } });
const onTime = program({ schedule: EVERY_MINUTE, restart: 'never' });

const PHASES: Record<string, () => Bench> = {
  stopped: () => new Bench(),
  'waiting, for a dependency': () =>
    having(new Bench(), (b) => {
      b.gate = WAIT;
      b.start();
    }),
  'waiting, for nothing any more': () =>
    having(PHASES['waiting, for a dependency']?.(), (b) => {
      b.gate = null;
    }),
  'waiting, for its time': () => having(new Bench(onTime), (b) => b.start()),
  preparing: () => having(new Bench(hooked('pre_start')), (b) => b.start()),
  'preparing, to end': () => having(PHASES.preparing?.(), (b) => b.stop()),
  spawning: () => started(),
  starting: () => spawned(),
  'starting, ready by a check': () => {
    const ready = { when: 'check', check: ASKED_BY_TCP, intervalMs: 10, timeoutMs: 50 } as const;
    return having(new Bench(program({ ready })), (b) => [b.start(), b.spawned()]);
  },
  'starting, ready by its log': () => {
    const ready = { when: 'log', pattern: { kind: 'text', text: 'up' }, timeoutMs: 50 } as const;
    return having(new Bench(program({ ready })), (b) => [b.start(), b.spawned()]);
  },
  'starting, post_start runs': () =>
    having(new Bench(hooked('post_start')), (b) => [b.start(), b.spawned(), b.after(50)]),
  running: () => new Bench().running(),
  'running, with health': () => new Bench(program({ health: { ...HEALTH, action: 'restart' } })).running(),
  'running, unhealthy': () =>
    having(new Bench(program({ health: HEALTH })).running(), (b) => b.checked('health', false)),
  'running, worn': () =>
    having(new Bench(program({ maxMemory: { bytes: MB, forMs: 0 } })).running(), (b) => b.measured(2 * MB)),
  'running, watched': () => new Bench(program({ watchdogMs: 1000 })).running(),
  'running, on time': () => new Bench(onTime).running(),
  'draining, not asked yet': () => having(new Bench(hooked('pre_drain')).running(), (b) => b.stop()),
  'draining, by a check': () => {
    const drain = { doneWhen: 'check', check: ASKED_BY_TCP } as const;
    return having(new Bench(program({ drain })).running(), (b) => b.stop());
  },
  draining: () => having(new Bench().running(), (b) => b.stop()),
  'draining, leader gone': () => having(PHASES.draining?.(), (b) => b.code(0)),
  'draining, overdue': () =>
    having(new Bench().running(), (b) => {
      b.replace(program(), 'rollout 7', 'pause');
      b.after(300);
    }),
  stopping: () => having(new Bench().running(), (b) => b.stop('now')),
  sweeping: () => having(new Bench().running(), (b) => b.code(1)),
  'sweeping, told': () => having(PHASES.sweeping?.(), (b) => b.tree(2)),
  killing: () => having(new Bench().running(), (b) => b.stop('kill')),
  'killing, leader gone': () => having(PHASES.killing?.(), (b) => b.signalled('SIGKILL')),
  cleaning: () =>
    having(new Bench(hooked('post_stop')).running(), (b) => {
      b.code(1);
      b.tree(0);
    }),
  backoff: () => having(PHASES.sweeping?.(), (b) => b.tree(0)),
  exited: () =>
    having(new Bench(program({ restart: 'never' })).running(), (b) => {
      b.code(0);
      b.tree(0);
    }),
  failed: () =>
    having(new Bench(program({ restart: 'never' })).running(), (b) => {
      b.code(1);
      b.tree(0);
    }),
};

const EVENTS: Record<string, (bench: Bench) => InstanceEvent> = {
  start: () => ({ type: 'start', because: 'operator' }),
  'stop, drain': () => ({ type: 'stop', because: 'operator', how: 'drain' }),
  'stop, now': () => ({ type: 'stop', because: 'operator', how: 'now' }),
  'stop, kill': () => ({ type: 'stop', because: 'operator', how: 'kill' }),
  'stop, again': (bench) => ({ type: 'stop', because: bench.instance.wish.because, how: 'drain' }),
  'stop, later': () => ({ type: 'stop', because: 'operator', how: 'later' }),
  proceed: () => ({ type: 'proceed' }),
  scheduled: () => ({ type: 'scheduled' }),
  'adjust to the same': (bench) => ({ type: 'adjust', program: bench.instance.program }),
  'adjust to another': (bench) => ({ type: 'adjust', program: { ...bench.instance.program, priority: 7 } }),
  replace: ({ instance }) => ({
    type: 'replace',
    because: 'rollout 7',
    program: { ...instance.program, revision: revision('two') },
    generation: 1,
    onTimeout: 'pause',
  }),
  grant: () => ({ type: 'grant' }),
  'due, too early': () => ({ type: 'due' }),
  due: (bench) => {
    bench.now += 10_000;
    return { type: 'due' };
  },
  spawned: (bench) => ({ type: 'spawned', run: bench.run, pid: pid(1) }),
  spawn_failed: (bench) => ({ type: 'spawn_failed', run: bench.run, stage: 'exec', error: 'ENOENT' }),
  exited: (bench) => ({ type: 'exited', run: bench.run, exit: { kind: 'code', code: 0 } }),
  'tree, 2 left': (bench) => ({ type: 'tree', run: bench.run, left: 2 }),
  'tree, none left': (bench) => ({ type: 'tree', run: bench.run, left: 0 }),
  'checked ready, no': (bench) => checked(bench, 'ready', false),
  'checked ready, yes': (bench) => checked(bench, 'ready', true),
  'checked log, yes': (bench) => checked(bench, 'log', true),
  'checked health, no': (bench) => checked(bench, 'health', false),
  'checked health, yes': (bench) => checked(bench, 'health', true),
  'checked drain, no': (bench) => checked(bench, 'drain', false),
  'checked drain, yes': (bench) => checked(bench, 'drain', true),
  'measured, little': (bench) => ({ type: 'measured', run: bench.run, bytes: 1 }),
  'measured, much': (bench) => ({ type: 'measured', run: bench.run, bytes: 3 * MB }),
  ...Object.fromEntries(
    (['pre_start', 'post_start', 'pre_drain', 'post_stop'] as const).flatMap((name) =>
      [true, false].map((ok) => [
        `hooked ${name}, ${ok ? 'well' : 'badly'}`,
        (bench: Bench) => ({ type: 'hooked', run: bench.run, hook: name, ok, detail: '' }) as const,
      ]),
    ),
  ),
  'says nothing new': (bench) => ({ type: 'notified', run: bench.run, message: {} }),
  'says a status': (bench) => ({ type: 'notified', run: bench.run, message: { status: 'busy' } }),
  'says WATCHDOG=1': (bench) => {
    bench.now += 1;
    return { type: 'notified', run: bench.run, message: { watchdog: 'alive' } };
  },
  'says WATCHDOG=trigger': (bench) => ({
    type: 'notified',
    run: bench.run,
    message: { watchdog: 'trigger' },
  }),
  'says a watchdog of its own': (bench) => ({
    type: 'notified',
    run: bench.run,
    message: { watchdogMs: 77 },
  }),
  'says ready': (bench) => ({ type: 'notified', run: bench.run, message: { ready: true } }),
  'says drained': (bench) => ({ type: 'notified', run: bench.run, message: { drained: true } }),
  'exited, of an earlier run': (bench) => ({
    type: 'exited',
    run: run(bench.run + 1000),
    exit: { kind: 'code', code: 0 },
  }),
};
/** What differs from "nothing". `any running` stands for each phase of that kind that is not named itself. */
const TABLE: Record<string, Record<string, string>> = {
  start: {
    stopped: SPAWN,
    'waiting, for a dependency': 'noted',
    'waiting, for nothing any more': SPAWN,
    'preparing, to end': 'noted',
    'any draining': 'noted',
    'draining, overdue': 'nothing',
    stopping: 'noted',
    'any sweeping': 'noted',
    'any killing': 'noted',
    cleaning: 'noted',
    backoff: SPAWN,
    exited: SPAWN,
    failed: SPAWN,
  },
  'stop, drain': {
    stopped: 'noted',
    'any waiting': 'stopped',
    'any preparing': 'noted',
    spawning: 'noted',
    'any starting': ASK,
    'any running': ASK,
    'draining, overdue': 'noted',
    'any sweeping': 'noted',
    cleaning: 'noted',
    backoff: 'stopped',
    exited: 'stopped',
    failed: 'stopped',
  },
  'stop, now': {
    stopped: 'noted',
    'any waiting': 'stopped',
    'any preparing': 'preparing: unhook',
    spawning: 'noted',
    'any starting': TELL,
    'any running': TELL,
    'any draining': TELL,
    'draining, leader gone': TELL_REST,
    sweeping: TELL_REST,
    'sweeping, told': 'noted',
    cleaning: 'cleaning: unhook',
    backoff: 'stopped',
    exited: 'stopped',
    failed: 'stopped',
  },
  'stop, kill': {
    stopped: 'noted',
    'any waiting': 'stopped',
    'any preparing': 'preparing: unhook',
    spawning: 'noted',
    'any starting': KILL,
    'any running': KILL,
    'any draining': KILL,
    stopping: KILL,
    'any sweeping': KILL,
    'any killing': KILL,
    cleaning: 'cleaning: unhook',
    backoff: 'stopped',
    exited: 'stopped',
    failed: 'stopped',
  },
  'stop, again': {
    'any waiting': 'stopped',
    'any preparing': 'noted',
    spawning: 'noted',
    'any starting': ASK,
    'any running': ASK,
    'draining, overdue': 'noted',
    'any sweeping': 'noted',
    cleaning: 'noted',
    backoff: 'stopped',
    exited: 'stopped',
    failed: 'stopped',
  },
  'stop, later': {
    stopped: 'noted',
    'any waiting': 'stopped',
    preparing: 'noted',
    spawning: 'noted',
    'any starting': 'noted',
    'any running': 'noted',
    'draining, overdue': 'noted',
    'any sweeping': 'noted',
    cleaning: 'noted',
    backoff: 'stopped',
    exited: 'stopped',
    failed: 'stopped',
  },
  proceed: { 'waiting, for nothing any more': SPAWN },
  scheduled: {
    'any waiting': 'noted',
    'waiting, for its time': SPAWN,
    preparing: 'noted',
    spawning: 'noted',
    'any starting': 'noted',
    'any running': 'noted',
    'draining, overdue': 'noted',
    'any sweeping': 'noted',
    cleaning: 'noted',
    backoff: SPAWN,
    exited: SPAWN,
    failed: SPAWN,
  },
  'adjust to the same': {},
  'adjust to another': {
    stopped: 'noted',
    'any waiting': 'noted',
    'any preparing': 'noted',
    spawning: 'noted',
    'any starting': 'noted',
    'any running': 'noted',
    'any draining': 'noted',
    stopping: 'noted',
    'any sweeping': 'noted',
    'any killing': 'noted',
    cleaning: 'noted',
    backoff: 'noted',
    exited: 'noted',
    failed: 'noted',
  },
  replace: {
    stopped: 'noted',
    'any waiting': 'noted',
    'waiting, for nothing any more': SPAWN,
    'any preparing': 'noted',
    spawning: 'noted',
    'any starting': ASK,
    'any running': ASK,
    'any draining': 'noted',
    stopping: 'noted',
    'any sweeping': 'noted',
    'any killing': 'noted',
    cleaning: 'noted',
    backoff: SPAWN,
    exited: SPAWN,
    failed: SPAWN,
  },
  grant: { 'any draining': 'noted', 'draining, not asked yet': 'nothing' },
  'due, too early': {},
  due: {
    'any starting': TELL,
    starting: 'running',
    'starting, post_start runs': 'nothing',
    'running, watched': TELL,
    'draining, by a check': TELL,
    draining: TELL,
    'draining, leader gone': TELL_REST,
    stopping: KILL,
    'sweeping, told': KILL,
    'any killing': KILL,
    backoff: SPAWN,
  },
  spawned: { spawning: 'starting' },
  spawn_failed: { spawning: 'backoff: forget' },
  exited: {
    'any starting': 'sweeping: survey',
    'any running': 'sweeping: survey',
    'any draining': 'draining: survey',
    'draining, leader gone': 'nothing',
    stopping: 'sweeping: survey',
    killing: 'killing: survey',
  },
  'tree, 2 left': { sweeping: TELL_REST },
  'tree, none left': {
    'draining, leader gone': 'stopped: forget',
    'any sweeping': 'backoff: forget',
    'killing, leader gone': 'stopped: forget',
  },
  'checked ready, no': {},
  'checked ready, yes': { 'starting, ready by a check': 'running' },
  'checked log, yes': { 'starting, ready by its log': 'running' },
  'checked health, no': { 'running, with health': ASK, 'running, unhealthy': 'noted' },
  'checked health, yes': { 'running, with health': 'noted', 'running, unhealthy': 'noted' },
  'checked drain, no': {},
  'checked drain, yes': { 'draining, by a check': 'draining: survey' },
  'measured, little': { 'running, worn': 'noted' },
  'measured, much': {},
  'hooked pre_start, well': { preparing: SPAWN, 'preparing, to end': 'stopped' },
  'hooked pre_start, badly': { preparing: 'backoff', 'preparing, to end': 'stopped' },
  'hooked post_start, well': { 'starting, post_start runs': 'running' },
  'hooked post_start, badly': { 'starting, post_start runs': ASK },
  'hooked pre_drain, well': { 'draining, not asked yet': ASK },
  'hooked pre_drain, badly': { 'draining, not asked yet': ASK },
  'hooked post_stop, well': { cleaning: 'backoff' },
  'hooked post_stop, badly': { cleaning: 'backoff' },
  'says nothing new': {},
  'says a status': {
    'any starting': 'noted',
    'any running': 'noted',
    'any draining': 'noted',
    stopping: 'noted',
    'any sweeping': 'noted',
    'any killing': 'noted',
  },
  'says WATCHDOG=1': { 'running, watched': 'noted' },
  'says WATCHDOG=trigger': { 'any running': TELL },
  'says a watchdog of its own': {
    'any starting': 'noted',
    'any running': 'noted',
    'any draining': 'noted',
    stopping: 'noted',
    'any sweeping': 'noted',
    'any killing': 'noted',
  },
  'says ready': {},
  'says drained': {
    'any starting': 'noted',
    'any running': 'noted',
    'any draining': 'noted',
    stopping: 'noted',
    'any sweeping': 'noted',
    'any killing': 'noted',
  },
  'exited, of an earlier run': {},
};

for (const [event, make] of Object.entries(EVENTS)) {
  for (const [phase, reach] of Object.entries(PHASES)) {
    const kind = phase.split(',')[0];
    const expected = TABLE[event]?.[phase] ?? TABLE[event]?.[`any ${kind}`] ?? 'nothing';
    test(`${phase} + ${event} = ${expected}`, () => {
      const bench = reach();
      const taken = make(bench);
      const before = bench.instance;
      const effects = bench.take(taken);
      expect(outcome(before, bench, effects)).toBe(expected);
    });
  }
}

/** "nothing" is the very same instance and no effect, not even news. */
function outcome(before: Instance, bench: Bench, effects: readonly InstanceEffect[]): string {
  if (bench.instance === before && effects.length === 0) return 'nothing';
  const now = summary(bench.phase.kind, effects);
  return now === before.phase.kind ? 'noted' : now;
}

function checked(bench: Bench, purpose: 'ready' | 'log' | 'health' | 'drain', ok: boolean): InstanceEvent {
  return { type: 'checked', run: bench.run, purpose, ok, detail: '' };
}
function started(): Bench {
  return having(new Bench(), (b) => b.start());
}
function spawned(): Bench {
  return having(started(), (b) => b.spawned());
}
function having(bench: Bench | undefined, act: (bench: Bench) => void): Bench {
  if (bench === undefined) throw new Error('no such phase');
  act(bench);
  return bench;
}
