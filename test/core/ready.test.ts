/** Ready by a check or by a line of its log; how long that may take, and what its answers mean elsewhere. */
import { describe, expect, test } from 'vitest';
import type { Check, ReadyPlan } from '../../src/core/plan.ts';
import { Bench, Fleets, hook, program, summary } from './rig.ts';

const check: Check = { kind: 'file', path: '/run/ready' };
const byCheck: ReadyPlan = { when: 'check', check, intervalMs: 20, timeoutMs: 100 };
const byLog: ReadyPlan = { when: 'log', pattern: { kind: 'text', text: 'listening' }, timeoutMs: 100 };
const told = (bench: Bench, effects: ReturnType<Bench['take']>): string => summary(bench.phase.kind, effects);
const starting = (ready: ReadyPlan): Bench => {
  const bench = new Bench(program({ ready }));
  bench.start();
  bench.spawned();
  return bench;
};

describe.each([
  ['check', byCheck, 'ready', 'log'],
  ['log', byLog, 'log', 'ready'],
] as const)('ready when: %s', (_, ready, purpose, other) => {
  test('the first yes makes it ready', () => {
    const bench = starting(ready);
    bench.now += 70;
    expect(told(bench, bench.checked(purpose))).toBe('running');
    expect(bench.phase).toMatchObject({ body: { readyAt: { mono: 70 } } });
  });

  test('a no is only "not yet", however many there are', () => {
    const bench = starting(ready);
    const { instance } = bench;
    for (let i = 0; i < 100; i++) expect(bench.checked(purpose, false)).toEqual([]);
    expect(bench.instance).toBe(instance);
  });

  test('nothing else makes it ready: no other answer, no READY=1, no time', () => {
    const bench = starting({ ...ready, timeoutMs: null });
    bench.checked(other);
    bench.checked('health');
    bench.checked('drain');
    bench.says({ ready: true });
    expect(told(bench, bench.after(1_000_000))).toBe('starting');
  });

  test('a time-out is a failure: told to stop, swept, backoff', () => {
    const bench = starting(ready);
    expect(told(bench, bench.after(99))).toBe('starting');
    expect(told(bench, bench.after(1))).toBe('stopping: TERM→leader');
    expect(told(bench, bench.checked(purpose))).toBe('stopping');
    expect(told(bench, bench.code(0))).toBe('sweeping: survey');
    expect(told(bench, bench.tree(1))).toBe('sweeping: TERM→tree');
    expect(told(bench, bench.tree(0))).toBe('backoff: forget');
    expect(bench.phase).toMatchObject({ because: 'not ready' });
  });

  test('EXTEND_TIMEOUT moves that time-out', () => {
    const bench = starting(ready);
    bench.now += 90;
    bench.says({ extendTimeoutMs: 500 });
    expect(told(bench, bench.after(100))).toBe('starting');
    expect(told(bench, bench.after(400))).toBe('stopping: TERM→leader');
  });

  test('is looked for from the spawn until it is ready, and no longer', () => {
    const fleets = new Fleets([program({ ready, hooks: { post_start: hook() } })]).start();
    expect(fleets.deeds()).toBe('spawn of worker:0');
    expect(fleets.spawned(0).deeds()).toBe(`watch ${purpose} of worker:0`);
    fleets.checked(0, true, purpose);
    expect(fleets.deeds()).toBe(`post_start of worker:0, unwatch ${purpose} of worker:0`);
  });

  test('a second yes changes nothing', () => {
    const bench = starting(ready);
    bench.checked(purpose);
    const { instance } = bench;
    expect(bench.checked(purpose)).toEqual([]);
    expect(bench.instance).toBe(instance);
  });
});

test('the answer to a look of an earlier run is dropped', () => {
  const fleets = new Fleets([program({ ready: byCheck, backoff: null })]).start().spawned(0);
  const old = fleets.runOf(0);
  fleets.gone(0, 1).spawned(0);
  fleets.take({ type: 'checked', run: old, purpose: 'ready', ok: true, detail: '' });
  expect(fleets.effects).toEqual([]);
  expect(fleets.kinds()).toBe('starting');
});

describe('done_when: check', () => {
  const plan = program({ drain: { doneWhen: 'check', check, waitFor: 'tree' } });

  test('is asked once a second from the signal on; the first yes means drained, and is asked no more', () => {
    const fleets = new Fleets([plan]).allReady().stop(0);
    expect(fleets.effects).toContainEqual(
      expect.objectContaining({
        type: 'watch',
        watch: { purpose: 'drain', check, everyMs: 1000, tryMs: 3000 },
      }),
    );
    expect(fleets.checked(0, false, 'drain').effects).toEqual([]);
    fleets.checked(0, true, 'drain');
    expect(fleets.deeds()).toBe('survey of worker:0, unwatch drain of worker:0');
    fleets.tree(0, 2);
    expect(fleets.kinds()).toBe('draining');
    fleets.tree(0);
    expect(fleets.signals()).toBe('TERM→worker:0');
    fleets.gone(0);
    expect(fleets.seat(0).lastExit).toMatchObject({ drained: true });
  });

  test('its own word does not count, and a pre_drain hook comes before the first look', () => {
    const fleets = new Fleets([{ ...plan, hooks: { ...plan.hooks, pre_drain: hook() } }]).allReady().stop(0);
    expect(fleets.deeds()).toBe('pre_drain of worker:0');
    fleets.hooked(0, 'pre_drain');
    expect(fleets.deeds()).toBe('signal of worker:0, watch drain of worker:0');
    fleets.says(0, { drained: true });
    expect(fleets.deeds()).toBe('');
  });

  test('a leader that exits first ends the looks; its tree is waited for', () => {
    const fleets = new Fleets([plan]).allReady().stop(0).exited(0);
    expect(fleets.deeds()).toBe('survey of worker:0, unwatch drain of worker:0');
    expect(fleets.checked(0, true, 'drain').deeds()).toBe('');
  });
});

test('every watch that begins is ended, whatever becomes of the run', () => {
  const health = { check, intervalMs: 1, timeoutMs: 1, failures: 1, action: 'restart' } as const;
  const plan = program({
    ready: byCheck,
    health,
    maxMemory: { bytes: 1000, forMs: 0 },
    drain: { doneWhen: 'check', check },
    backoff: null,
  });
  const lives: ((fleets: Fleets) => unknown)[] = [
    (f) => f.gone(0, 1),
    (f) => f.stop(0).gone(0),
    (f) => f.stop(0, 'now').gone(0),
    (f) => f.stop(0, 'kill').gone(0),
    (f) => f.ring(0, 100).gone(0),
    (f) => f.checked(0, true, 'ready').checked(0, false).checked(0, true, 'drain').tree(0).gone(0),
    (f) => f.checked(0, true, 'ready').measured(0, 2000).gone(0),
    (f) =>
      f
        .checked(0, true, 'ready')
        .reload(program({ ready: byCheck }))
        .stop(0)
        .gone(0),
    (f) => f.checked(0, true, 'ready').reload().gone(0),
  ];
  for (const live of lives) {
    const fleets = new Fleets([plan]);
    const open = new Set<string>();
    const take = fleets.take.bind(fleets);
    fleets.take = (event) => {
      take(event);
      for (const effect of fleets.effects) {
        if (effect.type === 'watch')
          expect(open.has(keyOf(effect.life.run, effect.watch.purpose))).toBe(false);
        if (effect.type === 'watch') open.add(keyOf(effect.life.run, effect.watch.purpose));
        if (effect.type === 'unwatch') expect(open.delete(keyOf(effect.run, effect.purpose))).toBe(true);
      }
      return fleets;
    };
    fleets.start().spawned(0);
    expect(open.size).toBe(1);
    live(fleets);
    expect([...open]).toEqual([]);
  }
});

const keyOf = (run: number, purpose: string): string => `${run} ${purpose}`;
