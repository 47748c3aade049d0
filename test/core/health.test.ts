/** Health checks: from how many failures on it is unhealthy, what is done about it, and who is told. */
import { describe, expect, test } from 'vitest';
import type { HealthPlan } from '../../src/core/plan.ts';
import { BEGIN, Bench, Fleets, newsIn, program, summary } from './rig.ts';

const HEALTH: HealthPlan = {
  check: { kind: 'tcp', host: '127.0.0.1', port: '80' },
  intervalMs: 100,
  timeoutMs: 10,
  failures: 3,
  action: 'restart',
};
const withHealth = (change: Partial<HealthPlan> = {}) => program({ health: { ...HEALTH, ...change } });
const only = withHealth({ action: 'none' });
const told = (bench: Bench, effects: ReturnType<Bench['take']>): string => summary(bench.phase.kind, effects);
const fails = (bench: Bench, times: number): void => {
  for (let i = 0; i < times; i++) bench.checked('health', false);
};
const healthOf = (bench: Bench): unknown => (bench.phase.kind === 'running' ? bench.phase.health.ok : 'none');

describe('how many failures in a row', () => {
  test('fewer than the limit say nothing', () => {
    const bench = new Bench(withHealth()).running();
    fails(bench, 2);
    expect(healthOf(bench)).toBeNull();
    expect(bench.phase).toMatchObject({ health: { failures: 2, why: 'connection refused' } });
  });

  test('a success between them lets the count begin anew', () => {
    const bench = new Bench(withHealth()).running();
    fails(bench, 2);
    bench.checked('health');
    fails(bench, 2);
    expect(bench.phase).toMatchObject({ kind: 'running', health: { ok: true, failures: 2 } });
  });

  test('a success after a success is no change at all', () => {
    const bench = new Bench(withHealth()).running();
    bench.checked('health');
    const { instance } = bench;
    expect(bench.checked('health')).toEqual([]);
    expect(bench.instance).toBe(instance);
  });
});

describe('action: restart', () => {
  test('drains first, and then it is as after a crash', () => {
    const bench = new Bench(withHealth()).running();
    bench.checked('health');
    fails(bench, 2);
    const effects = bench.checked('health', false);
    expect(told(bench, effects)).toBe('draining: USR1→leader');
    expect(newsIn(effects)[0]).toBe('health');
    bench.code(0);
    bench.tree(0);
    expect(bench.phase).toMatchObject({ kind: 'backoff', because: 'unhealthy' });
    expect(bench.phase).toHaveProperty('why', 'was unhealthy: connection refused (after 50ms)');
    expect(bench.instance).toMatchObject({ failures: 1, lastExit: { because: 'unhealthy', drained: true } });
  });

  test('a drain of that kind that takes too long goes on to stop', () => {
    const bench = new Bench(withHealth({ failures: 1 })).running();
    fails(bench, 1);
    expect(told(bench, bench.after(300))).toBe('stopping: TERM→leader');
  });

  test.each(['never', 'on_failure'] as const)(
    'with restart: %s as well: the check has asked for it',
    (restart) => {
      const bench = new Bench({ ...withHealth({ failures: 1 }), restart }).running();
      fails(bench, 1);
      bench.code(0);
      bench.tree(0);
      expect(bench.phase.kind).toBe('backoff');
    },
  );

  test('a run that was never healthy was no good stretch, however long it was there', () => {
    const bench = new Bench(withHealth({ failures: 1 })).running();
    for (const expected of ['backoff', 'backoff', 'failed']) {
      bench.now += 60_000;
      fails(bench, 1);
      bench.code(0);
      bench.tree(0);
      expect(bench.phase.kind).toBe(expected);
      bench.after(1000);
      bench.spawned();
      bench.after(50);
    }
  });

  test('a run that was healthy for long enough lets the count of failures begin anew', () => {
    const bench = new Bench(withHealth({ failures: 1 })).running();
    for (let i = 0; i < 5; i++) {
      bench.checked('health');
      bench.now += 60_000;
      fails(bench, 1);
      bench.code(0);
      bench.tree(0);
      expect(bench.instance.failures).toBe(1);
      bench.after(100);
      bench.spawned();
      bench.after(50);
    }
  });

  test("an operator's start during that drain is no failure: the next run begins at once", () => {
    const bench = new Bench(withHealth({ failures: 1 })).running();
    fails(bench, 1);
    bench.start();
    bench.code(0);
    expect(told(bench, bench.tree(0))).toBe('spawning: forget spawn');
  });
});

describe('action: none', () => {
  test('only tells, once when it falls ill and once when it is well', () => {
    const bench = new Bench(only).running();
    fails(bench, 2);
    expect(newsIn(bench.checked('health', false))).toEqual(['health']);
    expect(newsIn(bench.checked('health', false))).toEqual([]);
    expect(healthOf(bench)).toBe(false);
    expect(newsIn(bench.checked('health'))).toEqual(['health']);
    expect(healthOf(bench)).toBe(true);
  });

  test('changed to restart while it is unhealthy: its next failure drains it', () => {
    const bench = new Bench(only).running();
    fails(bench, 3);
    bench.take({ type: 'adjust', program: withHealth() });
    expect(told(bench, bench.checked('health', false))).toBe('draining: USR1→leader');
  });

  test('a health check that the config does not have any more leaves nobody unhealthy', () => {
    const fleets = new Fleets([only]).allReady();
    for (let i = 0; i < 3; i++) fleets.checked(0, false);
    fleets.reload(program());
    expect(fleets.deeds()).toBe('unwatch health of worker:0');
    expect(fleets.seat(0).phase).toMatchObject({ kind: 'running', health: { ok: null, failures: 0 } });
  });
});

describe('is asked', () => {
  test('only while it runs: neither while it starts nor while it drains', () => {
    const fleets = new Fleets([withHealth()]).start().spawned(0);
    expect(fleets.deeds()).toBe('');
    fleets.ring(0, 50);
    expect(fleets.deeds()).toBe('watch health of worker:0');
    fleets.stop(0);
    expect(fleets.deeds()).toBe('signal of worker:0, unwatch health of worker:0');
  });

  test('as its plan has it', () => {
    const fleets = new Fleets([withHealth()]).allReady();
    expect(fleets.effects).toContainEqual(
      expect.objectContaining({
        type: 'watch',
        watch: { purpose: 'health', check: HEALTH.check, everyMs: 100, tryMs: 10 },
      }),
    );
  });

  test('an answer that comes while it drains changes nothing', () => {
    const bench = new Bench(withHealth({ failures: 1 })).running();
    bench.stop();
    const { instance } = bench;
    expect(bench.checked('health', false)).toEqual([]);
    expect(bench.instance).toBe(instance);
  });
});

describe('in a rolling restart', () => {
  const four = { ...only, instances: 3 };
  const begin = (fleets: Fleets): Fleets =>
    fleets.take({ ...BEGIN, program: four, ids: fleets.ids(), maxParallel: 1 });
  const look = (fleets: Fleets, ms: number): Fleets => {
    fleets.now += ms;
    return fleets.due({ of: 'rollout', id: [...fleets.fleet.rollouts.keys()][0] ?? never() });
  };

  test('an unhealthy instance is taken first', () => {
    const fleets = new Fleets([four]).allReady();
    for (let i = 0; i < 3; i++) fleets.checked(2, false);
    begin(fleets);
    expect(fleets.kinds()).toBe('running running draining');
  });

  test('one that falls ill outside its turn is waited for', () => {
    const fleets = new Fleets([four]).allReady();
    for (let i = 0; i < 3; i++) fleets.checked(2, false);
    fleets.take({ ...BEGIN, program: four, ids: fleets.ids().slice(0, 2), maxParallel: 1 });
    expect(fleets.news('rollout').at(-1)).toMatchObject({ reason: 'waits for worker:2 to be healthy' });
    fleets.checked(2);
    expect(fleets.kinds()).toBe('draining running running');
  });

  test('a turn is done only after the first answer was good, however long it has been ready', () => {
    const fleets = begin(new Fleets([four]).allReady())
      .gone(0)
      .ready(0);
    look(fleets, 500);
    expect(fleets.kinds()).toBe('running running running');
    fleets.checked(0);
    expect(fleets.kinds()).toBe('running draining running');
  });

  test('a turn whose first good answer does not come fails at healthy_deadline', () => {
    const fleets = begin(new Fleets([four]).allReady())
      .gone(0)
      .ready(0);
    look(fleets, 500);
    expect(fleets.timers.has('rollout 1')).toBe(true);
    look(fleets, 1450);
    expect(fleets.news('rollout')).toMatchObject([
      { state: 'paused', reason: 'worker:0 was not healthy within 2s' },
    ]);
  });

  test('a replacement that falls ill before it has proved itself pauses it', () => {
    const fleets = begin(new Fleets([four]).allReady())
      .gone(0)
      .ready(0);
    for (let i = 0; i < 3; i++) fleets.checked(0, false);
    expect([...fleets.fleet.rollouts.values()]).toMatchObject([
      { state: 'paused', reason: 'worker:0 is unhealthy: 503' },
    ]);
  });
});

function never(): never {
  throw new Error('no rollout');
}
