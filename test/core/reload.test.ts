/** reload: the config as it stands now, applied to what runs; only what has changed is touched. */
import { describe, expect, test } from 'vitest';
import { programName, revision } from '../../src/base/ids.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { BEGIN, type Change, Fleets, program, worker } from './rig.ts';

const named = (name: string, change: Change = {}): ProgramPlan =>
  program({ name: programName(name), ...change });
const two = (change: Change): ProgramPlan => program({ revision: revision('two'), ...change });
const planOf = (fleets: Fleets, index = 0): ProgramPlan => {
  const { phase } = fleets.seat(index);
  if (!('body' in phase)) throw new Error('no process');
  return phase.body.life.program;
};
const counts = (fleets: Fleets): unknown[] =>
  fleets.effects.flatMap((effect) =>
    effect.type === 'record' && effect.what.kind === 'count' ? [effect.what] : [],
  );

test('of the same config changes nothing at all', () => {
  const fleets = new Fleets([program({ instances: 3 }), named('other')]).allReady();
  expect(fleets.reload(program({ instances: 3 }), named('other')).effects).toEqual([]);
});

describe('a key that is live', () => {
  test('takes effect for the run that there is, without a signal', () => {
    const fleets = new Fleets([program()]).allReady().reload(two({ restart: 'never' }));
    expect(fleets.signals()).toBe('');
    expect(planOf(fleets)).toMatchObject({ restart: 'never', revision: 'two' });
    expect(fleets.gone(0, 1).kinds()).toBe('failed');
  });

  test('success_exit_codes and backoff decide about the end of a run that began before', () => {
    const fleets = new Fleets([program({ restart: 'on_failure' })]).allReady();
    fleets.reload(two({ restart: 'on_failure', successExitCodes: [3] }));
    expect(fleets.gone(0, 3).kinds()).toBe('exited');
    const patient = new Fleets([program()])
      .allReady()
      .reload(two({ backoff: { initialMs: 777 } }))
      .gone(0, 1);
    expect(patient.timers.get('instance worker:0')).toBe(patient.now + 777);
  });

  test('max_age moves the timer, health begins to be asked', () => {
    const health = {
      check: { kind: 'tcp', host: 'h', port: '1' },
      intervalMs: 5,
      timeoutMs: 5,
      failures: 1,
      action: 'none',
    } as const;
    const fleets = new Fleets([program()]).allReady().reload(two({ maxAgeMs: 9000, health }));
    expect(fleets.timers.get('instance worker:0')).toBe(9000);
    expect(fleets.deeds()).toBe('watch health of worker:0');
  });

  test('a changed health check is asked instead of the old one', () => {
    const health = (port: string) =>
      ({
        check: { kind: 'tcp', host: 'h', port },
        intervalMs: 5,
        timeoutMs: 5,
        failures: 1,
        action: 'none',
      }) as const;
    const fleets = new Fleets([program({ health: health('1') })])
      .allReady()
      .reload(two({ health: health('2') }));
    expect(fleets.deeds()).toBe('unwatch health of worker:0, watch health of worker:0');
  });

  test('during a rolling restart is not undone by the turns that are to come', () => {
    const target = two({ instances: 2 });
    const fleets = new Fleets([program({ instances: 2 })]).allReady();
    fleets.take({ ...BEGIN, program: target, ids: fleets.ids(), maxParallel: 1 });
    fleets.reload(program({ instances: 2, revision: revision('three'), maxAgeMs: 5000 }));
    expect(fleets.gone(0).seat(0).phase).toMatchObject({ life: { program: { maxAgeMs: 5000 } } });
    expect(fleets.seat(1).program.maxAgeMs).toBe(5000);
    fleets.ready(0);
    fleets.now += 500;
    for (const id of fleets.fleet.rollouts.keys()) fleets.due({ of: 'rollout', id });
    expect(fleets.kinds()).toBe('running draining');
    expect(fleets.seat(1).program.maxAgeMs).toBe(5000);
  });
});

describe('a key of the next start', () => {
  test('leaves the run that there is with what it was started with', () => {
    const fleets = new Fleets([program()]).allReady();
    fleets.reload(two({ stop: { signal: 'QUIT', timeoutMs: 9 }, drain: { signal: 'INT' } }));
    expect(fleets.signals()).toBe('');
    expect(planOf(fleets)).toMatchObject({ revision: 'one', stop: { signal: 'TERM', timeoutMs: 200 } });
    expect(fleets.stop(0).signals()).toBe('USR1→worker:0');
    fleets.start().gone(0).ready(0);
    expect(planOf(fleets)).toMatchObject({ revision: 'two', stop: { signal: 'QUIT' } });
  });

  test('a live key beside it takes effect, and the revision stays that of the run', () => {
    const fleets = new Fleets([program()])
      .allReady()
      .reload(two({ restart: 'never', stop: { timeoutMs: 9 } }));
    expect(planOf(fleets)).toMatchObject({ revision: 'one', restart: 'never', stop: { timeoutMs: 200 } });
  });
});

test('a key of the next start that changes during a rolling restart reaches the turns that are to come', () => {
  const target = two({ instances: 2 });
  const fleets = new Fleets([program({ instances: 2 })]).allReady();
  fleets.take({ ...BEGIN, program: target, ids: fleets.ids(), maxParallel: 1 });
  fleets.reload(two({ instances: 2, revision: revision('three'), stop: { signal: 'QUIT' } }));
  fleets.gone(0).ready(0);
  fleets.now += 500;
  for (const id of fleets.fleet.rollouts.keys()) fleets.due({ of: 'rollout', id });
  fleets.gone(1);
  for (const index of [0, 1]) {
    const { phase } = fleets.seat(index);
    expect(phase, `${index}`).toMatchObject(
      index === 0
        ? { body: { life: { program: { revision: 'three', stop: { signal: 'QUIT' } } } } }
        : { life: { program: { revision: 'three', stop: { signal: 'QUIT' } } } },
    );
  }
});

describe('a key that needs a rolling restart', () => {
  test('is left to that: a crash before its turn starts again with what ran', () => {
    const fleets = new Fleets([program()])
      .allReady()
      .reload(two({ command: ['two'], restart: 'on_failure' }));
    expect(fleets.signals()).toBe('');
    expect(fleets.fleet.programs.get(programName('worker'))?.command).toEqual(['two']);
    fleets.gone(0, 1).ring(0, 100);
    expect(fleets.seat(0).phase).toMatchObject({
      life: { program: { command: ['worker'], restart: 'on_failure' } },
    });
  });

  test('is taken at once by who is down', () => {
    const fleets = new Fleets([program()])
      .allReady()
      .stop(0)
      .gone(0)
      .reload(two({ command: ['two'] }));
    expect(fleets.kinds()).toBe('stopped');
    expect(fleets.start().seat(0).phase).toMatchObject({ life: { program: { command: ['two'] } } });
  });
});

describe('a number', () => {
  test('that grew adds the rest, that shrank drains the rest, and nobody else is touched', () => {
    const fleets = new Fleets([program({ instances: 2 })]).allReady();
    const [first] = [fleets.runOf(0)];
    fleets.reload(program({ instances: 3 }));
    expect(fleets.kinds()).toBe('running running spawning');
    fleets.ready(2).reload(program({ instances: 1 }));
    expect(fleets.signals()).toBe('USR1→worker:2 USR1→worker:1');
    expect(fleets.runOf(0)).toBe(first);
  });

  test('that the operator has given stays until the config has another', () => {
    const fleets = new Fleets([program({ instances: 2 })]).allReady().scale(3).ready(2);
    expect(fleets.reload(two({ instances: 2, restart: 'never' })).ids()).toHaveLength(3);
    fleets.reload(two({ instances: 4, restart: 'never' }));
    expect(fleets.kinds()).toBe('running running running spawning');
    expect(counts(fleets)).toEqual([{ kind: 'count', program: 'worker', instances: null }]);
  });

  test('that grew starts nobody where the operator has stopped the program', () => {
    const fleets = new Fleets([program()])
      .allReady()
      .stop(0)
      .gone(0)
      .reload(program({ instances: 2 }));
    expect(fleets.kinds()).toBe('stopped stopped');
    expect(fleets.seat(1).wish.because).toBe('operator');
  });

  test('and a key that needs a new run change together: the new ones have the new plan', () => {
    const fleets = new Fleets([program()]).allReady().reload(two({ instances: 2, command: ['two'] }));
    expect(fleets.seat(0).program.command).toEqual(['worker']);
    expect(fleets.seat(1).phase).toMatchObject({ kind: 'spawning', life: { program: { command: ['two'] } } });
  });
});

describe('a program that is new', () => {
  test('is started, with what it needs, and takes its place in the order of the file', () => {
    const fleets = new Fleets([named('a'), named('c')]).allReady();
    fleets.reload(named('a'), named('b'), named('c'));
    expect(fleets.kindOf('b')).toBe('spawning');
    expect([...fleets.fleet.programs.keys()]).toEqual(['a', 'b', 'c']);
  });

  test('is not, where it has autostart: false', () => {
    const fleets = new Fleets([program()]).allReady().reload(program(), named('b', { autostart: false }));
    expect(fleets.kindOf('b')).toBe('stopped');
  });
});

describe('a program that is gone from the config', () => {
  test('is drained, dropped when nothing of it is left, and started by nobody meanwhile', () => {
    const fleets = new Fleets([program({ instances: 2 }), named('other')]).allReady().reload(named('other'));
    expect(fleets.kinds()).toBe('draining draining running');
    expect(fleets.seat(0).wish).toEqual({ want: 'down', because: 'reload' });
    fleets.start().gone(0, 1).gone(1);
    expect(fleets.ids()).toEqual(['other:0']);
  });

  test('its operator’s count goes with it', () => {
    const fleets = new Fleets([program()]).allReady().scale(2).reload();
    expect(counts(fleets)).toEqual([{ kind: 'count', program: 'worker', instances: null }]);
  });

  test('and comes back before it is gone: it runs anew when the last run has ended, with the new plan', () => {
    const fleets = new Fleets([program()])
      .allReady()
      .reload()
      .reload(two({ command: ['two'] }));
    expect(fleets.kinds()).toBe('draining');
    expect(fleets.gone(0).seat(0).phase).toMatchObject({
      kind: 'spawning',
      life: { program: { command: ['two'] } },
    });
  });

  test('a rollout of it ends', () => {
    const fleets = new Fleets([program({ instances: 2 })]).allReady();
    fleets.take({
      ...BEGIN,
      program: program({ instances: 2 }),
      ids: fleets.ids(),
      maxParallel: 1,
    });
    fleets.reload().gone(0).gone(1);
    expect([...fleets.fleet.rollouts.values()]).toMatchObject([{ state: 'aborted' }]);
    expect(fleets.ids()).toEqual([]);
  });
});

test('starts nothing that the operator had stopped, whatever has changed', () => {
  const fleets = new Fleets([program({ instances: 2 })]).allReady().stop(1).gone(1);
  fleets.reload(two({ instances: 2, restart: 'on_failure', command: ['two'], autostart: true }));
  expect(fleets.kinds()).toBe('running stopped');
  expect(fleets.seat(1).wish).toEqual({ want: 'down', because: 'operator' });
});

test('the time that a shutdown has is the one of the new config', () => {
  const fleets = new Fleets([
    program({ essential: true, backoff: { giveUpAfter: 1 } }),
    named('other'),
  ]).allReady();
  const programs = [...fleets.fleet.programs.values()];
  fleets.take({ type: 'reload', programs, shutdownTimeoutMs: 70 }).gone(0, 1);
  expect(fleets.timers.get('shutdown')).toBe(fleets.now + 70);
});

test('on the way down nothing is reloaded', () => {
  const fleets = new Fleets([program()]).allReady().take({ type: 'shutdown', how: 'drain', timeoutMs: null });
  expect(fleets.reload(program({ instances: 5 })).effects).toEqual([]);
});

test('take_plan gives those who are down what they start with', () => {
  const fleets = new Fleets([program()]).take({ type: 'take_plan', program: two({}), ids: [worker(0)] });
  expect(fleets.kinds()).toBe('stopped');
  expect(fleets.seat(0).program.revision).toBe('two');
});
