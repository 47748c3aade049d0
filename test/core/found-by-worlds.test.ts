/** What the rude world has found in core, each in as few steps as it takes. */
import { describe, expect, test } from 'vitest';
import { programName, revision } from '../../src/base/ids.ts';
import type { DependencyCondition, ProgramPlan, SchedulePlan } from '../../src/core/plan.ts';
import { BEGIN, type Change, Fleets, hook, program, worker } from './rig.ts';
import { crash, fresh, healthy, look, rolling, steer, turn, turns } from './rolling.ts';

const named = (name: string, change: Change = {}): ProgramPlan =>
  program({ name: programName(name), ...change });
const needing = (on: string, condition: DependencyCondition): Change => ({ dependsOn: { [on]: condition } });
const timed = (overlap: SchedulePlan['overlap'], change: Change = {}): ProgramPlan =>
  program({ restart: 'never', schedule: { cron: '* * * * *', timezone: null, overlap }, ...change });

describe('within one request', () => {
  test('what others need is restarted before them, though the file has it last: they wait for it', () => {
    const fleets = new Fleets([named('web', needing('db', 'ready')), named('db')]).allReady();
    fleets.stop('web').gone('web');
    fleets.take({ type: 'restart', ids: fleets.ids(), programs: [] });
    expect(fleets.kinds()).toBe('waiting draining');
  });

  test('what others need is wanted before them: they wait for all of it', () => {
    const web = named('web', needing('worker', 'ready'));
    const fleets = new Fleets([web, program({ instances: 2 })]).start(worker(0)).ready(0);
    expect(fleets.start().kindOf('web:0')).toBe('waiting');
  });
});

describe('within one step', () => {
  test('nobody begins counting on what begins anew: what others need is looked at before them', () => {
    const task = program({ instances: 2, restart: 'never' });
    const web = named('web', { instances: 2, ...needing('worker', 'completed') });
    const fleets = new Fleets([task, web]).start().ready(0).ready(1);
    const of = (plan: ProgramPlan) => ({
      program: plan,
      ids: fleets.ids().filter((id) => id.startsWith(plan.name)),
    });
    for (const plan of [task, web]) fleets.take({ ...BEGIN, ...of(plan), maxParallel: 1 });
    fleets.gone(1);
    expect(fleets.kinds()).toBe('draining exited waiting waiting');
    fleets.take({ type: 'stop', ids: [worker(0), fleets.seat('web:0').id], how: 'drain' });
    // All that is wanted of it has completed, and is replaced in its turn.
    expect(fleets.kinds()).toBe('draining spawning stopped waiting');
  });
});

describe('what is on its way out', () => {
  const leaving = (): Fleets => new Fleets([program({ instances: 2 })]).allReady().scale(1);

  test('is not brought back by a restart', () => {
    const fleets = leaving();
    fleets.take({ type: 'restart', ids: fleets.ids(), programs: [] }).gone(1);
    expect(fleets.kindOf(1)).toBe('none');
  });

  test('has no turn in a rollout', () => {
    const fleets = leaving();
    fleets.take({ ...BEGIN, program: program(), ids: fleets.ids(), maxParallel: 1 });
    expect([...fleets.fleet.rollouts.values()][0]?.turns.map(({ id }) => id)).toEqual([worker(0)]);
  });

  test('an extra run that is to stay is asked what it needs now', () => {
    const fleets = new Fleets([timed('allow', needing('db', 'ready')), named('db')]).start();
    fleets.ready('db').scheduled().ready(0).stop('db').scheduled();
    expect(fleets.kindOf(1)).toBe('waiting');
    fleets.reload(timed('allow', { revision: revision('two') })).scale(2);
    expect(fleets.seat(1).leaving).toBe(false);
    expect(fleets.kindOf(1)).toBe('spawning');
  });
});

test('a stop that has to wait for others takes a drain from the rollout, which would have killed', () => {
  const db = program({ drain: { onTimeout: 'kill', timeoutMs: 300 } });
  const fleets = new Fleets([db, named('web', needing('worker', 'ready'))]).allReady();
  fleets.take({ ...BEGIN, program: db, ids: [worker(0)], maxParallel: 1 });
  expect(fleets.kindOf(0)).toBe('draining');
  fleets.stopAll().ring(0, 300);
  expect(fleets.signals()).toBe('TERM→worker:0');
});

describe('a schedule', () => {
  test('does not queue behind a run that has not begun, and says so', () => {
    const fleets = new Fleets([timed('queue', needing('db', 'ready')), named('db')])
      .start(worker(0))
      .stop('db');
    fleets.scheduled().scheduled();
    expect(fleets.news('schedule').map(({ what }) => what)).toEqual(['skipped']);
    expect(fleets.seat(0).queued).toBe(false);
  });

  test('runs nothing beside what does not run by it yet', () => {
    const fleets = new Fleets([program()]).allReady();
    fleets.reload(timed('allow', { revision: revision('two') })).scheduled();
    expect(fleets.ids()).toEqual([worker(0)]);
  });

  test('runs what is queued once, though it had to wait and was started meanwhile', () => {
    const fleets = new Fleets([timed('queue', needing('db', 'ready')), named('db')]).start();
    fleets.ready('db').scheduled().ready(0).scheduled().stop('db').gone(0);
    expect(fleets.kindOf(0)).toBe('waiting');
    fleets.start(worker(0)).gone('db').start().ready('db').ready(0).gone(0);
    expect(fleets.seat(0).phase).toMatchObject({ kind: 'waiting', what: { kind: 'schedule' } });
  });
});

test('a second yes while the post_start hook runs is nothing to write down', () => {
  const check = { kind: 'tcp', host: 'localhost', port: '80' } as const;
  const ready = { when: 'check', check, intervalMs: 10, timeoutMs: null } as const;
  const fleets = new Fleets([program({ ready, hooks: { post_start: hook() } })]).start().spawned(0);
  expect(fleets.checked(0, true, 'ready').deeds()).toBe('post_start of worker:0, unwatch ready of worker:0');
  expect(fleets.checked(0, true, 'ready').effects).toEqual([]);
});

test('who is killed in its turn is waited for on the way back as well, and for as long after that', () => {
  const drain = { onTimeout: 'kill', timeoutMs: 1000 } as const;
  const options = { onFailure: 'revert', afterKillHoldMs: 800 } as const;
  const old = { drain, rollout: options };
  const fleets = rolling(fresh(options, { drain }), { maxParallel: 3 }, old);
  turn(turn(fleets, 0), 2).ring(1, 300);
  expect(fleets.signals()).toBe('KILL→worker:1…');
  fleets.now += 900;
  crash(fleets.gone(3), 3);
  expect(turns(fleets)).toBe('pending draining pending starting');
  healthy(fleets, 3);
  expect(turns(fleets)).toBe('pending draining pending done');
  fleets.gone(1);
  expect(turns(fleets)).toBe('pending starting pending done');
  expect(fleets.seat(1)).toMatchObject({ program: { revision: 'one' }, generation: 2 });
  look(fleets, 799);
  expect(turns(fleets)).toBe('pending starting pending done');
  look(fleets, 1);
  expect(turns(fleets)).toBe('draining starting draining done');
});

test('what a reload gives to all at once is part of what an abort goes back to, also where the rollout brings it', () => {
  const target = fresh({}, { command: ['new'], maxAgeMs: 1e9 });
  const fleets = rolling(target).reload(target);
  expect(fleets.seat(1).program).toMatchObject({ revision: 'one', maxAgeMs: 1e9 });
  steer(fleets, 'abort');
  expect(fleets.seat(0).program).toMatchObject({ revision: 'one', maxAgeMs: 1e9 });
});
