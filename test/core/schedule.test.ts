/** Scheduled programs: each time is kept once or said not to be, runs go to completion, and nobody hurries them. */
import { describe, expect, test } from 'vitest';
import { programName, revision } from '../../src/base/ids.ts';
import { NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import type { ProgramPlan, SchedulePlan } from '../../src/core/plan.ts';
import { BEGIN, type Change, Fleets, hook, program, worker } from './rig.ts';

const on = (overlap: SchedulePlan['overlap'] = 'skip', change: Change = {}): ProgramPlan =>
  program({ restart: 'never', schedule: { cron: '* * * * *', timezone: null, overlap }, ...change });
const idle = (plan = on()): Fleets => new Fleets([plan]).start();
const busy = (plan = on()): Fleets => idle(plan).scheduled().ready(0);
const said = (fleets: Fleets): string[] =>
  fleets.news('schedule').map(({ what, detail }) => `${what}: ${detail}`);

describe('a time', () => {
  test('is waited for from the start on; a start does not hurry it, nor does a restart or a proceed', () => {
    const fleets = idle();
    expect(fleets.seat(0).phase).toMatchObject({ kind: 'waiting', what: { kind: 'schedule' } });
    expect(fleets.start().restart(0).kinds()).toBe('waiting');
    expect(fleets.scheduled().kinds()).toBe('spawning');
  });

  test('has one run, which goes to completion, and then the next is waited for', () => {
    const fleets = busy();
    expect(fleets.kinds()).toBe('running');
    fleets.gone(0);
    expect(fleets.kinds()).toBe('waiting');
    expect(fleets.seat(0)).toMatchObject({ failures: 0, lastExit: { exit: { code: 0 } } });
  });

  test.each(['restart', 'rollout'])(
    'is waited for by what waits for something else, and gets it by a %s',
    (way) => {
      const db = program({ name: programName('db') });
      const needs = { dependsOn: { [db.name]: 'ready' } } as const;
      const fleets = new Fleets([db, program(needs)]).start();
      expect(fleets.seat(0).phase).toMatchObject({ what: { kind: 'dependency' } });
      if (way === 'restart') fleets.restart(0, on('skip', needs));
      else {
        const target = on('skip', { ...needs, revision: revision('two') });
        fleets.take({ ...BEGIN, program: target, ids: [worker(0)], maxParallel: 1 });
      }
      expect(fleets.ready('db').kinds()).toBe('running waiting');
      expect(fleets.scheduled().kinds()).toBe('running spawning');
    },
  );

  test('is no restart, but another try of a run that failed is one', () => {
    const fleets = busy(on('skip', { restart: 'on_failure' }))
      .gone(0)
      .scheduled()
      .ready(0)
      .gone(0)
      .scheduled();
    expect(fleets.ready(0).seat(0).restarts).toBe(0);
    fleets.exited(0, 1).tree(0);
    fleets.now += 1000;
    fleets.due({ of: 'instance', id: worker(0) });
    expect(fleets.seat(0).restarts).toBe(1);
    expect(fleets.ready(0).gone(0).scheduled().seat(0).restarts).toBe(1);
  });

  test('of a program that is stopped, or on the way down, is let go', () => {
    expect(idle().stop(0).scheduled().effects).toEqual([]);
    const down = busy().take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect(down.scheduled().effects).toEqual([]);
  });

  test('of a program that has none any more, or does not exist, is let go', () => {
    expect(new Fleets([program()]).allReady().scheduled().effects).toEqual([]);
    expect(idle().scheduled(0, 'nobody').effects).toEqual([]);
  });

  test('that stands for others which nobody could keep is run once, and the count is said', () => {
    const fleets = idle().scheduled(3);
    expect(said(fleets)).toEqual(['late: 4 times have passed; it runs once for all of them']);
    expect(fleets.kinds()).toBe('spawning');
    fleets.ready(0).gone(0);
    expect(fleets.kinds()).toBe('waiting');
  });

  test('comes for all its instances', () => {
    expect(
      idle(on('skip', { instances: 3 }))
        .scheduled()
        .kinds(),
    ).toBe('spawning spawning spawning');
  });
});

describe('overlap', () => {
  test('skip: the time is left out, and that is said', () => {
    const fleets = busy().scheduled();
    expect(said(fleets)).toEqual(['skipped: worker:0 still runs']);
    expect(fleets.gone(0).kinds()).toBe('waiting');
  });

  test('queue: it runs once more afterwards; one at most is kept', () => {
    const fleets = busy(on('queue')).scheduled();
    expect(said(fleets)).toEqual(['queued: worker:0 still runs; it runs once more afterwards']);
    expect(said(fleets.scheduled())).toEqual(['skipped: worker:0 still runs, and one is queued already']);
    expect(fleets.gone(0).kinds()).toBe('spawning');
    expect(fleets.ready(0).gone(0).kinds()).toBe('waiting');
  });

  test('queue: another try of a run that failed is not the one that is queued', () => {
    const fleets = busy(on('queue', { restart: 'on_failure' }))
      .scheduled()
      .gone(0, 1)
      .ring(0, 100);
    expect(fleets.kinds()).toBe('spawning');
    fleets.ready(0).gone(0);
    expect(fleets.kinds()).toBe('spawning');
    expect(fleets.ready(0).gone(0).kinds()).toBe('waiting');
  });

  test('queue: a stop forgets it', () => {
    const fleets = busy(on('queue')).scheduled().stop(0).start();
    expect(fleets.gone(0).kinds()).toBe('waiting');
  });

  test('allow: another instance, with the next number, for this run alone', () => {
    const fleets = busy(on('allow')).scheduled();
    expect(fleets.kinds()).toBe('running spawning');
    expect(fleets.seat(1)).toMatchObject({ leaving: true, wish: { want: 'up', because: 'schedule' } });
    fleets.ready(1).scheduled();
    expect(fleets.kinds()).toBe('running running spawning');
    fleets.gone(1);
    expect(fleets.ids()).toEqual(['worker:0', 'worker:2']);
    expect(fleets.effects).toContainEqual({ type: 'record', what: { kind: 'removed', id: 'worker:1' } });
    expect(fleets.gone(0).kinds()).toBe('waiting spawning');
  });

  test('allow: an extra run that fails is tried again, and goes when that is over', () => {
    const fleets = busy(on('allow', { restart: 'on_failure' }))
      .scheduled()
      .ready(1)
      .gone(1, 1);
    expect(fleets.kinds()).toBe('running backoff');
    expect(fleets.ring(1, 100).ready(1).gone(1).kinds()).toBe('running');
  });

  test('allow: an extra run goes when it is over, though a reload has ended the schedule and has it run for ever', () => {
    const service = program({ restart: 'always', revision: revision('two') });
    const fleets = busy(on('allow')).scheduled().ready(1).reload(service).gone(1);
    expect(fleets.ids()).toEqual([worker(0)]);
  });

  test('allow: of an extra run that failed there is no other try once the schedule is gone', () => {
    const plan = on('allow', { restart: 'on_failure' });
    const fleets = busy(plan).scheduled().ready(1).exited(1, 1).tree(1);
    expect(fleets.seat(1).phase.kind).toBe('backoff');
    // It has taken the plan without a schedule on.
    fleets.fleet.instances.set(worker(1), { ...fleets.seat(1), program: program({ restart: 'always' }) });
    fleets.now += 60_000;
    expect(fleets.due({ of: 'instance', id: worker(1) }).ids()).toEqual([worker(0)]);
  });

  test('allow: a stop ends the extra ones too, and a start leaves them alone', () => {
    const fleets = busy(on('allow')).scheduled().ready(1).stopAll().start();
    expect(fleets.seat(1)).toMatchObject({ wish: { want: 'down' } });
    expect(fleets.gone(0).gone(1).kinds()).toBe('waiting');
  });

  test('allow: a program that never ends does not fill the machine', () => {
    const fleets = busy(on('allow'));
    for (let i = 0; i < 100; i++) fleets.scheduled();
    expect(fleets.ids()).toHaveLength(101);
    expect(said(fleets.scheduled())).toEqual(['skipped: worker:0 and 100 more still run']);
    expect(fleets.ids()).toHaveLength(101);
  });

  test('allow: an extra run outlives the daemon and is let finish by the next', () => {
    const before = busy(on('allow')).scheduled().ready(1);
    const alive = new Map([...before.fleet.instances].map(([id, instance]) => [id, instance]));
    const fresh = on('allow', { revision: revision('two') });
    const fleets = new Fleets([fresh], { ...NO_MEMORY, nextRun: 100, alive });
    expect(fleets.seat(1).program.revision).toBe('two');
    expect(fleets.seat(1)).toMatchObject({ leaving: true, wish: { want: 'up' }, phase: { kind: 'running' } });
    expect(fleets.gone(1).ids()).toEqual(['worker:0']);
  });
});

describe('a run that fails', () => {
  test('restart: never waits for the next time', () => {
    const fleets = busy().gone(0, 1);
    expect(fleets.seat(0)).toMatchObject({ phase: { kind: 'waiting' }, failures: 0 });
  });

  test('restart: on_failure tries again, and when it is given up, its next time is another chance', () => {
    const fleets = busy(on('skip', { restart: 'on_failure' })).gone(0, 1);
    expect(fleets.kinds()).toBe('backoff');
    fleets.ring(0, 100).ready(0).gone(0, 1).ring(0, 200).ready(0).gone(0, 1);
    expect(fleets.kinds()).toBe('waiting');
    expect(fleets.scheduled().seat(0)).toMatchObject({ phase: { kind: 'spawning' }, failures: 0 });
  });

  test('a time that comes while it is only about to be tried again takes its place', () => {
    const fleets = busy(on('skip', { restart: 'on_failure' }))
      .gone(0, 1)
      .scheduled();
    expect(fleets.kinds()).toBe('spawning');
    expect(said(fleets)).toEqual([]);
  });

  test('to start likewise: a spawn error and a pre_start hook', () => {
    const fleets = idle().scheduled();
    fleets.take({ type: 'spawn_failed', run: fleets.runOf(0), stage: 'exec', error: 'ENOENT' });
    expect(fleets.kinds()).toBe('waiting');
    const hooked = idle(on('skip', { hooks: { pre_start: hook() } })).scheduled();
    expect(hooked.kinds()).toBe('preparing');
    expect(hooked.hooked(0, 'pre_start', false).kinds()).toBe('waiting');
  });
});

test('a post_stop hook that fails after a restart begins no run before its time', () => {
  const plan = on('skip', { restart: 'on_failure', hooks: { post_stop: hook() } });
  const fleets = busy(plan).restart(0).gone(0);
  expect(fleets.hooked(0, 'post_stop', false).kinds()).toBe('waiting');
  const failed = busy(plan).gone(0);
  expect(failed.hooked(0, 'post_stop', false).kinds()).toBe('backoff');
});

describe('is not interrupted', () => {
  const next = on('skip', { command: ['two'], revision: revision('two') });

  test('by a rolling restart: it takes the new plan at its next run', () => {
    const fleets = busy().take({ ...BEGIN, program: next, ids: [worker(0)], maxParallel: 1 });
    expect(fleets.kinds()).toBe('running');
    expect(fleets.signals()).toBe('');
    expect([...fleets.fleet.rollouts.values()]).toMatchObject([{ state: 'succeeded' }]);
    expect(fleets.seat(0).phase).toMatchObject({ body: { life: { program: { revision: 'one' } } } });
    fleets.gone(0).scheduled();
    expect(fleets.seat(0).phase).toMatchObject({ kind: 'spawning', life: { program: { revision: 'two' } } });
  });

  test('by a reload, whatever it changes', () => {
    const fleets = busy()
      .reload(next)
      .take({ type: 'take_plan', program: next, ids: [worker(0)] });
    expect(fleets.signals()).toBe('');
    fleets.gone(0).scheduled();
    expect(fleets.seat(0).phase).toMatchObject({ life: { program: { revision: 'two' } } });
  });

  test('but a plan without a schedule has no next time to wait for: it is drained, and runs from then on', () => {
    const always = program({ revision: revision('two') });
    const fleets = busy().take({ ...BEGIN, program: always, ids: [worker(0)], maxParallel: 1 });
    expect(fleets.kinds()).toBe('draining');
    expect(fleets.gone(0).kinds()).toBe('spawning');
  });

  test('a changed time or overlap takes effect at once', () => {
    const fleets = busy().reload(on('queue')).scheduled();
    expect(said(fleets)).toEqual(['queued: worker:0 still runs; it runs once more afterwards']);
  });

  test("an operator's stop drains it, and the start after that waits for the next time", () => {
    const fleets = busy().stop(0);
    expect(fleets.kinds()).toBe('draining');
    expect(fleets.start().gone(0).kinds()).toBe('waiting');
  });
});

describe('with a dependency', () => {
  const db = program({ name: programName('db'), ready: { when: 'notify', timeoutMs: null } });
  const plans = (overlap: SchedulePlan['overlap']) => [
    db,
    on(overlap, { dependsOn: Object.fromEntries([['db', 'ready']]) }),
  ];

  test('the time comes first: nothing is waited for before it', () => {
    const fleets = new Fleets(plans('skip')).start();
    expect(fleets.seat(0).phase).toMatchObject({ what: { kind: 'schedule' } });
    fleets.scheduled();
    expect(fleets.seat(0).phase).toMatchObject({
      what: { kind: 'dependency', on: 'db' },
      because: 'schedule',
    });
    fleets.spawned('db').says('db', { ready: true });
    expect(fleets.kinds()).toBe('running spawning');
  });

  test.each(['skip', 'queue', 'allow'] as const)(
    '%s: times that come meanwhile do not pile up',
    (overlap) => {
      const fleets = new Fleets(plans(overlap)).start().scheduled().scheduled().scheduled();
      expect(said(fleets)).toEqual(['skipped: worker:0 still waits for db']);
      expect(fleets.ids()).toHaveLength(2);
    },
  );
});
