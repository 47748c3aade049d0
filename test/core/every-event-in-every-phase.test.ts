/** The total table of one instance: each event in each phase, and what comes of it. "Nothing" is written down too. */
import { expect, test } from 'vitest';
import { pid, run } from '../../src/base/ids.ts';
import type { InstanceEvent } from '../../src/core/instance/event.ts';
import { Bench, program, summary } from './rig.ts';

const SPAWN = 'spawning: spawn';
const ASK = 'draining: USR1→leader';
const TELL = 'stopping: TERM→leader';
const TELL_REST = 'sweeping: TERM→tree';
const KILL = 'killing: KILL→tree survey';

const PHASES: Record<string, () => Bench> = {
  stopped: () => new Bench(),
  spawning: () => started(),
  starting: () => spawned(),
  running: () => new Bench().running(),
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
  replace: () => ({
    type: 'replace',
    because: 'rollout 7',
    program: program(),
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
  'says ready': (bench) => ({ type: 'notified', run: bench.run, message: { ready: true } }),
  'says drained': (bench) => ({ type: 'notified', run: bench.run, message: { drained: true } }),
  'exited, of an earlier run': (bench) => ({
    type: 'exited',
    run: run(bench.run + 1000),
    exit: { kind: 'code', code: 0 },
  }),
};
/** What differs from "nothing happens, the phase stays". */
const TABLE: Record<string, Record<string, string>> = {
  start: { stopped: SPAWN, backoff: SPAWN, exited: SPAWN, failed: SPAWN },
  'stop, drain': { starting: ASK, running: ASK, backoff: 'stopped', exited: 'stopped', failed: 'stopped' },
  'stop, now': {
    starting: TELL,
    running: TELL,
    draining: TELL,
    'draining, overdue': TELL,
    'draining, leader gone': TELL_REST,
    sweeping: TELL_REST,
    backoff: 'stopped',
    exited: 'stopped',
    failed: 'stopped',
  },
  'stop, kill': {
    starting: KILL,
    running: KILL,
    draining: KILL,
    'draining, leader gone': KILL,
    'draining, overdue': KILL,
    stopping: KILL,
    sweeping: KILL,
    'sweeping, told': KILL,
    killing: KILL,
    'killing, leader gone': KILL,
    backoff: 'stopped',
    exited: 'stopped',
    failed: 'stopped',
  },
  replace: { starting: ASK, running: ASK, backoff: SPAWN, exited: SPAWN, failed: SPAWN },
  grant: {},
  'due, too early': {},
  due: {
    starting: 'running',
    draining: TELL,
    'draining, leader gone': TELL_REST,
    stopping: KILL,
    'sweeping, told': KILL,
    killing: KILL,
    'killing, leader gone': KILL,
    backoff: SPAWN,
  },
  spawned: { spawning: 'starting' },
  spawn_failed: { spawning: 'backoff: forget' },
  exited: {
    starting: 'sweeping: survey',
    running: 'sweeping: survey',
    draining: 'draining: survey',
    'draining, overdue': 'draining: survey',
    stopping: 'sweeping: survey',
    killing: 'killing: survey',
  },
  'tree, 2 left': { sweeping: TELL_REST },
  'tree, none left': {
    'draining, leader gone': 'stopped: forget',
    sweeping: 'backoff: forget',
    'sweeping, told': 'backoff: forget',
    'killing, leader gone': 'stopped: forget',
  },
  'says ready': {},
  'says drained': {},
  'exited, of an earlier run': {},
};

for (const [event, make] of Object.entries(EVENTS)) {
  for (const [phase, reach] of Object.entries(PHASES)) {
    const stays = phase.split(',')[0] ?? phase;
    const expected = TABLE[event]?.[phase] ?? stays;
    test(`${phase} + ${event} = ${expected === stays ? 'nothing' : expected}`, () => {
      const bench = reach();
      const effects = bench.take(make(bench));
      expect(summary(bench.phase.kind, effects)).toBe(expected);
    });
  }
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
