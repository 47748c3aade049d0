/** What of a fleet is found again by the next daemon, whenever the last one was killed. */
import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mono, wall } from '../../src/base/clock.ts';
import { instanceId, pid, programName, revision, rolloutId, run } from '../../src/base/ids.ts';
import { adoptRuns } from '../../src/core/fleet/adopt.ts';
import { bodyOf, lifeOf } from '../../src/core/instance/phase.ts';
import { unwanted } from '../../src/daemon/adopt.ts';
import { Journal } from '../../src/daemon/journal.ts';
import { readMemory } from '../../src/daemon/remembered.ts';
import type { Unrecorded } from '../../src/ports/processes.ts';
import { at, BEGIN, plan, program, worker } from '../core/rig.ts';
import { Heir as Daemon, journalFile, useHeirs } from './heir.ts';

useHeirs();

const marked = (number: number): Unrecorded => ({
  run: run(number),
  pid: pid(4000 + number),
  instance: 'worker:0',
  identity: `boot ${4000 + number}`,
  ageMs: 60_000,
  revision: null,
  generation: null,
});

describe('after a boot', () => {
  const two = [program({ instances: 2 })];
  const atWork = (): Daemon => new Daemon({ programs: two }).start().spawned(0);

  it('no process is believed, neither one that worked nor one that was about to be begun; the wish is', () => {
    const first = atWork();
    expect([first.seat(0).phase.kind, first.seat(1).phase.kind]).toEqual(['starting', 'spawning']);
    const second = first.next({ programs: two, boot: 'another' });
    expect([second.seat(0), second.seat(1)]).toMatchObject([
      { phase: { kind: 'stopped' }, restarts: 0, failures: 0, lastExit: null },
      { phase: { kind: 'stopped' }, restarts: 0, failures: 0, lastExit: null },
    ]);
    expect(second.isAnew).toBe(true);
    expect(adoptRuns(second.fleet)).toEqual([]);
    second.goOn();
    expect([second.seat(0).phase.kind, second.seat(1).phase.kind]).toEqual(['spawning', 'spawning']);
    expect(second.run(0), 'no number is given out again').toBeGreaterThan(first.run(1));
  });

  it('they are forgotten for good, also when the daemon is killed again at once', () => {
    const second = atWork().next({ programs: two, boot: 'another' });
    const third = second.next({ programs: two, boot: 'another' });
    expect(third.isAnew).toBe(false);
    expect(third.seat(0).phase.kind).toBe('stopped');
    expect(third.goOn().seat(0).phase.kind).toBe('spawning');
  });

  it('what lives in spite of that is found by its mark', () => {
    const second = atWork().next({ programs: two, boot: 'another', found: [marked(1)] });
    expect(second.seat(0)).toMatchObject({ phase: { kind: 'running', body: { pid: 4001 } } });
  });

  it.each([
    ['the same', 'this', 'this'],
    ['unknown now', 'this', null],
    ['unknown before', null, 'this'],
  ])('they are believed where the boot is %s', (_, one, other) => {
    const first = new Daemon({ programs: two, boot: one }).start().spawned(0);
    const second = first.next({ programs: two, boot: other });
    expect(second.isAnew).toBe(false);
    expect(second.seat(0).phase.kind).toBe('starting');
  });
});

describe('a run to completion', () => {
  const once = program({ restart: 'on_failure' });
  const completed = (): Daemon => {
    const first = new Daemon({ programs: [once] }).start().spawned().exited().empty();
    first.journal.flush();
    return first;
  };

  it('is not forgotten when the daemon dies', () => {
    const { lastExit, lastRun } = completed().seat();
    const second = new Daemon({ programs: [once] });
    expect(second.seat()).toMatchObject({
      phase: { kind: 'exited' },
      wish: { want: 'up' },
      lastExit,
      lastRun,
    });
    expect(lastExit).toMatchObject({ exit: { kind: 'code', code: 0 } });
    const third = second.next({ programs: [once] });
    expect(third.seat().phase.kind, 'nor when the next one dies').toBe('exited');
    expect(third.start().seat().phase.kind, 'whoever names it runs it again').toBe('spawning');
    expect(third.next({ programs: [once] }).seat().phase.kind).toBe('stopped');
  });

  it.each([
    ['a shutdown', (first: Daemon) => first.take({ type: 'shutdown', how: 'drain', timeoutMs: null }), {}],
    ['an operator’s stop', (first: Daemon) => first.stop(), {}],
    ['a boot', (first: Daemon) => first, { boot: 'another' }],
    ['another config', (first: Daemon) => first, { programs: [{ ...once, revision: revision('2') }] }],
    ['another policy', (first: Daemon) => first, { programs: [program({ restart: 'always' })] }],
  ] as const)('is forgotten after %s', (_, then, options) => {
    expect(
      then(completed())
        .next({ programs: [once], ...options })
        .seat().phase.kind,
    ).toBe('stopped');
  });

  it('is forgotten where nobody knows whether this is the same boot', () => {
    const unknown = { programs: [once], boot: null };
    const first = new Daemon(unknown).start().spawned().exited().empty();
    expect(first.next(unknown).seat().phase.kind).toBe('stopped');
  });

  it('is forgotten with its program', () => {
    expect(
      completed()
        .next({ programs: [] })
        .next({ programs: [once] })
        .seat().phase.kind,
    ).toBe('stopped');
  });
});

describe('the next daemon', () => {
  it('knows nothing any more of a run that ended at once after it was adopted', () => {
    const second = new Daemon().start().spawned().exited(1).next();
    expect(second.seat().phase.kind).toBe('sweeping');
    second.empty().stop();
    const third = second.next();
    expect(third.seat()).toMatchObject({
      phase: { kind: 'stopped' },
      wish: { want: 'down', because: 'operator' },
    });
  });

  it('has been told of a run number before that number is given to anybody', () => {
    const first = new Daemon({ programs: [program({ instances: 3 })] });
    const begun: number[] = [];
    first.performs = (effect) => {
      if (effect.type !== 'spawn') return;
      begun.push(effect.life.run);
      const journal = new Journal(journalFile(), () => {});
      expect(readMemory(journal, plan([]), at(0), { boot: null }).memory.nextRun).toBeGreaterThan(
        Math.max(...begun),
      );
      journal.close();
    };
    first.start();
    expect(begun).toHaveLength(3);
  });

  it('gives no number again that it has found on a process, whatever the records say', () => {
    const second = new Daemon({ found: [marked(5)] });
    expect(second.fleet.nextRun).toBe(6);
  });

  it('takes up the run that was begun last, not the recorded one before it', () => {
    const first = new Daemon().start().spawned();
    first.journal.flush();
    first.exited(1).empty();
    const second = first.nextAtOnce({ found: [marked(2)] });
    expect(second.seat()).toMatchObject({ phase: { kind: 'running', body: { pid: 4002 } }, lastRun: 2 });
    expect(bodyOf(second.seat().phase)?.life.startedAt).toEqual({ mono: -60_000, wall: at(0).wall - 60_000 });
    expect(second.identities.get(run(2))).toBe('boot 4002');
  });

  it('leaves a recorded run alone for one from before it', () => {
    const first = new Daemon().start().spawned().stop().exited(0).empty().start().spawned();
    expect(first.run()).toBe(2);
    const second = first.next({ found: [marked(1)] });
    expect(second.run()).toBe(2);
  });

  it('knows that what a rollout had left hanging was taken on by the operator', () => {
    const first = new Daemon({ programs: [program({ ready: { when: 'notify', timeoutMs: null } })] });
    first
      .start()
      .spawned()
      .take({ type: 'notified', run: first.run(), message: { ready: true } });
    first.take({ ...BEGIN, program: first.seat().program, ids: first.ids(), maxParallel: 1 });
    expect(first.seat().phase).toMatchObject({ kind: 'draining', onTimeout: 'pause' });
    first.take({ type: 'steer_rollout', id: rolloutId(1), command: 'abort' });
    first.take({ type: 'restart', ids: first.ids(), programs: [] });
    expect(first.next().seat().phase).toMatchObject({ kind: 'draining', onTimeout: 'stop' });
  });

  it('gives a drain the time that it has left, not a fresh deadline, on a stopwatch of its own', () => {
    const first = new Daemon().start().spawned().stop();
    const later = { mono: mono(7), wall: wall(at(100).wall) };
    expect(first.next({ now: later }).seat().phase).toMatchObject({
      kind: 'draining',
      deadline: 207,
      ending: { since: { mono: -93, wall: at(0).wall } },
    });
  });

  it('gives the generation that its program has to a run that nobody had recorded', () => {
    const first = new Daemon().start().spawned();
    first.take({ ...BEGIN, program: program(), ids: first.ids(), maxParallel: 1 });
    first.exited().empty().spawned().stop().exited().empty();
    const second = first.next({ found: [marked(9)] });
    expect(second.seat()).toMatchObject({ generation: 1, phase: { body: { life: { generation: 1 } } } });
  });

  it('keeps a stop of the operator’s although a shutdown came before it was over', () => {
    const first = new Daemon().start().spawned().stop();
    first.take({ type: 'shutdown', how: 'drain', timeoutMs: null }).exited();
    expect(first.next().seat()).toMatchObject({ phase: { kind: 'draining' }, wish: { because: 'operator' } });
  });

  it('does not take a shutdown that was cut off for a stop of the operator’s', () => {
    const first = new Daemon().start().spawned();
    first.take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect(first.next().seat()).toMatchObject({ wish: { want: 'down', because: 'shutdown' } });
  });
});

describe('a run that the last daemon died beside', () => {
  const hook = { command: ['hook'], timeoutMs: 1000, onFailure: 'fail' } as const;

  it('has its post_start hook still to come, if that was under way', () => {
    const programs = [program({ hooks: { post_start: hook }, ready: { when: 'notify', timeoutMs: null } })];
    const first = new Daemon({ programs }).start().spawned();
    first.take({ type: 'notified', run: first.run(), message: { ready: true } });
    expect(first.seat().phase).toMatchObject({ kind: 'starting', hook: true });
    const second = first.next({ programs });
    expect(second.seat().phase).toMatchObject({ kind: 'starting', hook: true });
    expect(adoptRuns(second.fleet)).toContainEqual(
      expect.objectContaining({ type: 'hook', hook: 'post_start' }),
    );
  });

  it('that was not asked to drain yet, since its pre_drain hook was under way, is known to be so', () => {
    const programs = [program({ hooks: { pre_drain: hook } })];
    const first = new Daemon({ programs }).start().spawned().stop();
    expect(first.seat().phase).toMatchObject({ kind: 'draining', asked: false });
    const second = first.next({ programs });
    expect(second.seat().phase).toMatchObject({ kind: 'draining', asked: false });
    second.take({ type: 'hooked', run: second.run(), hook: 'pre_drain', ok: true, detail: '' });
    expect(second.next({ programs }).seat().phase).toMatchObject({ kind: 'draining', asked: true });
  });

  it('is looked at for its health anew, and is worn no more', () => {
    const check = { kind: 'tcp', host: 'x', port: '1' } as const;
    const health = { check, intervalMs: 100, timeoutMs: 50, failures: 1, action: 'none' } as const;
    const programs = [program({ health, ready: { when: 'notify', timeoutMs: null } })];
    const first = new Daemon({ programs }).start().spawned();
    const { run } = { run: first.run() };
    first.take({ type: 'notified', run, message: { ready: true } });
    first.take({ type: 'checked', run, purpose: 'health', ok: false, detail: 'refused' });
    expect(first.seat().phase).toMatchObject({ kind: 'running', health: { ok: false } });
    expect(first.next({ programs }).seat().phase).toMatchObject({
      kind: 'running',
      health: { ok: null, failures: 0 },
      worn: null,
      overSince: null,
    });
  });

  it('has the time of its watchdog anew, be that from the plan or by its own word, and each word costs no line', () => {
    const programs = [program({ watchdogMs: 1000, ready: { when: 'notify', timeoutMs: null } })];
    const first = new Daemon({ programs }).start().spawned();
    const run = first.run();
    first.take({ type: 'notified', run, message: { ready: true } });
    first.journal.flush();
    const size = statSync(journalFile()).size;
    first.at(10).take({ type: 'notified', run, message: { watchdog: 'alive' } });
    expect(first.seat().phase).toMatchObject({ watchdogBy: 1010 });
    first.journal.flush();
    expect(statSync(journalFile()).size).toBe(size);
    const later = { mono: mono(70), wall: wall(at(5000).wall) };
    const second = first.next({ programs, now: later });
    expect(second.seat().phase).toMatchObject({ watchdogBy: 1070 });
    second.take({ type: 'notified', run, message: { watchdogMs: 300 } });
    expect(second.next({ programs, now: later }).seat().phase).toMatchObject({
      watchdogBy: 370,
      body: { said: { watchdogMs: 300 } },
    });
  });

  it('is watched for its line of output from the same place, as long as it is not ready', () => {
    const pattern = { kind: 'text', text: 'up' } as const;
    const programs = [program({ ready: { when: 'log', pattern, timeoutMs: null } })];
    const first = new Daemon({ programs }).start().spawned();
    const number = first.run();
    const second = first.next({ programs });
    expect(second.places.get(number)).toEqual([{ path: '/log', from: 1000 + number }]);
    second.take({ type: 'checked', run: number, purpose: 'log', ok: true, detail: 'up' });
    expect(second.next({ programs }).places.size).toBe(0);
  });

  it('has what takes effect at once from the config as it is now, and the rest from its start', () => {
    const first = new Daemon({ programs: [program({ stop: { timeoutMs: 111 } })] }).start().spawned();
    const fresh = program({ maxAgeMs: 5000, stop: { timeoutMs: 222 } });
    const life = lifeOf(first.next({ programs: [fresh] }).seat().phase);
    expect(life?.program).toMatchObject({ maxAgeMs: 5000, stop: { timeoutMs: 111 } });
  });

  it('is still one of those that go when they are at rest', () => {
    const programs = [program({ instances: 2 })];
    const first = new Daemon({ programs }).start().spawned(0).spawned(1);
    first.take({ type: 'scale', program: programName('worker'), instances: 1 });
    expect(first.seat(1)).toMatchObject({ leaving: true, phase: { kind: 'draining' } });
    expect(first.next({ programs }).seat(1)).toMatchObject({ leaving: true, wish: { want: 'down' } });
  });

  it.each([
    ['that the config has no more', [program({ name: programName('other') })], 'reload'],
    ['whose number is out of the config', [program({ instances: 0 })], 'reload'],
  ] as const)('%s is drained', (_, programs, because) => {
    const second = new Daemon().start().spawned().next({ programs });
    expect(unwanted(second.fleet)).toEqual([{ type: 'stop', ids: [worker(0)], how: 'drain', because }]);
  });

  it('that was to end after others in a shutdown is drained, and is not taken for removed or stopped by hand', () => {
    const redis = program({ name: programName('redis') });
    const worker0 = program({ dependsOn: { [programName('redis')]: 'started' } });
    const programs = [redis, worker0];
    const first = new Daemon({ programs }).start();
    first.take({ type: 'spawned', run: run(1), pid: pid(4001) }).take({
      type: 'spawned',
      run: run(2),
      pid: pid(4002),
    });
    first.take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    const held = instanceId(redis.name, 0);
    expect(first.fleet.instances.get(held)).toMatchObject({
      wish: { want: 'down' },
      phase: { kind: 'starting' },
    });
    const second = first.next({ programs });
    const stops = unwanted(second.fleet);
    expect(stops).toEqual([{ type: 'stop', ids: [held], how: 'drain', because: 'shutdown' }]);
    for (const event of stops) second.take(event);
    expect(second.next({ programs }).fleet.instances.get(held)?.wish).toEqual({
      want: 'down',
      because: 'shutdown',
    });
  });

  it('that is wanted, or ends already, is left alone', () => {
    const first = new Daemon({ programs: [program({ instances: 2 })] }).start().spawned(0).spawned(1);
    first.take({ type: 'stop', ids: [worker(1)], how: 'drain' });
    expect(unwanted(first.next({ programs: [program({ instances: 2 })] }).fleet)).toEqual([]);
  });

  it('a drain of a rollout that leads it no more goes on to its end as any other', () => {
    const first = new Daemon().start().spawned();
    first.at(1000).take({ type: 'due', timer: { of: 'instance', id: worker(0) } });
    first.take({ ...BEGIN, program: first.seat().program, ids: first.ids(), maxParallel: 1 });
    expect(first.seat().phase).toMatchObject({ kind: 'draining', onTimeout: 'pause' });
    const second = first.next({ programs: [] });
    expect(unwanted(second.fleet)).toEqual([
      { type: 'stop', ids: [worker(0)], how: 'drain', because: 'reload' },
    ]);
  });
});

describe('how many there are', () => {
  const scaled = (instances: number): Daemon =>
    new Daemon().take({ type: 'scale', program: programName('worker'), instances });

  it('by the operator’s word outlives the daemon', () => {
    expect(scaled(3).next().ids()).toHaveLength(3);
  });

  it('is the config’s again when that has another number than it had then', () => {
    const programs = [program({ instances: 2 })];
    const second = scaled(3).next({ programs });
    expect(second.ids()).toHaveLength(2);
    expect(second.next().ids(), 'and the word is forgotten for good').toHaveLength(1);
  });

  it('is the config’s again when the operator asks for just that', () => {
    const first = scaled(3);
    first.take({ type: 'scale', program: programName('worker'), instances: 1 });
    expect([...first.journal.under('count/')]).toEqual([]);
  });

  it.each([null, 7, { instances: -1, configured: 1 }, { instances: '3', configured: 1 }, { configured: 1 }])(
    'is the config’s where something else is written down: %j',
    (value) => {
      const journal = new Journal(journalFile(), () => {});
      journal.put('count/worker', value);
      journal.close();
      expect(new Daemon().ids()).toHaveLength(1);
    },
  );

  it('leaves nothing behind of an instance that is there no more', () => {
    const programs = [program({ instances: 2 })];
    const first = new Daemon({ programs }).start().spawned(0).spawned(1);
    first.take({ type: 'stop', ids: [worker(1)], how: 'drain' });
    const number = first.run(1);
    first.take({ type: 'scale', program: programName('worker'), instances: 1 });
    first.take({ type: 'exited', run: number, exit: { kind: 'code', code: 0 } });
    first.take({ type: 'tree', run: number, left: 0 });
    expect(first.ids()).toEqual([worker(0)]);
    const keys = ['run/', 'stopped/'].flatMap((prefix) => [...first.journal.under(prefix)]);
    expect(keys.map(([id]) => id)).toEqual(['worker:0']);
  });
});

describe('an instance that the config has no more', () => {
  const other = program({ name: programName('other') });

  it('is not remembered as stopped by the operator: it may come back', () => {
    const second = new Daemon()
      .start()
      .spawned()
      .next({ programs: [other] });
    second.take({
      type: 'stop',
      ids: [instanceId(programName('worker'), 0)],
      how: 'drain',
      because: 'reload',
    });
    second.exited().empty();
    expect(second.next().seat()).toMatchObject({ wish: { want: 'down', because: 'start' } });
  });
});

it.each([{}, { id: 'worker:0' }, { id: 7, run: {} }, [], 'x', 7])(
  'a record of another shape (%j) is passed over, and what is well recorded is known',
  (record) => {
    const journal = new Journal(journalFile(), () => {});
    journal.put('run/worker:0', record);
    journal.put('stopped/worker:1', true);
    journal.close();
    const { memory } = readMemory(new Daemon().journal, plan([program()]), at(0), { boot: null });
    expect([...memory.alive.keys()]).toEqual([]);
    expect([...memory.stopped]).toEqual(['worker:1']);
  },
);
