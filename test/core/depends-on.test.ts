/** depends_on: a run begins only when what it needs is there; what is lost later ends nobody. */
import { describe, expect, test } from 'vitest';
import { programName, revision } from '../../src/base/ids.ts';
import type { DependencyCondition, ProgramPlan } from '../../src/core/plan.ts';
import { BEGIN, type Change, Fleets, program, worker } from './rig.ts';

const named = (name: string, change: Change = {}): ProgramPlan =>
  program({ name: programName(name), ...change });
/** Names of programs are what they look like. */
const on = (names: Record<string, DependencyCondition>): ProgramPlan['dependsOn'] =>
  names as ProgramPlan['dependsOn'];
const needs = (names: Record<string, DependencyCondition>, change: Change = {}): ProgramPlan =>
  program({ dependsOn: on(names), ...change });
const why = (fleets: Fleets, which: string | number = 0): unknown => {
  const { phase } = fleets.seat(which);
  return phase.kind === 'waiting' ? phase.what : phase.kind;
};

describe('a run waits until what it needs is', () => {
  test('started: every wanted instance has a process', () => {
    const fleets = new Fleets([named('redis', { instances: 2 }), needs({ redis: 'started' })]).start();
    expect(fleets.kinds()).toBe('spawning spawning waiting');
    fleets.spawned('redis:0');
    expect(why(fleets)).toMatchObject({ on: 'redis', condition: 'started', hopeless: false });
    fleets.spawned('redis:1');
    expect(fleets.kinds()).toBe('starting starting spawning');
  });

  test('started: what has run to a clean end has been started', () => {
    const migrate = named('migrate', { restart: 'never' });
    const fleets = new Fleets([migrate, needs({ migrate: 'started' })]).start();
    fleets.ready('migrate:0');
    fleets.gone(0, 1).gone('migrate:0').ring(0, 100);
    expect(fleets.kindOf(0)).toBe('spawning');
  });

  test('ready: every wanted instance runs', () => {
    const fleets = new Fleets([named('redis', { instances: 2 }), needs({ redis: 'ready' })]).start();
    fleets.ready('redis:0').spawned('redis:1');
    expect(why(fleets)).toMatchObject({ why: 'redis:1 is starting' });
    fleets.ring('redis:1', 50);
    expect(fleets.kindOf(0)).toBe('spawning');
  });

  test('ready: and is not unhealthy', () => {
    const check = { kind: 'tcp', host: 'h', port: '1' } as const;
    const health = { check, intervalMs: 1, timeoutMs: 1, failures: 1, action: 'none' } as const;
    const fleets = new Fleets([named('redis', { health }), needs({ redis: 'ready' })]).allReady();
    fleets.gone(0, 1).checked('redis', false).ring(0, 100);
    expect(why(fleets)).toMatchObject({ why: 'redis:0 is unhealthy' });
    fleets.checked('redis');
    expect(fleets.kindOf(0)).toBe('spawning');
  });

  test('completed: every instance has ended with a clean exit', () => {
    const migrate = named('migrate', { instances: 2, restart: 'never' });
    const fleets = new Fleets([migrate, needs({ migrate: 'completed' })]).start();
    fleets.ready('migrate:0').ready('migrate:1').gone('migrate:0');
    expect(why(fleets)).toMatchObject({ condition: 'completed', why: 'migrate:1 is running' });
    fleets.gone('migrate:1');
    expect(fleets.kindOf(0)).toBe('spawning');
  });

  test('all of it, one after the other: it says what it waits for now', () => {
    const fleets = new Fleets([named('a'), named('b'), needs({ a: 'ready', b: 'ready' })]).start();
    expect(why(fleets)).toMatchObject({ on: 'a' });
    fleets.ready('a');
    expect(why(fleets)).toMatchObject({ on: 'b' });
    fleets.ready('b');
    expect(fleets.kindOf(0)).toBe('spawning');
  });

  test('through a chain, each level when the one below is ready', () => {
    const fleets = new Fleets([
      needs({ b: 'ready' }),
      named('b', { dependsOn: on({ a: 'ready' }) }),
      named('a'),
    ]).start();
    expect(fleets.kinds()).toBe('waiting waiting spawning');
    fleets.ready('a');
    expect(fleets.kinds()).toBe('waiting spawning running');
    fleets.ready('b');
    expect(fleets.kinds()).toBe('spawning running running');
  });
});

describe('each run waits, not only the first', () => {
  const both = (): Fleets => new Fleets([named('redis'), needs({ redis: 'ready' })]).allReady();

  test('a restart after a crash', () => {
    const fleets = both().gone('redis', 1).gone(0, 1).ring(0, 100);
    expect(why(fleets)).toMatchObject({ why: 'redis:0 is backoff' });
    fleets.ring('redis', 0).ready('redis');
    expect(fleets.kindOf(0)).toBe('spawning');
  });

  test('a replacement', () => {
    const fleets = both().restart(0).gone('redis', 1).gone(0);
    expect(fleets.kindOf(0)).toBe('waiting');
  });

  test('one that is stopped while it waits is stopped, and nothing begins afterwards', () => {
    const fleets = both().gone('redis', 1).gone(0, 1).ring(0, 100).stop(0);
    expect(fleets.kindOf(0)).toBe('stopped');
    fleets.ring('redis', 100).ready('redis');
    expect(fleets.kindOf(0)).toBe('stopped');
  });

  test('the number of failures is not forgotten by waiting', () => {
    const fleets = both().gone('redis', 1).gone(0, 1).ring(0, 100);
    fleets.ring('redis', 0).ready('redis').ready(0).gone(0, 1);
    expect(fleets.seat(0).failures).toBe(2);
  });
});

describe('what is lost later', () => {
  const both = (condition: DependencyCondition = 'ready'): Fleets =>
    new Fleets([named('redis'), needs({ redis: condition }, { instances: 2 })]).allReady();

  test('ends nobody: no job is interrupted; it is told once, and once when it is back', () => {
    const fleets = both().exited('redis', 1);
    expect(fleets.kinds()).toBe('sweeping running running');
    expect(fleets.signals()).toBe('');
    expect(fleets.news('dependency')).toEqual([
      { type: 'dependency', program: 'worker', on: 'redis', lost: true },
    ]);
    expect(fleets.tree('redis').news('dependency')).toEqual([]);
    fleets.ring('redis', 100).ready('redis');
    expect(fleets.news('dependency')).toMatchObject([{ lost: false }]);
  });

  test("by an operator's stop as well", () => {
    const fleets = both().stop('redis');
    expect(fleets.kinds()).toBe('draining running running');
    expect(fleets.news('dependency')).toMatchObject([{ lost: true }]);
  });

  test('is not told where nobody runs who needs it, nor on the way down', () => {
    const fleets = both().stop(0).stop(1).gone(0).gone(1).exited('redis', 1);
    expect(fleets.news('dependency')).toEqual([]);
    const down = both().take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect(down.gone(0).gone(1).gone('redis').news('dependency')).toEqual([]);
  });

  test('started is not lost by what is only unready', () => {
    const fleets = both('started').restart('redis');
    expect(fleets.news('dependency')).toHaveLength(1);
    fleets.gone('redis').spawned('redis');
    expect(fleets.news('dependency')).toMatchObject([{ lost: false }]);
  });
});

describe('hopeless is what will not come by itself', () => {
  test.each<[string, Change, (fleets: Fleets) => unknown, string]>([
    [
      'given up',
      { backoff: { giveUpAfter: 1 } },
      (f) => f.spawned('redis').gone('redis', 1),
      'redis:0 is failed',
    ],
    ['ended', { restart: 'never' }, (f) => f.spawned('redis').gone('redis', 0), 'redis:0 is exited'],
    [
      'stopped by the operator',
      {},
      (f) => f.stop('redis').spawned('redis').gone('redis'),
      'redis was stopped by the operator',
    ],
    [
      'scaled to nothing',
      {},
      (f) => f.scale(0, 'redis').spawned('redis').gone('redis'),
      'there is no instance of redis',
    ],
  ])('%s: it is said, and somebody who acts ends the wait', (_, change, act, text) => {
    const fleets = new Fleets([named('redis', change), needs({ redis: 'ready' })]).start();
    act(fleets);
    expect(why(fleets)).toMatchObject({ hopeless: true, why: text });
    fleets.scale(1, 'redis');
    fleets.take({
      type: 'start',
      ids: fleets.ids().filter((id) => id.startsWith('redis')),
      because: 'operator',
    });
    fleets.ready('redis');
    expect(fleets.kindOf(0)).toBe('spawning');
  });

  test('what waits for something hopeless is hopeless itself', () => {
    const fleets = new Fleets([
      named('a', { restart: 'never' }),
      named('b', { dependsOn: on({ a: 'ready' }) }),
      needs({ b: 'started' }),
    ]);
    fleets.start().spawned('a').gone('a', 1);
    expect(why(fleets)).toMatchObject({ why: 'b:0 is waiting', hopeless: true });
  });
});

describe('start', () => {
  const plans = [
    named('redis', { autostart: false }),
    named('other', { autostart: false }),
    needs({ redis: 'ready' }),
  ];
  const startWorker = (fleets: Fleets): Fleets =>
    fleets.take({
      type: 'start',
      ids: fleets.ids().filter((id) => id.startsWith('worker')),
      because: 'operator',
    });

  test('of one also starts what it needs, and nothing else', () => {
    const fleets = startWorker(new Fleets(plans));
    expect(fleets.kinds()).toBe('spawning stopped waiting');
    expect(fleets.seat('redis').wish).toEqual({ want: 'up', because: 'dependency' });
  });

  test('and what that needs', () => {
    const fleets = startWorker(
      new Fleets([named('a'), named('b', { dependsOn: on({ a: 'ready' }) }), needs({ b: 'ready' })]),
    );
    expect(fleets.kinds()).toBe('spawning waiting waiting');
  });

  test('unless the operator has stopped that: then it waits', () => {
    const fleets = new Fleets(plans)
      .start()
      .ready('redis')
      .ready(0)
      .stop('redis')
      .gone('redis')
      .stop(0)
      .gone(0);
    startWorker(fleets);
    expect(fleets.kindOf('redis')).toBe('stopped');
    expect(why(fleets)).toMatchObject({ why: 'redis was stopped by the operator', hopeless: true });
  });

  test('a restart of one that is down does so as well', () => {
    const fleets = new Fleets(plans);
    fleets.restart(0);
    expect(fleets.kinds()).toBe('spawning stopped waiting');
  });
});

describe('a restart with a plan that needs something new', () => {
  const fresh = needs({ redis: 'ready' }, { revision: revision('two') });

  test('takes that first where both are restarted: nobody begins on what is about to end', () => {
    const fleets = new Fleets([program(), named('redis')]).allReady().gone(0, 1);
    const ids = [worker(0), ...fleets.ids().filter((id) => id.startsWith('redis'))];
    fleets.take({ type: 'restart', ids, programs: [fresh] });
    expect(fleets.kinds()).toBe('waiting draining');
    fleets.gone('redis').ready('redis');
    expect(fleets.kinds()).toBe('spawning running');
  });

  test('starts that along with one that was down', () => {
    const fleets = new Fleets([program(), named('redis')]);
    fleets.restart(0, fresh);
    expect(fleets.kinds()).toBe('waiting spawning');
  });
});

describe('during a rolling restart of what is needed', () => {
  const redis = named('redis', { instances: 2 });
  const rolling = (plan = redis): Fleets => {
    const fleets = new Fleets([plan, needs({ redis: 'ready' })]).allReady();
    const ids = fleets.ids().filter((id) => id.startsWith('redis'));
    return fleets.take({ ...BEGIN, program: plan, ids, maxParallel: 1 });
  };

  test('the instance in its turn is excused while another one works', () => {
    const fleets = rolling();
    expect(fleets.news('dependency')).toEqual([]);
    fleets.gone(0, 1).ring(0, 100);
    expect(fleets.kindOf(0)).toBe('spawning');
  });

  test('but not where there is no other', () => {
    const fleets = rolling({ ...redis, instances: 1 });
    expect(fleets.news('dependency')).toMatchObject([{ lost: true }]);
    fleets.gone(0, 1).ring(0, 100);
    expect(fleets.kindOf(0)).toBe('waiting');
  });

  test('nor one that is away without having its turn', () => {
    const fleets = rolling().exited('redis:1', 1);
    expect(fleets.news('dependency')).toMatchObject([{ lost: true }]);
  });
});

describe('a rolling restart of what needs something', () => {
  const plan = needs({ redis: 'ready' }, { instances: 2 });
  const begin = (fleets: Fleets): Fleets => {
    const ids = fleets.ids().filter((id) => id.startsWith('worker'));
    return fleets.take({ ...BEGIN, program: plan, ids, maxParallel: 1 });
  };
  const state = (fleets: Fleets): unknown => [...fleets.fleet.rollouts.values()].at(-1);

  test('touches nobody while a replacement could not begin, says so, and goes on when it can', () => {
    const fleets = begin(new Fleets([named('redis'), plan]).allReady().gone('redis', 1));
    expect(fleets.kinds()).toBe('backoff running running');
    expect(state(fleets)).toMatchObject({ state: 'running', reason: 'waits for redis to be ready' });
    fleets.ring('redis', 100).ready('redis');
    expect(fleets.kinds()).toBe('running draining running');
  });

  test('a replacement that finds it stopped by the operator fails the turn, with the reason', () => {
    const fleets = begin(new Fleets([named('redis'), plan]).allReady())
      .stop('redis')
      .gone('redis')
      .gone(0);
    expect(state(fleets)).toMatchObject({
      state: 'paused',
      reason: 'worker:0 waits for redis: redis was stopped by the operator',
      blocker: { name: 'redis', is: 'needed' },
    });
  });
});

describe('verdicts', () => {
  test('are the same for all who ask, and worked out anew when something has changed', () => {
    const fleets = new Fleets([named('redis'), needs({ redis: 'ready' }, { instances: 50 })]).start();
    expect(fleets.kinds()).toMatch(/^spawning( waiting){50}$/);
    fleets.ready('redis');
    expect(fleets.kinds()).toMatch(/^running( spawning){50}$/);
  });

  test('a change that means nothing to those who wait leaves them alone', () => {
    const fleets = new Fleets([named('redis', { instances: 2 }), needs({ redis: 'ready' })])
      .start()
      .spawned('redis:0');
    const before = fleets.seat(0);
    fleets.says('redis:0', { status: 'loading' }).ring('redis:0', 50);
    expect(fleets.kindOf('redis:0')).toBe('running');
    expect(fleets.seat(0)).toBe(before);
  });

  test('what it is needed for may be taken out of the config: the wait is over', () => {
    const fleets = new Fleets([named('redis', { autostart: false }), needs({ redis: 'ready' })]);
    fleets
      .start()
      .stop('redis')
      .spawned('redis')
      .gone('redis')
      .reload(named('redis', { autostart: false }), program());
    expect(fleets.kindOf(0)).toBe('spawning');
  });
});
