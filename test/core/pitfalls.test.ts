/** What the peers ship broken, as far as core decides it: the names are those of the list of defects. */
import { describe, expect, test } from 'vitest';
import { pid, programName, revision } from '../../src/base/ids.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { BEGIN, Bench, Fleets, program, summary, worker } from './rig.ts';

const told = (bench: Bench, effects: ReturnType<Bench['take']>): string => summary(bench.phase.kind, effects);
const two = (change: Parameters<typeof program>[0] = {}): ProgramPlan =>
  program({ revision: revision('two'), ...change });
const kills = (fleets: Fleets): boolean => fleets.signals().includes('KILL');

describe('Ending things', () => {
  test('a leader’s exit is not "stopped" while its group lives: a grandchild that ignores TERM survives neither stop nor shutdown', () => {
    const ends: ((fleets: Fleets) => Fleets)[] = [
      (f) => f.stop(0),
      (f) => f.stop(0, 'now'),
      (f) => f.take({ type: 'shutdown', how: 'drain', timeoutMs: null }),
    ];
    for (const end of ends) {
      const fleets = end(new Fleets([program()]).allReady())
        .exited(0)
        .tree(0, 1);
      expect(fleets.kinds()).toMatch(/draining|sweeping/);
      if (fleets.kinds() === 'draining') fleets.ring(0, 300);
      expect(fleets.kinds()).toBe('sweeping');
      expect(kills(fleets.ring(0, 200))).toBe(true);
      expect(fleets.kinds()).toBe('killing');
      expect(fleets.tree(0).kinds()).toBe('stopped');
    }
  });

  test('the crash path sweeps: no grandchild leaks per restart, and the next run waits until none is left', () => {
    const fleets = new Fleets([program({ backoff: null })]).allReady();
    for (let i = 0; i < 20; i++) {
      fleets.exited(0, 1);
      expect(fleets.deeds()).toBe('survey of worker:0');
      expect(fleets.tree(0, 1).signals()).toBe('TERM→worker:0…');
      expect(kills(fleets.ring(0, 200))).toBe(true);
      expect(fleets.tree(0).kinds()).toBe('spawning');
      fleets.ready(0);
    }
  });

  test('no treekill: a planned end asks the leader alone, and a job child is neither signalled before it nor with it', () => {
    const fleets = new Fleets([program()]).allReady().stop(0);
    expect(fleets.signals()).toBe('USR1→worker:0');
    fleets.ring(0, 300);
    expect(fleets.signals()).toBe('TERM→worker:0');
  });

  test('a child’s end, or any SIGCHLD, does not end the graceful wait: SIGKILL does not follow', () => {
    const fleets = new Fleets([program({ instances: 2 })]).allReady().stop(0);
    for (const left of [5, 4, 3, 2, 1, 0]) expect(fleets.tree(0, left).signals()).toBe('');
    expect(fleets.gone(1, 1).signals()).toBe('');
    expect(fleets.kindOf(0)).toBe('draining');
    const stopping = new Fleets([program()]).allReady().stop(0, 'now');
    for (const left of [2, 1, 0]) expect(stopping.tree(0, left).signals()).toBe('');
    expect(stopping.kinds()).toBe('stopping');
  });

  test('a kill timer is tied to its run: stop, start, stop within the delay does not kill the second run early', () => {
    const fleets = new Fleets([program()]).allReady().stop(0, 'now');
    const timer = { of: 'instance', id: worker(0) } as const;
    const first = fleets.timers.get('instance worker:0') ?? 0;
    fleets.now += 100;
    fleets.start().gone(0).ready(0).stop(0, 'now');
    expect(fleets.now).toBeLessThan(first);
    fleets.now = first;
    expect(fleets.due(timer).effects).toEqual([]);
    expect(fleets.kinds()).toBe('stopping');
    fleets.now = fleets.timers.get('instance worker:0') ?? 0;
    expect(kills(fleets.due(timer))).toBe(true);
  });

  test('stop parameters are those of the run that it was started with, not of the new config', () => {
    const fleets = new Fleets([program()]).allReady();
    fleets
      .reload(two({ drain: { signal: 'HUP', timeoutMs: 1 }, stop: { signal: 'QUIT', timeoutMs: 1 } }))
      .stop(0);
    expect(fleets.signals()).toBe('USR1→worker:0');
    expect(fleets.ring(0, 1).signals()).toBe('');
    expect(fleets.ring(0, 299).signals()).toBe('TERM→worker:0');
    expect(fleets.ring(0, 199).signals()).toBe('');
    expect(kills(fleets.ring(0, 1))).toBe(true);
  });

  test('the grace period is not waited out when everything has exited', () => {
    const fleets = new Fleets([program()]).allReady().stop(0);
    const asked = fleets.now;
    expect(fleets.exited(0).tree(0).kinds()).toBe('stopped');
    expect(fleets.now).toBe(asked);
    expect(fleets.timers.size).toBe(0);
  });

  test('a stop that is under way can be forced: now, then kill', () => {
    const fleets = new Fleets([program()]).allReady().stop(0);
    expect(fleets.stop(0, 'now').signals()).toBe('TERM→worker:0');
    expect(fleets.stop(0, 'kill').signals()).toBe('KILL→worker:0…');
  });

  test('nothing means "never kill" without saying so: every phase that waits for an end has a deadline, or the plan says none', () => {
    const without = program({ drain: { timeoutMs: null } });
    const fleets = new Fleets([without]).allReady().stop(0);
    expect(fleets.seat(0).phase).toMatchObject({ kind: 'draining', deadline: null, overdue: false });
    for (const act of [
      (f: Fleets) => f.stop(0, 'now'),
      (f: Fleets) => f.exited(0).tree(0, 1),
      (f: Fleets) => f.ring(0, 200),
    ]) {
      expect(act(fleets).timers.has('instance worker:0')).toBe(true);
    }
    expect(fleets.kinds()).toBe('killing');
    expect(kills(fleets.ring(0, 1000))).toBe(true);
  });

  test('a rollout’s drain that is too long is said to be, and kills nobody by default', () => {
    const fleets = new Fleets([program()]).allReady();
    fleets.take({ ...BEGIN, program: two(), ids: [worker(0)], maxParallel: 1 }).ring(0, 300);
    expect(fleets.news('overdue')).toHaveLength(1);
    expect(fleets.news('rollout')).toMatchObject([{ state: 'paused' }]);
    expect(fleets.signals()).toBe('');
  });

  test('a shutdown is not strictly one after another: everything on the same level drains in parallel', () => {
    const fleets = new Fleets([program({ instances: 50 })]).allReady();
    fleets.take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect(fleets.kinds()).toBe(Array(50).fill('draining').join(' '));
  });

  test('a second request to end sends no second signal within moments', () => {
    const fleets = new Fleets([program()]).allReady().stop(0);
    expect(fleets.stop(0).signals()).toBe('');
    expect(fleets.restart(0).signals()).toBe('');
    expect(fleets.take({ type: 'shutdown', how: 'drain', timeoutMs: null }).signals()).toBe('');
    const now = new Fleets([program()]).allReady().stop(0, 'now');
    expect(now.stop(0, 'now').signals()).toBe('');
  });

  test('a spawn error (ENOENT while a deploy swaps a symlink) leads to backoff and is not final', () => {
    const fleets = new Fleets([program()]).start();
    fleets.take({ type: 'spawn_failed', run: fleets.runOf(0), stage: 'exec', error: 'ENOENT' });
    expect(fleets.kinds()).toBe('backoff');
    expect(fleets.ring(0, 100).ready(0).kinds()).toBe('running');
  });

  test('a respawn between TERM and KILL is impossible, and no stop kills the next run', () => {
    const reach: ((fleets: Fleets) => Fleets)[] = [
      (f) => f.stop(0),
      (f) => f.stop(0, 'now'),
      (f) => f.stop(0, 'kill'),
      (f) => f.exited(0, 1),
      (f) => f.exited(0, 1).tree(0, 1),
      (f) => f.stop(0).exited(0),
    ];
    for (const end of reach) {
      const fleets = end(new Fleets([program()]).allReady());
      for (const again of [
        fleets.start(),
        fleets.restart(0),
        fleets.reload(two({ command: ['x'] })),
        fleets.start(),
      ]) {
        expect(again.deeds()).not.toContain('spawn');
      }
      fleets.gone(0, 1);
      expect(fleets.kinds()).toBe('spawning');
      const old = fleets.now;
      fleets.spawned(0);
      fleets.now = old + 100_000;
      expect(kills(fleets.due({ of: 'instance', id: worker(0) }))).toBe(false);
      expect(fleets.kinds()).toBe('running');
    }
  });

  test('what an earlier run reports is dropped, a reused pid included', () => {
    const fleets = new Fleets([program({ backoff: null })]).allReady();
    const old = fleets.runOf(0);
    fleets.gone(0, 1).take({ type: 'spawned', run: fleets.runOf(0), pid: pid(4711) });
    const before = fleets.seat(0);
    fleets.take({ type: 'exited', run: old, exit: { kind: 'code', code: 1 } });
    fleets.take({ type: 'tree', run: old, left: 0 });
    expect(fleets.seat(0)).toBe(before);
  });
});

describe('Config', () => {
  test('scaling 3 to 4 touches only the delta', () => {
    const fleets = new Fleets([program({ instances: 3 })]).allReady();
    const before = [0, 1, 2].map(fleets.runOf);
    expect(fleets.reload(program({ instances: 4 })).deeds()).toBe('spawn of worker:3');
    expect([0, 1, 2].map(fleets.runOf)).toEqual(before);
    fleets.ready(3);
    expect(fleets.scale(3).signals()).toBe('USR1→worker:3');
  });

  test('a reload starts nothing that the operator had stopped, and what it adds to that is not started either', () => {
    const fleets = new Fleets([program(), program({ name: programName('other') })])
      .allReady()
      .stop(0)
      .gone(0);
    fleets.reload(two({ instances: 3, command: ['two'] }), program({ name: programName('other') }));
    expect(fleets.deeds()).not.toContain('spawn');
    expect(fleets.kinds()).toBe('stopped running stopped stopped');
  });

  test('a dependency list really waits, and does not only order spawns', () => {
    const db = program({ name: programName('db'), ready: { when: 'notify', timeoutMs: null } });
    const fleets = new Fleets([db, program({ dependsOn: Object.fromEntries([['db', 'ready']]) })])
      .start()
      .spawned('db');
    fleets.now += 1_000_000;
    fleets.due({ of: 'instance', id: fleets.seat('db').id });
    expect(fleets.kinds()).toBe('starting waiting');
    expect(fleets.says('db', { ready: true }).kinds()).toBe('running spawning');
  });

  test('every field that differs has its effect: a reload applies each live one, and none by a restart', () => {
    const live = two({
      restart: 'never',
      successExitCodes: [9],
      maxAgeMs: 5000,
      essential: true,
      priority: 3,
    });
    const fleets = new Fleets([program()]).allReady().reload(live);
    expect(fleets.seat(0).phase).toMatchObject({ kind: 'running', body: { life: { program: live } } });
    expect(fleets.signals()).toBe('');
  });
});

test('a delay does not overwrite the stopped state: a stop in backoff is a stop, whatever timer rings', () => {
  const bench = new Bench().running();
  bench.code(1);
  bench.tree(0);
  expect(told(bench, bench.stop())).toBe('stopped');
  expect(told(bench, bench.after(100_000))).toBe('stopped');
});
