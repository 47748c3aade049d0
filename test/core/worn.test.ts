/** max_memory and max_age: who is worn, and that one of a program at a time is replaced, never during a rollout. */
import { describe, expect, test } from 'vitest';
import { programName } from '../../src/base/ids.ts';
import { BEGIN, type Change, Fleets, program, worker } from './rig.ts';

const MB = 1024 * 1024;
const byMemory = (change: Change = {}) =>
  program({ instances: 3, maxMemory: { bytes: 100 * MB, forMs: 1000 }, ...change });
const byAge = (change: Change = {}) => program({ instances: 3, maxAgeMs: 10_000, ...change });
/** Above the limit for long enough. */
const swell = (fleets: Fleets, ...indexes: number[]): Fleets => {
  for (const index of indexes) fleets.measured(index, 120 * MB);
  fleets.now += 1000;
  for (const index of indexes) fleets.measured(index, 120 * MB);
  return fleets;
};
const begin = (fleets: Fleets, plan = byMemory()): Fleets =>
  fleets.take({ ...BEGIN, program: plan, ids: [worker(0)], maxParallel: 1 });

describe('max_memory', () => {
  test('above it for long enough: drained and replaced, and the reason is told', () => {
    const fleets = swell(new Fleets([byMemory()]).allReady(), 1);
    expect(fleets.kinds()).toBe('running draining running');
    expect(fleets.news('worn')).toMatchObject([
      { id: 'worker:1', why: 'memory', detail: 'uses 120MB of 100MB' },
    ]);
    fleets.gone(1);
    expect(fleets.kinds()).toBe('running spawning running');
    expect(fleets.seat(1)).toMatchObject({ failures: 0, lastExit: { because: 'memory', drained: true } });
  });

  test('a peak that is over before that is forgotten', () => {
    const fleets = new Fleets([byMemory()]).allReady().measured(0, 120 * MB);
    fleets.now += 900;
    fleets.measured(0, 80 * MB);
    fleets.now += 900;
    fleets.measured(0, 120 * MB);
    fleets.now += 999;
    expect(fleets.measured(0, 120 * MB).kinds()).toBe('running running running');
    fleets.now += 1;
    expect(fleets.measured(0, 120 * MB).kinds()).toBe('draining running running');
  });

  test('for: 0 does not wait', () => {
    const fleets = new Fleets([byMemory({ maxMemory: { bytes: 1, forMs: 0 } })]).allReady();
    expect(fleets.measured(0, 2).kinds()).toBe('draining running running');
  });

  test('exactly at the limit is not above it', () => {
    const fleets = new Fleets([byMemory({ maxMemory: { bytes: 100, forMs: 0 } })]).allReady();
    expect(fleets.measured(0, 100).effects).toEqual([]);
  });

  test('what is measured while it drains changes nothing', () => {
    const fleets = new Fleets([byMemory()]).allReady().stop(0);
    expect(fleets.measured(0, 999 * MB).effects).toEqual([]);
  });

  test('is looked at while it runs, often enough to see that it is above for so long', () => {
    const fleets = new Fleets([byMemory({ instances: 1 })]).allReady();
    expect(fleets.effects).toContainEqual(
      expect.objectContaining({ type: 'watch', watch: { purpose: 'memory', everyMs: 333 } }),
    );
  });
});

describe('max_age', () => {
  test('a run that is older is drained and replaced; its age counts from its spawn', () => {
    const fleets = new Fleets([byAge({ instances: 1 })]).allReady();
    expect(fleets.timers.get('instance worker:0')).toBe(10_000);
    fleets.now = 9999;
    fleets.due({ of: 'instance', id: worker(0) });
    expect(fleets.kinds()).toBe('running');
    fleets.ring(0, 1);
    expect(fleets.kinds()).toBe('draining');
    expect(fleets.news('worn')).toMatchObject([{ why: 'age', detail: 'has run for 10s' }]);
    fleets.gone(0);
    expect(fleets.seat(0).lastExit).toMatchObject({ because: 'age' });
  });

  test('one that waits for its turn has no timer that rings again and again', () => {
    const fleets = new Fleets([byAge({ instances: 2 })]).allReady();
    fleets.now = 10_000;
    fleets.due({ of: 'instance', id: worker(0) });
    fleets.ring(1, 100);
    expect(fleets.kinds()).toBe('draining running');
    expect(fleets.timers.has('instance worker:1')).toBe(false);
  });
});

describe('one at a time', () => {
  test('all three are worn: each is replaced when the last one works again', () => {
    const fleets = swell(new Fleets([byMemory()]).allReady(), 0, 1, 2);
    expect(fleets.kinds()).toBe('draining running running');
    fleets.gone(0);
    expect(fleets.kinds()).toBe('spawning running running');
    fleets.ready(0);
    expect(fleets.kinds()).toBe('running draining running');
    fleets.gone(1).ready(1);
    expect(fleets.kinds()).toBe('running running draining');
    fleets.gone(2).ready(2);
    expect(fleets.kinds()).toBe('running running running');
  });

  test('another that is away for its own reasons is waited for', () => {
    const fleets = swell(new Fleets([byMemory()]).allReady().gone(2, 1), 0);
    expect(fleets.kinds()).toBe('running running backoff');
    fleets.ring(2, 0).ready(2);
    expect(fleets.kinds()).toBe('draining running running');
  });

  test('one that the operator has stopped, or that was given up, is not waited for', () => {
    const fleets = new Fleets([byMemory({ backoff: { giveUpAfter: 1 } })]).allReady();
    fleets.stop(1).gone(1).gone(2, 1);
    expect(swell(fleets, 0).kinds()).toBe('draining stopped failed');
  });

  test('one that is no longer above the limit when its turn comes is left alone', () => {
    const fleets = swell(new Fleets([byMemory()]).allReady(), 0, 1);
    fleets.measured(1, 50 * MB);
    fleets.gone(0).ready(0);
    expect(fleets.kinds()).toBe('running running running');
  });

  test('those of a schedule that wait for their time are not away', () => {
    const schedule = { cron: '* * * * *', timezone: null, overlap: 'skip' } as const;
    const fleets = new Fleets([byMemory({ schedule, restart: 'never' })]).start();
    fleets.scheduled().ready(0).ready(1).ready(2).gone(1).gone(2);
    expect(swell(fleets, 0).kinds()).toBe('draining waiting waiting');
  });
});

describe('during a rollout', () => {
  test('nobody is replaced for it, and who is still worn is afterwards', () => {
    const fleets = begin(new Fleets([byMemory()]).allReady());
    expect(swell(fleets, 1, 2).kinds()).toBe('draining running running');
    fleets.gone(0).ready(0);
    expect(fleets.kinds()).toBe('running running running');
    fleets.now += 500;
    fleets.due({ of: 'rollout', id: [...fleets.fleet.rollouts.keys()][0] ?? never() });
    expect([...fleets.fleet.rollouts.values()]).toMatchObject([{ state: 'succeeded' }]);
    expect(fleets.kinds()).toBe('running draining running');
  });

  test('not even while it is paused', () => {
    const fleets = new Fleets([byMemory()]).allReady();
    fleets.take({ ...BEGIN, program: byMemory(), ids: fleets.ids(), maxParallel: 1 });
    const [id] = fleets.fleet.rollouts.keys();
    fleets
      .take({ type: 'steer_rollout', id: id ?? never(), command: 'pause' })
      .gone(0)
      .ready(0);
    expect(swell(fleets, 2).kinds()).toBe('running running running');
    expect([...fleets.fleet.rollouts.values()]).toMatchObject([{ state: 'paused' }]);
  });

  test('one that is being replaced for it is waited for by a rollout that begins', () => {
    const fleets = swell(new Fleets([byMemory()]).allReady(), 2);
    begin(fleets);
    expect(fleets.kinds()).toBe('running running draining');
    fleets.gone(2).ready(2);
    expect(fleets.kinds()).toBe('draining running running');
  });
});

test('while its next run would have to wait, it works on; it is replaced when that is over', () => {
  const db = program({ name: programName('db') });
  const fleets = swell(
    new Fleets([db, byMemory({ dependsOn: Object.fromEntries([['db', 'ready']]) })]).allReady().gone('db', 1),
    0,
  );
  expect(fleets.kinds()).toBe('backoff running running running');
  fleets.ring('db', 100).ready('db');
  expect(fleets.kinds()).toBe('running draining running running');
});

describe('a limit that the config changes', () => {
  test('memory: how long it was above an earlier limit does not count for one that comes later', () => {
    const fleets = new Fleets([byMemory()]).allReady().measured(0, 120 * MB);
    fleets.reload(program({ instances: 3 })).now += 5000;
    fleets.reload(byMemory());
    expect(fleets.measured(0, 120 * MB).kinds()).toBe('running running running');
  });

  test('memory: without one nobody is worn any more', () => {
    const fleets = swell(new Fleets([byMemory()]).allReady(), 0, 1);
    fleets.reload(program({ instances: 3 }));
    expect(fleets.gone(0).ready(0).kinds()).toBe('running running running');
  });

  test('age: one that is older than the old limit, and not than the new one, stays; the timer follows', () => {
    const fleets = new Fleets([byAge({ instances: 2 })]).allReady();
    fleets.now = 10_000;
    fleets.due({ of: 'instance', id: worker(0) }).ring(1, 100);
    fleets.reload(byAge({ instances: 2, maxAgeMs: 60_000 }));
    expect(fleets.timers.get('instance worker:1')).toBe(60_000);
    expect(fleets.gone(0).ready(0).kinds()).toBe('running running');
  });
});

test('on the way down nobody is replaced', () => {
  const fleets = swell(new Fleets([byMemory()]).allReady(), 0, 1);
  fleets.take({ type: 'shutdown', how: 'drain', timeoutMs: null });
  fleets.gone(0).gone(1).gone(2);
  expect(fleets.kinds()).toBe('stopped stopped stopped');
});

function never(): never {
  throw new Error('no rollout');
}
