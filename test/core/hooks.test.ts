/** Hooks: what each holds up, what its failure means, and who waits for it no longer. */
import { describe, expect, test } from 'vitest';
import { revision } from '../../src/base/ids.ts';
import type { DrainPlan } from '../../src/core/plan.ts';
import { BEGIN, Bench, Fleets, hook, newsIn, program, summary, worker } from './rig.ts';

const told = (bench: Bench, effects: ReturnType<Bench['take']>): string => summary(bench.phase.kind, effects);
const after = (bench: Bench, act: (bench: Bench) => void): Bench => {
  act(bench);
  return bench;
};

describe('pre_start', () => {
  const plan = program({ hooks: { pre_start: hook() } });
  const preparing = (onFailure: 'fail' | 'ignore' = 'fail'): Bench =>
    after(new Bench(program({ hooks: { pre_start: hook(onFailure) } })), (b) => b.start());

  test('comes before the process, and bears the number of the run that it prepares', () => {
    const fleets = new Fleets([plan]).start();
    expect(fleets.kinds()).toBe('preparing');
    expect(fleets.deeds()).toBe('pre_start of worker:0');
    const run = fleets.runOf(0);
    fleets.hooked(0, 'pre_start');
    expect(fleets.deeds()).toBe('spawn of worker:0');
    expect(fleets.runOf(0)).toBe(run);
    expect(fleets.seat(0).restarts).toBe(0);
  });

  test('its failure is a failed start: backoff, and given up in the end', () => {
    const bench = preparing();
    bench.hooked('pre_start', false);
    expect(bench.phase).toMatchObject({
      kind: 'backoff',
      because: 'hook',
      why: 'cannot start: it failed in its pre_start hook: exited with code 1',
    });
    for (const ms of [100, 200]) {
      bench.after(ms);
      bench.hooked('pre_start', false);
    }
    expect(bench.phase).toMatchObject({ kind: 'failed', because: 'hook' });
    expect(bench.instance.restarts).toBe(2);
  });

  test('without a backoff its failure is not tried again in a busy loop', () => {
    const bench = new Bench(program({ backoff: null, hooks: { pre_start: hook() } }));
    bench.start();
    bench.hooked('pre_start', false);
    expect(bench.phase).toMatchObject({ kind: 'backoff', until: 100 });
  });

  test('its failure is told and ignored where the config says so', () => {
    const bench = preparing('ignore');
    const effects = bench.hooked('pre_start', false);
    expect(told(bench, effects)).toBe('spawning: spawn');
    expect(newsIn(effects)).toEqual(['hook_failed']);
  });

  test('an end that is wished for meanwhile lets it finish, and no process follows', () => {
    const bench = preparing();
    expect(told(bench, bench.stop())).toBe('preparing');
    expect(told(bench, bench.hooked('pre_start'))).toBe('stopped');
  });

  test.each(['now', 'kill'] as const)('stop (%s) cancels it', (how) => {
    const bench = preparing();
    expect(told(bench, bench.stop(how))).toBe('preparing: unhook');
    expect(told(bench, bench.hooked('pre_start', false))).toBe('stopped');
  });

  test('a start takes back the stop that came during it', () => {
    const bench = preparing();
    bench.stop();
    bench.start();
    expect(told(bench, bench.hooked('pre_start'))).toBe('spawning: spawn');
  });

  test.each(['fail', 'ignore'] as const)(
    'one that was cancelled did not prepare anything: a start after that begins anew (on_failure: %s)',
    (onFailure) => {
      const bench = preparing(onFailure);
      const { run } = bench;
      bench.stop('now');
      bench.start();
      expect(told(bench, bench.hooked('pre_start', false))).toBe('preparing');
      expect(bench.run).toBe(run + 1);
      expect(bench.instance.failures).toBe(0);
    },
  );

  test('a replacement during it begins anew with the new plan when it has ended', () => {
    const bench = preparing();
    bench.replace(program({ revision: revision('two') }), 'rollout 7', 'pause');
    expect(told(bench, bench.hooked('pre_start'))).toBe('spawning: spawn');
    expect(bench.phase).toMatchObject({ life: { run: 2, program: { revision: 'two' } } });
  });
});

describe('post_start', () => {
  const plan = program({ hooks: { post_start: hook() } });
  const ready = (onFailure: 'fail' | 'ignore' = 'fail'): Bench =>
    after(new Bench(program({ hooks: { post_start: hook(onFailure) } })), (b) => {
      b.start();
      b.spawned();
      b.after(50);
    });

  test('comes when it is ready, and before it counts as running', () => {
    const fleets = new Fleets([plan]).start().ready(0);
    expect(fleets.kinds()).toBe('starting');
    expect(fleets.deeds()).toBe('post_start of worker:0');
    expect(fleets.timers.size).toBe(0);
    fleets.hooked(0, 'post_start');
    expect(fleets.kinds()).toBe('running');
    expect(fleets.news('ready')).toHaveLength(1);
  });

  test('becoming ready twice runs it once', () => {
    const bench = new Bench(
      program({ ready: { when: 'notify', timeoutMs: 100 }, hooks: { post_start: hook() } }),
    );
    bench.start();
    bench.spawned();
    bench.says({ ready: true });
    const { phase } = bench;
    expect(told(bench, bench.says({ ready: true }))).toBe('starting');
    expect(told(bench, bench.after(1000))).toBe('starting');
    expect(bench.phase).toBe(phase);
  });

  test('its failure drains it, and counts as a failed start however long the hook took', () => {
    const bench = ready();
    bench.now += 60_000;
    expect(told(bench, bench.hooked('post_start', false))).toBe('draining: USR1→leader');
    bench.code(0);
    bench.tree(0);
    expect(bench.phase).toMatchObject({ kind: 'backoff', because: 'hook' });
    expect(bench.phase).toHaveProperty('why', 'failed in its post_start hook: exited with code 1 (after 1m)');
    expect(bench.instance.failures).toBe(1);
  });

  test('its failure does not matter where the config says so', () => {
    expect(told(...hookedOf(ready('ignore'), 'post_start', false))).toBe('running');
  });

  test('the exit of the leader during it ends it', () => {
    const fleets = new Fleets([plan]).start().ready(0).exited(0, 1);
    expect(fleets.kinds()).toBe('sweeping');
    expect(fleets.deeds()).toBe('survey of worker:0, unhook of worker:0');
    expect(fleets.hooked(0, 'post_start').effects).toEqual([]);
  });

  test('a stop during it cancels it and drains', () => {
    const fleets = new Fleets([plan]).start().ready(0).stop(0);
    expect(fleets.deeds()).toBe('signal of worker:0, unhook of worker:0');
    expect(fleets.kinds()).toBe('draining');
  });
});

describe('pre_drain', () => {
  const plan = program({ hooks: { pre_drain: hook() } });
  const asked = (
    onFailure: 'fail' | 'ignore' = 'fail',
    act: (b: Bench) => void = (b) => b.stop(),
    drain: Partial<DrainPlan> = {},
  ): Bench => after(new Bench(program({ drain, hooks: { pre_drain: hook(onFailure) } })).running(), act);
  const byRollout =
    (onTimeout: 'pause' | 'kill') =>
    (b: Bench): unknown =>
      b.replace(program({ revision: revision('two') }), 'rollout 7', onTimeout);

  test('comes before the signal, and the time of the drain begins with the signal', () => {
    const fleets = new Fleets([plan]).allReady().stop(0);
    expect(fleets.kinds()).toBe('draining');
    expect(fleets.deeds()).toBe('pre_drain of worker:0');
    expect(fleets.timers.size).toBe(0);
    fleets.now += 5000;
    fleets.hooked(0, 'pre_drain');
    expect(fleets.signals()).toBe('USR1→worker:0');
    expect(fleets.timers.get('instance worker:0')).toBe(fleets.now + 300);
  });

  test('what the instance says before it was asked is no answer to that', () => {
    const bench = asked('fail', (b) => b.stop(), { doneWhen: 'notify', waitFor: 'tree' });
    bench.says({ drained: true });
    expect(bench.phase).toMatchObject({ body: { said: { drained: false } } });
    bench.hooked('pre_drain');
    expect(told(bench, bench.tree(0))).toBe('draining');
    expect(told(bench, bench.says({ drained: true }))).toBe('draining: survey');
  });

  test.each(['pause', 'kill'] as const)(
    'its failure leaves an instance in its turn untouched, also where on_timeout is %s',
    (onTimeout) => {
      const bench = asked('fail', byRollout(onTimeout));
      expect(told(bench, bench.hooked('pre_drain', false))).toBe('running');
      expect(bench.instance).toMatchObject({ generation: 0, program: { revision: 'one' } });
    },
  );

  test('its failure fails the turn, and the rollout says why', () => {
    const fleets = new Fleets([{ ...plan, instances: 2 }]).allReady();
    fleets.take({ ...BEGIN, program: plan, ids: fleets.ids(), maxParallel: 1 });
    fleets.hooked(0, 'pre_drain', false);
    expect(fleets.kinds()).toBe('running running');
    expect(fleets.news('rollout')).toMatchObject([
      { state: 'paused', reason: 'worker:0 was not drained: its pre_drain hook failed' },
    ]);
  });

  test('after such a failure the turn can be taken again', () => {
    const fleets = new Fleets([plan]).allReady();
    fleets.take({ ...BEGIN, program: plan, ids: [worker(0)], maxParallel: 1 });
    fleets.hooked(0, 'pre_drain', false);
    const [id] = fleets.fleet.rollouts.keys();
    if (id === undefined) throw new Error('no rollout');
    fleets.take({ type: 'steer_rollout', id, command: 'resume' });
    expect(fleets.deeds()).toBe('pre_drain of worker:0');
    fleets.hooked(0, 'pre_drain');
    expect(fleets.signals()).toBe('USR1→worker:0');
  });

  test.each<[string, (b: Bench) => unknown]>([
    ['stop', (b) => b.stop()],
    ['restart', (b) => b.replace(program(), 'operator', 'stop')],
    ['stop that came on top of a rollout', (b) => [byRollout('pause')(b), b.stop()]],
  ])("its failure does not refuse an operator's %s", (_, act) => {
    const bench = asked('fail', act);
    expect(told(bench, bench.hooked('pre_drain', false))).toBe('draining: USR1→leader');
  });

  test('its failure is ignored where the config says so, in a turn as well', () => {
    expect(told(...hookedOf(asked('ignore', byRollout('pause')), 'pre_drain', false))).toBe(
      'draining: USR1→leader',
    );
  });

  test('a leader that exits meanwhile is not asked; what it left has the time of a drain', () => {
    const bench = asked();
    expect(told(bench, bench.code(0))).toBe('draining: survey');
    expect(told(bench, bench.tree(2))).toBe('draining');
    expect(told(bench, bench.hooked('pre_drain'))).toBe('draining');
    expect(bench.phase).toMatchObject({ asked: true, deadline: bench.now + 300 });
  });

  test.each([
    ['now', 'stopping', 'signal of worker:0, unhook of worker:0'],
    ['kill', 'killing', 'signal_tree of worker:0, survey of worker:0, unhook of worker:0'],
  ] as const)('stop (%s) cancels it', (how, kind, deeds) => {
    const fleets = new Fleets([plan]).allReady().stop(0).stop(0, how);
    expect(fleets.kinds()).toBe(kind);
    expect(fleets.deeds()).toBe(deeds);
  });
});

describe('post_stop', () => {
  const plan = program({ hooks: { post_stop: hook() } });
  const cleaning = (
    change: Parameters<typeof program>[0] = {},
    act: (b: Bench) => void = (b) => b.code(1),
  ): Bench =>
    after(new Bench(program({ hooks: { post_stop: hook() }, ...change })).running(), (b) => {
      act(b);
      b.tree(0);
    });

  test('comes when nothing of the run is left, and before the next one begins', () => {
    const fleets = new Fleets([{ ...plan, backoff: null }]).allReady().exited(0, 1);
    expect(fleets.deeds()).toBe('survey of worker:0');
    fleets.tree(0);
    expect(fleets.kinds()).toBe('cleaning');
    expect(fleets.deeds()).toBe('forget of worker:0, post_stop of worker:0');
    fleets.hooked(0, 'post_stop');
    expect(fleets.deeds()).toBe('spawn of worker:0');
  });

  test.each<[string, Parameters<typeof program>[0], (b: Bench) => void, string]>([
    ['a crash', {}, (b) => b.code(1), 'backoff'],
    ['an exit of one that is done', { restart: 'never' }, (b) => b.code(0), 'exited'],
    ['a stop', {}, (b) => [b.stop(), b.code(0)], 'stopped'],
    ['a replacement', {}, (b) => [b.replace(program(), 'operator', 'stop'), b.code(0)], 'spawning'],
  ])('once it has ended, what follows %s follows', (_, change, act, kind) => {
    const bench = cleaning(change, act);
    expect(bench.phase.kind).toBe('cleaning');
    bench.hooked('post_stop');
    expect(bench.phase.kind).toBe(kind);
  });

  test('its failure counts as a failure', () => {
    const bench = cleaning({}, (b) => [b.replace(program(), 'operator', 'stop'), b.code(0)]);
    bench.hooked('post_stop', false);
    expect(bench.phase).toMatchObject({
      kind: 'backoff',
      because: 'hook',
      why: 'failed in its post_stop hook: exited with code 1',
    });
  });

  test('its failure does not run again what is to run once: that has failed', () => {
    const bench = cleaning({ restart: 'never' }, (b) => b.code(0));
    bench.hooked('post_stop', false);
    expect(bench.phase).toMatchObject({ kind: 'failed', because: 'hook' });
  });

  test('its failure in a turn fails the turn, and the rollout does not wait for ever', () => {
    const fleets = new Fleets([{ ...plan, instances: 2 }]).allReady();
    fleets.take({ ...BEGIN, program: plan, ids: fleets.ids(), maxParallel: 1 });
    fleets.gone(0).hooked(0, 'post_stop', false);
    expect(fleets.news('rollout')).toMatchObject([
      { state: 'paused', reason: 'worker:0 failed in its post_stop hook: exited with code 1' },
    ]);
  });

  test('its failure after a stop is told, and it stays stopped', () => {
    const bench = cleaning({}, (b) => [b.stop(), b.code(0)]);
    const effects = bench.hooked('post_stop', false);
    expect(newsIn(effects)).toEqual(['hook_failed']);
    expect(bench.phase.kind).toBe('stopped');
  });

  test('a start during it begins the next run when it has ended, without a backoff', () => {
    const bench = cleaning();
    expect(told(bench, bench.start())).toBe('cleaning');
    expect(told(bench, bench.hooked('post_stop'))).toBe('spawning: spawn');
  });

  test('stop --now cancels it, and it is stopped when its end is known', () => {
    const bench = cleaning();
    expect(told(bench, bench.stop('now'))).toBe('cleaning: unhook');
    expect(told(bench, bench.hooked('post_stop', false))).toBe('stopped');
  });
});

test('an answer of another hook than the one that runs changes nothing', () => {
  const bench = new Bench(program({ hooks: { pre_start: hook(), pre_drain: hook() } }));
  bench.start();
  const { instance } = bench;
  expect(bench.hooked('pre_drain')).toEqual([]);
  expect(bench.instance).toBe(instance);
});

test('each hook that is begun ends by itself or is cancelled, and one after the other', () => {
  const all = { pre_start: hook(), post_start: hook(), pre_drain: hook(), post_stop: hook() };
  const fleets = new Fleets([program({ hooks: all })]).start();
  const seen = [fleets.deeds()];
  const note = (next: Fleets): unknown => seen.push(next.deeds());
  note(fleets.hooked(0, 'pre_start'));
  note(fleets.ready(0));
  note(fleets.hooked(0, 'post_start'));
  note(fleets.stop(0));
  note(fleets.hooked(0, 'pre_drain'));
  note(fleets.exited(0));
  note(fleets.tree(0));
  note(fleets.hooked(0, 'post_stop'));
  expect(seen).toEqual([
    'pre_start of worker:0',
    'spawn of worker:0',
    'post_start of worker:0',
    '',
    'pre_drain of worker:0',
    'signal of worker:0',
    'survey of worker:0',
    'forget of worker:0, post_stop of worker:0',
    '',
  ]);
});

function hookedOf(
  bench: Bench,
  name: Parameters<Bench['hooked']>[0],
  ok: boolean,
): [Bench, ReturnType<Bench['take']>] {
  return [bench, bench.hooked(name, ok)];
}
