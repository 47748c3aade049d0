/** A rolling restart: who is touched when, what holds it up, what pauses it, and how it is steered. */
import { describe, expect, test } from 'vitest';
import { programName, revision, rolloutId, run } from '../../src/base/ids.ts';
import { NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import { viewOf } from '../../src/core/fleet/view.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import type { Rollout } from '../../src/core/rollout/rollout.ts';
import { stepRollout } from '../../src/core/rollout/step.ts';
import { at, BEGIN, Fleets, program, worker } from './rig.ts';

const old = program({ instances: 4 });
const next = (change: Parameters<typeof program>[0] = {}): ProgramPlan =>
  program({ instances: 4, revision: revision('two'), ...change });

const rolloutOf = (fleets: Fleets): Rollout => {
  const rollout = [...fleets.fleet.rollouts.values()].at(-1);
  if (rollout === undefined) throw new Error('no rollout');
  return rollout;
};
const turns = (fleets: Fleets): string =>
  rolloutOf(fleets)
    .turns.map(({ step }) => step.kind)
    .join(' ');
const begin = (fleets: Fleets, target = next(), maxParallel = 1): Fleets =>
  fleets.take({ ...BEGIN, program: target, ids: fleets.ids(), maxParallel });
const steer = (fleets: Fleets, command: 'pause' | 'resume' | 'abort'): Fleets =>
  fleets.take({ type: 'steer_rollout', id: rolloutOf(fleets).id, command });
const look = (fleets: Fleets, ms: number): Fleets => {
  fleets.now += ms;
  return fleets.due({ of: 'rollout', id: rolloutOf(fleets).id });
};
const turn = (fleets: Fleets, index: number): Fleets => look(fleets.gone(index).ready(index), 500);
const rolling = (plan = old, target = next(), maxParallel = 1): Fleets =>
  begin(new Fleets([plan]).allReady(), target, maxParallel);

describe('one after another', () => {
  test('the next is touched only when the last one is gone, replaced, ready, and healthy for long enough', () => {
    const fleets = rolling();
    expect(fleets.kinds()).toBe('draining running running running');
    fleets.exited(0);
    expect(fleets.kinds()).toBe('draining running running running');
    fleets.tree(0);
    expect(turns(fleets)).toBe('starting pending pending pending');
    fleets.ready(0);
    expect(turns(fleets)).toBe('settling pending pending pending');
    look(fleets, 499);
    expect(fleets.kinds()).toBe('running running running running');
    look(fleets, 1);
    expect(fleets.kinds()).toBe('running draining running running');
    expect(turns(fleets)).toBe('done draining pending pending');
  });

  test('it ends when all have been replaced, and each runs the new plan in the new generation', () => {
    const fleets = rolling();
    for (const index of [0, 1, 2, 3]) turn(fleets, index);
    expect(rolloutOf(fleets)).toMatchObject({
      state: 'succeeded',
      reason: null,
      endedAt: { mono: fleets.now },
    });
    for (const index of [0, 1, 2, 3]) {
      expect(fleets.seat(index).phase).toMatchObject({
        kind: 'running',
        body: { life: { program: { revision: 'two' }, generation: 1 } },
      });
    }
    expect(fleets.timers).toEqual(new Map());
  });

  test('max_parallel: so many at once, and another as soon as one is done', () => {
    const fleets = rolling(old, next(), 2);
    expect(fleets.kinds()).toBe('draining draining running running');
    turn(fleets, 1);
    expect(fleets.kinds()).toBe('draining running draining running');
  });

  test('the signal goes to the leader, once, and the old run is ended by its own plan', () => {
    const fleets = new Fleets([old]).allReady();
    begin(fleets, next({ drain: { signal: 'QUIT' } }));
    const signals = fleets.effects.filter(({ type }) => type === 'signal' || type === 'signal_tree');
    expect(signals).toMatchObject([{ type: 'signal', signal: 'USR1', instance: { id: 'worker:0' } }]);
  });

  test('only those that are named have a turn', () => {
    const fleets = new Fleets([old]).allReady();
    fleets.take({ ...BEGIN, program: next(), ids: [worker(2)], maxParallel: 1 });
    turn(fleets, 2);
    expect(rolloutOf(fleets).state).toBe('succeeded');
    expect(fleets.seat(1).program.revision).toBe('one');
  });

  test('a second rollout of the same program is not begun beside the first', () => {
    const fleets = rolling();
    begin(fleets);
    expect(fleets.fleet.rollouts.size).toBe(1);
    expect(fleets.effects).toEqual([]);
  });

  test('a program that has finished by its own policy has had its turn', () => {
    const job = program({ instances: 2, restart: 'on_failure' });
    const fleets = begin(new Fleets([job]).allReady(), { ...job, revision: revision('two') });
    fleets.gone(0).ready(0).exited(0);
    expect(turns(fleets)).toBe('settling pending');
    fleets.tree(0);
    expect(turns(fleets)).toBe('done draining');
  });
});

test('what a program that has finished leaves behind is waited for, but not past healthy_deadline', () => {
  const job = program({ instances: 2, restart: 'on_failure' });
  const fleets = begin(new Fleets([job]).allReady(), { ...job, revision: revision('two') });
  fleets.gone(0);
  const deadline = fleets.now + 2000;
  fleets.ready(0).exited(0);
  expect(fleets.timers.get('rollout 1')).toBe(deadline);
  look(fleets, 500);
  expect(turns(fleets)).toBe('settling pending');
  look(fleets, 1450);
  expect(turns(fleets)).toBe('failed pending');
});

describe('order', () => {
  const first = (order: ProgramPlan['rollout']['order'], prepare: (fleets: Fleets) => void): string => {
    const fleets = new Fleets([old]).allReady();
    prepare(fleets);
    begin(fleets, next({ rollout: { order } }));
    return fleets.kinds();
  };

  test('index: by its number', () => {
    expect(first('index', (fleets) => fleets.says(0, { inFlight: 9 }))).toMatch(/^draining/);
  });

  test('idle_first: fewest jobs in flight, whoever never said after those known to be idle', () => {
    const idle = first('idle_first', (fleets) => {
      fleets.says(0, { inFlight: 2 });
      fleets.says(2, { inFlight: 0 });
    });
    expect(idle).toBe('running running draining running');
  });

  test('oldest: whoever was started first', () => {
    const kinds = first('oldest', (fleets) => {
      fleets.take({ type: 'restart', ids: [worker(0)], programs: [] });
      fleets.now += 10;
      fleets.gone(0).ready(0);
    });
    expect(kinds).toBe('running draining running running');
  });

  test('what does not work comes first, whatever the order', () => {
    const kinds = first('index', (fleets) => fleets.gone(2, 1));
    expect(kinds).toBe('running running spawning running');
  });
});

describe('obstacles', () => {
  test('an instance outside the turn that is away holds up the next, and is named', () => {
    const fleets = rolling();
    fleets.exited(3, 1);
    turn(fleets, 0);
    expect(turns(fleets)).toBe('done pending pending draining');
    fleets.tree(3);
    fleets.exited(2, 1);
    expect(turns(fleets)).toBe('done pending pending starting');
  });

  test('one that comes back on its own account is waited for, and that is told once', () => {
    const fleets = new Fleets([old]).allReady();
    fleets.take({ type: 'restart', ids: [worker(3)], programs: [] });
    fleets.take({ ...BEGIN, program: next(), ids: fleets.ids().slice(0, 3), maxParallel: 1 });
    expect(turns(fleets)).toBe('pending pending pending');
    expect(fleets.news('rollout').map(({ reason }) => reason)).toEqual([
      null,
      'waits for worker:3 to be ready',
    ]);
    for (const event of ['exited', 'tree', 'spawned'] as const) {
      expect(fleets[event](3).news('rollout'), event).toEqual([]);
    }
    expect(rolloutOf(fleets)).toMatchObject({ state: 'running', reason: 'waits for worker:3 to be ready' });
    fleets.ring(3, 50);
    expect(turns(fleets)).toBe('draining pending pending');
    expect(rolloutOf(fleets).reason).toBeNull();
  });

  test('one that ends on its own account when its turn is to come has it at once: it is not replaced twice', () => {
    const fleets = new Fleets([old]).allReady();
    fleets.take({ type: 'restart', ids: [worker(3)], programs: [] });
    begin(fleets);
    expect(turns(fleets)).toBe('pending pending pending draining');
    expect(fleets.signals()).toBe('');
    fleets.gone(3);
    expect(fleets.seat(3).phase).toMatchObject({ kind: 'spawning', life: { program: { revision: 'two' } } });
  });

  test('one that was given up is taken first, before one that still ends, and is cured by the new config', () => {
    const plan = program({ instances: 4, backoff: { giveUpAfter: 1 } });
    const fleets = new Fleets([plan]).allReady().gone(3, 1);
    fleets.take({ type: 'restart', ids: [worker(1)], programs: [] });
    begin(fleets, next({ backoff: { giveUpAfter: 1 } }));
    expect(turns(fleets)).toBe('pending pending pending starting');
    expect(fleets.seat(3).phase).toMatchObject({ kind: 'spawning', life: { program: { revision: 'two' } } });
  });

  const waits = (name: string, change: Parameters<typeof program>[0] = {}): ProgramPlan =>
    program({ instances: 2, dependsOn: { [programName(name)]: 'ready' }, ...change });
  const redis = program({ name: programName('redis') });

  test('one that waits for what it needs is taken first as well: its new plan may not need it', () => {
    const fleets = new Fleets([redis, waits('redis')]).allReady();
    fleets.exited('redis').gone(1, 1).ring(1, 100);
    expect(fleets.kindOf(1)).toBe('waiting');
    const ids = [worker(0), worker(1)];
    fleets.take({ ...BEGIN, program: waits('redis', { dependsOn: {} }), ids, maxParallel: 1 });
    expect(turns(fleets)).toBe('pending starting');
  });

  describe('that does not end by itself pauses at once, with the reason and whom to see to', () => {
    const stuck = (fleets: Fleets, reason: string, name: string, is = 'failed'): void => {
      expect(rolloutOf(fleets)).toMatchObject({ state: 'paused', reason, blocker: { name, is } });
    };
    const failing = { instances: 2, backoff: { giveUpAfter: 1 } } as const;

    test('one that was given up and has no turn', () => {
      const fleets = new Fleets([program(failing)]).allReady().gone(1, 1);
      const target = program({ ...failing, revision: revision('two') });
      fleets.take({ ...BEGIN, program: target, ids: [worker(0)], maxParallel: 1 });
      const why = 'worker:1 exited with code 1 after 100ms; given up after one try';
      stuck(fleets, why, 'worker:1');
      expect(fleets.kinds()).toBe('running failed');
      steer(fleets, 'resume');
      stuck(fleets, why, 'worker:1');
      fleets.start(worker(1)).ready(1);
      steer(fleets, 'resume');
      expect(fleets.kinds()).toBe('draining running');
      expect(rolloutOf(fleets)).toMatchObject({ state: 'running', reason: null, blocker: null });
    });

    test('one that was given up after its turn', () => {
      const plan = program({ ...failing, revision: revision('two') });
      const fleets = turn(begin(new Fleets([program(failing)]).allReady(), plan), 0);
      fleets.gone(0, 1);
      expect(turns(fleets)).toBe('failed draining');
      turn(fleets, 1);
      stuck(fleets, 'worker:0 exited with code 1 after 550ms; given up after one try', 'worker:0');
      expect(turns(fleets)).toBe('failed done');
    });

    test('a dependency that the operator has stopped', () => {
      const fleets = new Fleets([redis, waits('redis')]).allReady().stop('redis').gone('redis');
      const ids = [worker(0), worker(1)];
      fleets.take({ ...BEGIN, program: waits('redis'), ids, maxParallel: 1 });
      stuck(fleets, 'waits for redis: redis was stopped by the operator', 'redis', 'needed');
      expect(fleets.kinds()).toBe('stopped running running');
    });

    test('a dependency that is stopped while it is waited for', () => {
      const fleets = new Fleets([redis, waits('redis')]).allReady().gone('redis', 1);
      const ids = [worker(0), worker(1)];
      fleets.take({ ...BEGIN, program: waits('redis'), ids, maxParallel: 1 });
      expect(rolloutOf(fleets)).toMatchObject({ state: 'running', reason: 'waits for redis to be ready' });
      fleets.stop('redis');
      stuck(fleets, 'waits for redis: redis was stopped by the operator', 'redis', 'needed');
    });

    test('one without a turn that waits for what will not come', () => {
      const fleets = new Fleets([redis, waits('redis')]).allReady();
      fleets.stop('redis').gone('redis').gone(1, 1).ring(1, 100);
      const target = waits('redis', { dependsOn: {} });
      fleets.take({ ...BEGIN, program: target, ids: [worker(0)], maxParallel: 1 });
      stuck(fleets, 'worker:1 waits for redis: redis was stopped by the operator', 'redis', 'needed');
    });

    test('a drain that an aborted rollout has left, in one without a turn', () => {
      const fleets = rolling().says(0, { inFlight: 1 });
      fleets.now += 300;
      fleets.due({ of: 'instance', id: worker(0) });
      steer(fleets, 'abort');
      fleets.take({ ...BEGIN, program: next(), ids: [worker(1)], maxParallel: 1 });
      stuck(
        fleets,
        'worker:0 has not drained within 300ms, 1 job in flight; it drains on',
        'worker:0',
        'draining',
      );
    });

    test('the same in one that has a turn: it has it at once, and a resume gives it its time anew', () => {
      const fleets = rolling();
      fleets.now += 300;
      fleets.due({ of: 'instance', id: worker(0) });
      steer(fleets, 'abort');
      begin(fleets);
      stuck(fleets, 'worker:0 has not drained within 300ms; it drains on', 'worker:0', 'draining');
      steer(fleets, 'resume');
      expect(fleets.timers.get('instance worker:0')).toBe(fleets.now + 300);
      turn(fleets, 0);
      expect(turns(fleets)).toBe('done draining pending pending');
    });
  });

  test('one that the operator has stopped holds up nobody, and is skipped', () => {
    const fleets = new Fleets([old]).allReady();
    fleets.stop(0);
    begin(fleets);
    expect(turns(fleets)).toBe('skipped draining pending pending');
  });

  test('a crash loop without a backoff is cured in the moment in which it is seen ending', () => {
    const loop = program({ instances: 2, backoff: null });
    const fleets = new Fleets([loop]).allReady();
    fleets.gone(1, 1);
    begin(fleets, { ...loop, revision: revision('two') });
    expect(turns(fleets)).toBe('pending pending');
    fleets.spawned(1).exited(1, 1);
    expect(turns(fleets)).toBe('pending draining');
    fleets.tree(1);
    expect(fleets.seat(1).phase).toMatchObject({ kind: 'spawning', life: { program: { revision: 'two' } } });
  });

  test('one that would wait for its readiness for ever is replaced all the same', () => {
    const hung = program({ instances: 1, ready: { when: 'notify', timeoutMs: null } });
    const fleets = new Fleets([hung]).start().spawned(0);
    begin(fleets, next({ instances: 1 }));
    expect(fleets.kinds()).toBe('draining');
  });
});

describe('what pauses it', () => {
  const paused = (fleets: Fleets, reason: string | RegExp): void => {
    expect(rolloutOf(fleets)).toMatchObject({ state: 'paused', reason: expect.stringMatching(reason) });
  };

  test('a replacement that exits before it is ready: the others work on', () => {
    const fleets = rolling().gone(0).spawned(0);
    fleets.now += 20;
    fleets.exited(0, 1);
    paused(fleets, 'worker:0 exited with code 1 after 20ms, before it was ready');
    expect(rolloutOf(fleets).blocker).toEqual({ name: 'worker:0', is: 'failed' });
    fleets.tree(0);
    expect(fleets.kinds()).toBe('backoff running running running');
  });

  test('a replacement that exits after it was ready, before it was healthy', () => {
    const fleets = rolling().gone(0).ready(0).exited(0, 1);
    paused(fleets, 'worker:0 exited with code 1 after 50ms, before it was healthy');
  });

  test('a replacement that cannot be spawned', () => {
    const fleets = rolling().gone(0);
    fleets.take({ type: 'spawn_failed', run: fleets.runOf(0), stage: 'exec', error: 'no such file' });
    paused(fleets, 'worker:0 cannot start: no such file');
  });

  test('a replacement that is not ready in time', () => {
    const fleets = rolling(old, next({ ready: { when: 'notify', timeoutMs: 100 } }))
      .gone(0)
      .spawned(0);
    fleets.now += 100;
    fleets.due({ of: 'instance', id: worker(0) });
    paused(fleets, 'worker:0 was not ready in time');
  });

  test('a replacement that is not healthy within healthy_deadline, while it still starts', () => {
    const fleets = rolling(old, next({ ready: { when: 'notify', timeoutMs: null } }))
      .gone(0)
      .spawned(0);
    expect(fleets.timers.get('rollout 1')).toBe(fleets.now + 2000);
    look(fleets, 2000);
    paused(fleets, 'worker:0 was not healthy within 2s');
    expect(turns(fleets)).toBe('failed pending pending pending');
  });

  test('and while it proves itself: the drain before it is not counted', () => {
    const slow = { ready: { when: 'notify', timeoutMs: null }, drain: { timeoutMs: null } } as const;
    const fleets = rolling(program(slow), next(slow));
    fleets.now += 7000;
    fleets.gone(0).spawned(0);
    fleets.now += 1900;
    fleets.says(0, { ready: true });
    look(fleets, 100);
    paused(fleets, 'worker:0 was not healthy within 2s');
  });

  test('a drain that takes too long: the reason counts the jobs, and nobody is killed', () => {
    const fleets = rolling();
    fleets.says(0, { inFlight: 2 });
    fleets.now += 300;
    fleets.due({ of: 'instance', id: worker(0) });
    paused(fleets, 'worker:0 has not drained within 300ms, 2 jobs in flight; it drains on');
    expect(fleets.effects.filter(({ type }) => type.startsWith('signal'))).toEqual([]);
    expect(fleets.kinds()).toBe('draining running running running');
  });

  test("an operator's restart of the replacement in its turn", () => {
    const fleets = rolling().gone(0).ready(0);
    fleets.take({ type: 'restart', ids: [worker(0)], programs: [] });
    paused(fleets, 'worker:0 was asked to end before it was healthy');
  });

  test('on_timeout kill: the drain is cut, and it goes on', () => {
    const fleets = rolling(program({ instances: 4, drain: { onTimeout: 'kill' } }));
    fleets.now += 300;
    fleets.due({ of: 'instance', id: worker(0) });
    expect(fleets.kinds()).toBe('killing running running running');
    expect(rolloutOf(fleets).state).toBe('running');
  });

  test('on_timeout kill in the new config alone: nobody is killed who was started without it', () => {
    const fleets = rolling(old, next({ drain: { onTimeout: 'kill' } }));
    fleets.now += 300;
    fleets.due({ of: 'instance', id: worker(0) });
    expect(fleets.kinds()).toBe('draining running running running');
    expect(rolloutOf(fleets).state).toBe('paused');
  });

  test('while it is paused nobody else is touched, and the turn that is under way goes on', () => {
    const fleets = steer(rolling(), 'pause');
    paused(fleets, 'paused by the operator');
    turn(fleets, 0);
    expect(turns(fleets)).toBe('done pending pending pending');
    expect(rolloutOf(fleets).state).toBe('paused');
  });

  test('a pause by the operator does not hide the reason of the pause before it', () => {
    const fleets = steer(rolling().gone(0).spawned(0).exited(0, 1), 'pause');
    paused(fleets, 'worker:0 exited with code 1 after 0ms, before it was ready');
  });
});

describe('resume', () => {
  test('goes on where it was', () => {
    const fleets = steer(turn(steer(rolling(), 'pause'), 0), 'resume');
    expect(turns(fleets)).toBe('done draining pending pending');
    expect(rolloutOf(fleets)).toMatchObject({ state: 'running', reason: null });
  });

  test('takes a failed turn again, with a new run', () => {
    const fleets = rolling().gone(0).spawned(0).gone(0, 1);
    expect(fleets.kinds()).toBe('backoff running running running');
    steer(fleets, 'resume');
    expect(turns(fleets)).toBe('starting pending pending pending');
    expect(fleets.kinds()).toBe('spawning running running running');
  });

  test.each(['spawning', 'starting', 'running'])(
    'a replacement that is %s again by itself is not replaced once more',
    (kind) => {
      const fleets = rolling().gone(0).spawned(0).gone(0, 1);
      fleets.now += 100;
      fleets.due({ of: 'instance', id: worker(0) });
      if (kind === 'starting') fleets.spawned(0);
      if (kind === 'running') fleets.ready(0);
      expect(fleets.seat(0).phase.kind).toBe(kind);
      const { lastRun } = fleets.seat(0);
      steer(fleets, 'resume');
      expect(turns(fleets)).toMatch(/^(starting|settling) pending/);
      expect(fleets.seat(0).lastRun).toBe(lastRun);
    },
  );

  test('tells of the turns that it takes again', () => {
    const fleets = rolling().gone(0).spawned(0).gone(0, 1);
    steer(fleets, 'resume');
    const steps = fleets.effects.flatMap((effect) =>
      effect.type === 'announce' && effect.what.type === 'turn' ? [effect.what.step] : [],
    );
    expect(steps).toEqual(['pending', 'draining', 'starting']);
  });

  test('gives a drain that was too long its whole time anew', () => {
    const fleets = rolling();
    fleets.now += 300;
    fleets.due({ of: 'instance', id: worker(0) });
    fleets.now += 5000;
    steer(fleets, 'resume');
    expect(rolloutOf(fleets).state).toBe('running');
    expect(fleets.timers.get('instance worker:0')).toBe(fleets.now + 300);
  });
});

describe('abort', () => {
  test('what has not had its turn is left alone, what works stays as it is', () => {
    const fleets = turn(rolling(), 0);
    steer(fleets, 'abort');
    expect(turns(fleets)).toBe('done draining skipped skipped');
    expect(rolloutOf(fleets)).toMatchObject({
      state: 'aborted',
      reason: 'aborted by the operator; worker:1 gets back the old config',
    });
    fleets.gone(1).ready(1);
    expect([0, 1, 2, 3].map((i) => fleets.seat(i).program.revision)).toEqual(['two', 'one', 'one', 'one']);
    expect(fleets.kinds()).toBe('running running running running');
  });

  test('a replacement that failed goes back to what it had before', () => {
    const fleets = rolling().gone(0).spawned(0).gone(0, 1);
    steer(fleets, 'abort');
    expect(fleets.seat(0).phase).toMatchObject({ kind: 'spawning', life: { program: { revision: 'one' } } });
    expect(rolloutOf(fleets).reason).toBe(
      'aborted by the operator: worker:0 exited with code 1 after 0ms, before it was ready; worker:0 gets back the old config',
    );
  });

  test('one that failed only after its turn was done goes back as well', () => {
    const fleets = turn(rolling(), 0);
    fleets.gone(0, 1);
    steer(fleets, 'abort');
    expect(fleets.seat(0).program.revision).toBe('one');
  });

  test('one that has recovered by itself keeps what works', () => {
    const fleets = rolling().gone(0).spawned(0).gone(0, 1);
    fleets.now += 100;
    fleets.due({ of: 'instance', id: worker(0) }).ready(0);
    steer(fleets, 'abort');
    expect(fleets.seat(0)).toMatchObject({ program: { revision: 'two' }, phase: { kind: 'running' } });
  });

  test('one that was stopped before or in its turn is started with what it had before', () => {
    const fleets = new Fleets([old]).allReady().stop(3).gone(3);
    begin(fleets).stop(0);
    expect(turns(fleets)).toBe('skipped draining pending skipped');
    expect(fleets.seat(3).program.revision).toBe('two');
    steer(fleets, 'abort');
    expect([0, 3].map((i) => fleets.seat(i).program.revision)).toEqual(['one', 'one']);
  });

  test('one that was stopped after its turn was done keeps what has proved itself', () => {
    const fleets = steer(turn(rolling(), 0).stop(0), 'abort');
    expect(fleets.seat(0).program.revision).toBe('two');
  });

  test('kills nobody: a drain that was too long drains on', () => {
    const fleets = rolling();
    fleets.now += 300;
    fleets.due({ of: 'instance', id: worker(0) });
    steer(fleets, 'abort');
    fleets.now += 1_000_000;
    fleets.due({ of: 'instance', id: worker(0) });
    expect(fleets.kinds()).toBe('draining running running running');
  });

  test('what is over cannot be steered any more', () => {
    const fleets = steer(rolling(), 'abort');
    for (const command of ['pause', 'resume', 'abort'] as const) {
      steer(fleets, command);
      expect(rolloutOf(fleets).state).toBe('aborted');
    }
    expect(fleets.timers.has('rollout 1')).toBe(false);
  });
});

describe('deadlines of turns that are under way together', () => {
  test('the earliest is the one that it is woken for', () => {
    const fleets = rolling(old, next(), 2).gone(0);
    const first = fleets.now + 2000;
    fleets.now += 100;
    fleets.gone(1);
    expect(fleets.timers.get('rollout 1')).toBe(first);
    fleets.ready(1);
    expect(fleets.timers.get('rollout 1')).toBe(fleets.now + 500);
  });
});

test('a run that is not the replacement of this turn does not end it well, however it came about', () => {
  const fleets = rolling().gone(0).ready(0);
  const seats = new Map([0, 1, 2, 3].map((index) => [worker(index), fleets.seat(index)]));
  seats.set(worker(0), { ...fleets.seat(0), lastRun: run(99) });
  const view = { ...viewOf(fleets.fleet, rolloutOf(fleets), at(fleets.now + 60_000)), seats };
  const { rollout } = stepRollout(rolloutOf(fleets), { type: 'look' }, view);
  expect(rollout).toMatchObject({ state: 'paused', reason: 'worker:0 ended before it was healthy' });
});

describe("an operator's stop", () => {
  test('of the one in its turn skips it, and the next one follows', () => {
    const fleets = rolling().stop(0);
    expect(turns(fleets)).toBe('skipped draining pending pending');
    fleets.gone(0);
    expect(fleets.kinds()).toBe('stopped draining running running');
  });

  test('of one whose turn is to come skips it, and it takes on the plan for its next start', () => {
    const fleets = rolling().stop(2);
    expect(turns(fleets)).toBe('draining pending skipped pending');
    fleets.gone(2).start(worker(2));
    expect(fleets.seat(2).phase).toMatchObject({ kind: 'spawning', life: { program: { revision: 'two' } } });
  });

  test('of all of them ends it', () => {
    const fleets = new Fleets([old]).allReady();
    for (const index of [0, 1, 2, 3]) fleets.stop(index);
    begin(fleets);
    expect(rolloutOf(fleets).state).toBe('aborted');
  });
});

test('an instance of another program is no obstacle', () => {
  const other = program({ name: programName('other') });
  const fleets = new Fleets([program(), other]).start().ready(0);
  fleets.take({ ...BEGIN, program: program(), ids: [worker(0)], maxParallel: 1 });
  expect(fleets.kinds()).toBe('draining spawning');
});

test('numbers and generations grow from what was remembered', () => {
  const memory = {
    ...NO_MEMORY,
    nextRun: 41,
    nextRollout: 7,
    generations: new Map([[old.name, 5]]),
    stopped: new Set([worker(1)]),
  };
  const fleets = new Fleets([old], memory);
  expect(fleets.seat(1).wish).toEqual({ want: 'down', because: 'operator' });
  fleets.start(worker(0)).ready(0);
  expect(fleets.runOf(0)).toBe(41);
  begin(fleets);
  expect(rolloutOf(fleets)).toMatchObject({ id: rolloutId(7), generation: 6 });
});
