/** What a rollout can be told: extra instances, a canary, a check, failures that are allowed, and the ways back. */
import { describe, expect, test } from 'vitest';
import { programName, revision, rolloutId } from '../../src/base/ids.ts';
import { NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import type { ProgramPlan, RolloutPlan } from '../../src/core/plan.ts';
import { Fleets, hook, program, worker } from './rig.ts';
import {
  type Begin,
  begin,
  crash,
  fresh,
  healthy,
  look,
  records,
  revisions,
  rolling,
  rolloutOf,
  steer,
  turn,
  turns,
} from './rolling.ts';

const CHECK: RolloutPlan['check'] = { check: { kind: 'exec', command: ['verify'] }, timeoutMs: 1000 };

describe('extra instances', () => {
  const surging = (rollout: Partial<RolloutPlan> = {}): Fleets => rolling(fresh(rollout), { surge: 2 });

  test('come first, with the next numbers and the new plan; nobody is touched until all of them are healthy', () => {
    const fleets = surging();
    expect(fleets.kinds()).toBe('running running running running spawning spawning');
    expect(fleets.seat(4)).toMatchObject({ program: { revision: 'two' }, leaving: true });
    healthy(fleets, 4);
    expect(rolloutOf(fleets).reason).toBe('waits for worker:5, an extra instance, to be healthy');
    expect(turns(fleets)).toBe('serving starting pending pending pending pending');
    healthy(fleets, 5);
    expect(turns(fleets)).toBe('serving serving draining pending pending pending');
  });

  test('drain when all others have had their turns, and the rollout has succeeded when they are gone', () => {
    const fleets = surging();
    for (const index of [4, 5]) healthy(fleets, index);
    for (const index of [0, 1, 2, 3]) turn(fleets, index);
    expect(turns(fleets)).toBe('leaving leaving done done done done');
    expect(fleets.kinds()).toBe('running running running running draining draining');
    fleets.gone(4);
    expect(rolloutOf(fleets).state).toBe('running');
    fleets.gone(5);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'succeeded', reason: null });
    expect(fleets.kinds()).toBe('running running running running');
  });

  test('one whose pre_drain hook fails goes all the same', () => {
    const target = fresh({}, { hooks: { pre_drain: hook() } });
    const fleets = healthy(rolling(target, { surge: 1, ids: [worker(0)] }), 4);
    turn(fleets, 0);
    fleets.hooked(4, 'pre_drain', false);
    expect(fleets.signals()).toBe('USR1→worker:4');
  });

  test('one that drains for too long pauses the rollout, as any other does', () => {
    const fleets = surging();
    for (const index of [4, 5]) healthy(fleets, index);
    for (const index of [0, 1, 2, 3]) turn(fleets, index);
    fleets.ring(4, 300);
    expect(fleets.signals()).toBe('');
    expect(rolloutOf(fleets)).toMatchObject({
      state: 'paused',
      blocker: { name: 'worker:4', is: 'draining' },
    });
  });

  test('one that does not work pauses it before anybody is touched, whatever failures are allowed', () => {
    const fleets = surging({ maxFailures: 3 });
    crash(fleets, 4);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'paused' });
    expect(turns(fleets)).toBe('failed starting pending pending pending pending');
    expect(fleets.kinds()).toContain('running running running running');
  });

  test('one that was given up stays to be looked at, and is begun anew by a resume', () => {
    const fleets = rolling(fresh({}, { backoff: { giveUpAfter: 1 } }), { surge: 1 });
    crash(fleets, 4);
    expect(fleets.kinds()).toBe('running running running running failed');
    steer(fleets, 'resume');
    expect(fleets.kinds()).toBe('running running running running spawning');
    steer(fleets, 'abort');
    expect(fleets.gone(4).kinds()).toBe('running running running running spawning');
    expect(fleets.spawned(4).gone(4).kinds()).toBe('running running running running');
  });

  test('go when the rollout is aborted', () => {
    const fleets = surging();
    for (const index of [4, 5]) healthy(fleets, index);
    steer(fleets, 'abort');
    expect(fleets.kinds()).toBe('draining running running running draining draining');
    fleets.gone(4).gone(5);
    expect(fleets.ids()).toHaveLength(4);
  });

  test('one that is given up while it serves has failed, and a resume begins it anew', () => {
    const fleets = healthy(rolling(fresh({}, { backoff: { giveUpAfter: 1 } }), { surge: 1 }), 4);
    fleets.gone(4, 1);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'paused', blocker: { name: 'worker:4', is: 'failed' } });
    steer(fleets, 'resume');
    expect(fleets.kindOf(4)).toBe('spawning');
  });

  test('one that was asked to end already is not asked again by the end of its rollout', () => {
    const fleets = healthy(rolling(fresh(), { surge: 1 }), 4);
    fleets.stop(4);
    steer(fleets, 'abort');
    expect(fleets.signals()).toBe('');
  });

  test('one that runs to its end is dismissed all the same, after a kill holds that up', () => {
    const target = fresh({ afterKillHoldMs: 60_000 }, { restart: 'on_failure' });
    const fleets = rolling(target, { surge: 1, ids: [worker(0)] }, { drain: { onTimeout: 'kill' } });
    healthy(fleets, 4).ring(0, 300);
    turn(fleets, 0);
    fleets.gone(4);
    expect(rolloutOf(fleets).state).toBe('running');
    look(fleets, 60_000);
    expect(rolloutOf(fleets).state).toBe('succeeded');
    expect(fleets.ids()).toHaveLength(4);
  });

  test('stay for after_kill_hold, too: one of them may have got the job', () => {
    const target = fresh({ afterKillHoldMs: 60_000 });
    const fleets = rolling(target, { surge: 1, ids: [worker(0)] }, { drain: { onTimeout: 'kill' } });
    healthy(fleets, 4).ring(0, 300);
    turn(fleets, 0);
    expect(rolloutOf(fleets).reason).toBe(
      'waits 1m from the end of worker:0, which was killed before it had drained',
    );
    expect(turns(fleets)).toBe('serving done');
    look(fleets, 60_000);
    expect(turns(fleets)).toBe('leaving done');
  });

  test('one whose number the operator gives to the program stays', () => {
    const fleets = surging();
    for (const index of [4, 5]) healthy(fleets, index);
    fleets.scale(5);
    for (const index of [0, 1, 2, 3]) turn(fleets, index);
    fleets.gone(5);
    expect(rolloutOf(fleets).state).toBe('succeeded');
    expect(fleets.kinds()).toBe('running running running running running');
  });
});

describe('a canary', () => {
  test('of two, held by time: the third is touched when that is over', () => {
    const fleets = rolling(fresh({ canaryHoldMs: 10_000 }), { canary: 2 });
    turn(fleets, 0);
    turn(fleets, 1);
    expect(rolloutOf(fleets)).toMatchObject({
      state: 'running',
      reason: 'held after the canary of 2 for 10s',
    });
    expect(turns(fleets)).toBe('done done pending pending');
    expect(fleets.timers.get('rollout 1')).toBe(fleets.now + 10_000);
    look(fleets, 9999);
    expect(turns(fleets)).toBe('done done pending pending');
    look(fleets, 1);
    expect(turns(fleets)).toBe('done done draining pending');
  });

  test('no more than the canary is begun at once, however many may be', () => {
    const fleets = rolling(fresh({ canaryHoldMs: null }), { canary: 1, maxParallel: 3 });
    expect(turns(fleets)).toBe('draining pending pending pending');
    turn(fleets, 0);
    steer(fleets, 'promote');
    expect(turns(fleets)).toBe('done draining draining draining');
  });

  test('held until it is promoted: time alone changes nothing', () => {
    const fleets = rolling(fresh({ canaryHoldMs: null }), { canary: 1 });
    turn(fleets, 0);
    expect(rolloutOf(fleets).reason).toBe('held after the canary of 1 until it is promoted');
    look(fleets, 1e9);
    expect(turns(fleets)).toBe('done pending pending pending');
    steer(fleets, 'promote');
    expect(turns(fleets)).toBe('done draining pending pending');
  });

  test('a failure in it counts although some are allowed', () => {
    const fleets = rolling(fresh({ canaryHoldMs: null, maxFailures: 2 }), { canary: 2 });
    crash(fleets.gone(0), 0);
    expect(rolloutOf(fleets).state).toBe('paused');
  });

  test('one that crashes again and again while it is held fails, and nobody else is touched', () => {
    const target = fresh({ canaryHoldMs: null });
    const fleets = turn(rolling(target, { canary: 1 }), 0);
    fleets.gone(0, 1);
    expect(rolloutOf(fleets).state).toBe('running');
    fleets.ring(0, 100);
    crash(fleets, 0);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'paused', blocker: { name: 'worker:0', is: 'failed' } });
    expect(turns(fleets)).toBe('failed pending pending pending');
  });

  test('one that is given up at once while it is held fails', () => {
    const target = fresh({ canaryHoldMs: null }, { backoff: { giveUpAfter: 1 } });
    const fleets = turn(rolling(target, { canary: 1 }), 0).gone(0, 1);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'paused', blocker: { name: 'worker:0', is: 'failed' } });
  });

  test('of all of them is no canary', () => {
    const fleets = rolling(fresh({ canaryHoldMs: null }), { canary: 4, maxParallel: 4 });
    expect(turns(fleets)).toBe('draining draining draining draining');
  });
});

describe('a check', () => {
  const judged = (fleets: Fleets, ok: boolean, attempt = 1): Fleets =>
    fleets.take({ type: 'judged', rollout: rolloutId(1), attempt, ok, detail: 'exited with code 1' });
  const checking = (rollout: Partial<RolloutPlan> = {}): Fleets =>
    turn(rolling(fresh({ check: CHECK, ...rollout })), 0);

  test('is asked once for each turn that is healthy for long enough, and the next begins when it has passed', () => {
    const fleets = checking();
    expect(fleets.deeds()).toContain('judge of worker:0');
    expect(turns(fleets)).toBe('checking pending pending pending');
    look(fleets, 10_000);
    expect(fleets.deeds()).toBe('');
    judged(fleets, true);
    expect(turns(fleets)).toBe('done draining pending pending');
    turn(fleets, 1);
    expect(judged(fleets, true, 1) && turns(fleets)).toBe('done checking pending pending');
    expect(judged(fleets, true, 2) && turns(fleets)).toBe('done done draining pending');
  });

  test('that says no fails the turn, and an abort takes back what works all the same', () => {
    const fleets = judged(checking(), false);
    expect(rolloutOf(fleets)).toMatchObject({
      state: 'paused',
      reason: 'worker:0 did not pass the check: exited with code 1',
    });
    steer(fleets, 'abort');
    expect(fleets.kinds()).toBe('draining running running running');
    expect(revisions(fleets)).toBe('one one one one');
  });

  test('is not waited for once its instance has crashed', () => {
    const fleets = checking().exited(0, 1);
    expect(fleets.effects).toContainEqual({ type: 'unjudge', rollout: 1, attempt: 1 });
    fleets.tree(0);
    expect(judged(fleets, true) && turns(fleets)).toBe('failed pending pending pending');
  });

  test('is asked of an extra instance, too', () => {
    const fleets = healthy(rolling(fresh({ check: CHECK }), { surge: 1 }), 4);
    expect(turns(fleets)).toBe('checking pending pending pending pending');
    judged(fleets, true);
    expect(turns(fleets)).toBe('serving draining pending pending pending');
  });

  test('is not asked on the way back', () => {
    const fleets = judged(checking({ onFailure: 'revert' }), false);
    expect(turns(fleets)).toBe('draining skipped skipped skipped');
    turn(fleets, 0);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'reverted' });
  });
});

describe('failures', () => {
  test('so many are let pass: their instances are left to their policy, and nobody waits for them', () => {
    const fleets = rolling(fresh({ maxFailures: 1 }));
    crash(fleets.gone(0), 0);
    expect(turns(fleets)).toBe('failed draining pending pending');
    for (const index of [1, 2, 3]) turn(fleets, index);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'succeeded', reason: null });
  });

  test('one more, and it pauses and says how many', () => {
    const fleets = rolling(fresh({ maxFailures: 1 }));
    crash(fleets.gone(0), 0);
    crash(fleets.gone(1), 1);
    const { state, reason } = rolloutOf(fleets);
    expect(state).toBe('paused');
    expect(reason).toMatch(/^worker:0 .*exited with code 1.*; so has worker:1, and 1 may$/);
  });

  test('on_failure abort ends it as failed; what had its turn and does not work goes back', () => {
    const fleets = turn(rolling(fresh({ onFailure: 'abort' })), 0);
    crash(fleets.gone(1), 1);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'failed' });
    expect(revisions(fleets)).toBe('two one one one');
    expect(fleets.fleet.programs.get(programName('worker'))?.revision).toBe('one');
  });

  test('a replacement that was done and has crashed is to work for a good stretch before the next turn', () => {
    const fleets = turn(rolling(fresh()), 0);
    fleets.gone(0, 1);
    turn(fleets, 1);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'running', reason: 'waits for worker:0 to be ready' });
    fleets.ring(0, 100).ready(0);
    expect(rolloutOf(fleets).reason).toBe('waits for worker:0, which has crashed, to work for 5s');
    expect(turns(fleets)).toBe('done done pending pending');
    look(fleets, 4999);
    expect(turns(fleets)).toBe('done done pending pending');
    look(fleets, 1);
    expect(turns(fleets)).toBe('done done draining pending');
  });
});

test('without a backoff, too, a build that works for a while is not rolled on', () => {
  const fleets = turn(rolling(fresh({}, { backoff: null })), 0);
  fleets.gone(0, 1).ready(0);
  turn(fleets, 1);
  expect(rolloutOf(fleets).reason).toBe('waits for worker:0, which has crashed, to work for 10s');
  fleets.gone(0, 1);
  expect(rolloutOf(fleets)).toMatchObject({ state: 'paused', blocker: { name: 'worker:0', is: 'failed' } });
  expect(turns(fleets)).toBe('failed done pending pending');
});

describe('the way back', () => {
  test('takes back what was begun, one by one, to what was whole before; what was not touched stays', () => {
    const fleets = turn(turn(rolling(fresh({ onFailure: 'revert' })), 0), 1);
    crash(fleets.gone(2), 2);
    expect(rolloutOf(fleets)).toMatchObject({
      state: 'running',
      generation: 2,
      target: { revision: 'one' },
      reverting: { from: 1 },
    });
    // The one that does not work comes first, as ever.
    expect(turns(fleets)).toBe('pending pending starting skipped');
    healthy(fleets, 2);
    expect(turns(fleets)).toBe('draining pending done skipped');
    turn(fleets, 0);
    turn(fleets, 1);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'reverted' });
    expect(rolloutOf(fleets).reason).toMatch(/^worker:2 /);
    expect(revisions(fleets)).toBe('one one one one');
  });

  test('by the operator, out of a pause, when the very first replacement never works', () => {
    const fleets = rolling(fresh());
    crash(fleets.gone(0), 0);
    expect(rolloutOf(fleets).state).toBe('paused');
    steer(fleets, 'revert');
    expect(turns(fleets)).toBe('starting skipped skipped skipped');
    expect(fleets.fleet.programs.get(programName('worker'))?.revision).toBe('one');
    healthy(fleets, 0);
    const { state, reason } = rolloutOf(fleets);
    expect(state).toBe('reverted');
    expect(reason).toMatch(/^reverted by the operator: worker:0 exited with code 1/);
  });

  test('when the very first replacement never says that it is ready, it is replaced for all that', () => {
    const ready = { when: 'notify', timeoutMs: null } as const;
    const fleets = rolling(fresh({ healthyDeadlineMs: null }, { ready }), { maxParallel: 2 });
    fleets.gone(0).spawned(0).gone(1).spawned(1);
    expect(turns(fleets)).toBe('starting starting pending pending');
    steer(fleets, 'revert');
    expect(turns(fleets)).toBe('draining draining skipped skipped');
    expect(rolloutOf(fleets)).toMatchObject({ reverting: { revision: 'two' } });
  });

  test('and replaced by another rollout, too', () => {
    const ready = { when: 'notify', timeoutMs: null } as const;
    const fleets = rolling(fresh({ healthyDeadlineMs: null }, { ready }))
      .gone(0)
      .spawned(0);
    begin(fleets, fresh({}, { revision: revision('three') }), { replaces: true });
    expect(turns(fleets)).toBe('draining pending pending pending');
  });

  test('of one in its drain asks nobody twice: its next run has what is gone back to', () => {
    const fleets = steer(rolling(fresh()), 'revert');
    expect(fleets.signals()).toBe('');
    fleets.gone(0);
    expect(fleets.seat(0).phase).toMatchObject({ life: { program: { revision: 'one' }, generation: 2 } });
  });

  test('extra instances leave at once', () => {
    const fleets = healthy(rolling(fresh(), { surge: 1 }), 4);
    steer(fleets, 'revert');
    expect(fleets.kinds()).toBe('draining running running running draining');
    healthy(fleets.gone(4).gone(0), 0);
    expect(rolloutOf(fleets).state).toBe('reverted');
  });

  test('a failure on it pauses, whatever on_failure says', () => {
    const fleets = rolling(fresh({ onFailure: 'revert' }));
    crash(fleets.gone(0), 0);
    crash(fleets, 0);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'paused', reverting: { from: 1 } });
    steer(fleets, 'revert');
    expect(rolloutOf(fleets)).toMatchObject({ state: 'paused' });
  });

  test('of the same config there is none: on_failure revert ends it as failed and says so', () => {
    const fleets = rolling(program({ instances: 4, rollout: { onFailure: 'revert' } }));
    crash(fleets.gone(0), 0);
    const { state, reason } = rolloutOf(fleets);
    expect(state).toBe('failed');
    expect(reason).toContain('there is no other revision to go back to');
  });

  test('goes to the last one that was whole, where that from before was not', () => {
    const fleets = rolling(fresh());
    for (const index of [0, 1, 2, 3]) turn(fleets, index);
    expect(records(fleets, 'revisions')).toMatchObject([
      { revisions: [{ plan: { revision: 'one' } }, { plan: { revision: 'two' }, whole: true }] },
    ]);
    begin(fleets, fresh({}, { revision: revision('three') }));
    crash(fleets.gone(0), 0);
    steer(fleets, 'abort');
    crash(fleets, 0);
    begin(fleets, fresh({}, { revision: revision('four') }));
    steer(fleets, 'revert');
    expect(rolloutOf(fleets).target.revision).toBe('two');
  });
});

describe('drains', () => {
  const skipping = (rollout: Partial<RolloutPlan> = {}, how: Begin = {}): Fleets =>
    rolling(fresh(rollout), how, { drain: { onTimeout: 'skip' } });

  test('on_timeout skip: the next one has its turn, and the late one has the rest of its own when it has drained', () => {
    const fleets = skipping().ring(0, 300);
    expect(turns(fleets)).toBe('draining draining pending pending');
    for (const index of [1, 2, 3]) turn(fleets, index);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'running', reason: 'waits for worker:0 to drain' });
    fleets.gone(0);
    expect(fleets.seat(0).phase).toMatchObject({ kind: 'spawning', life: { program: { revision: 'two' } } });
    expect(turns(fleets)).toBe('starting done done done');
    healthy(fleets, 0);
    expect(rolloutOf(fleets).state).toBe('succeeded');
  });

  test('no more of them are late at a time than may be away anyway', () => {
    const fleets = skipping().ring(0, 300).ring(1, 300);
    expect(fleets.kinds()).toBe('draining draining running running');
    expect(rolloutOf(fleets).state).toBe('running');
    turn(fleets, 0);
    expect(turns(fleets)).toBe('done draining draining pending');
  });

  test('one that is late keeps its place in the canary', () => {
    const fleets = skipping({ canaryHoldMs: null }, { canary: 1 }).ring(0, 300);
    expect(turns(fleets)).toBe('draining pending pending pending');
    turn(fleets, 0);
    expect(rolloutOf(fleets).reason).toBe('held after the canary of 1 until it is promoted');
  });

  test('an extra one that is late is waited for, and pauses nobody', () => {
    const target = fresh({}, { drain: { onTimeout: 'skip' } });
    const fleets = healthy(rolling(target, { surge: 1, ids: [worker(0)] }), 4);
    turn(fleets, 0).ring(4, 300);
    expect(rolloutOf(fleets)).toMatchObject({ state: 'running', reason: 'waits for worker:4 to drain' });
    fleets.gone(4);
    expect(rolloutOf(fleets).state).toBe('succeeded');
  });

  test('those that were killed are named', () => {
    const fleets = rolling(fresh(), {}, { drain: { onTimeout: 'kill' } }).ring(0, 300);
    expect(fleets.news('overdue')).toHaveLength(1);
    turn(fleets, 0);
    expect(rolloutOf(fleets).killed).toEqual(['worker:0']);
  });

  test('an abort kills nobody: who goes back, and the extra ones, drain on', () => {
    const fleets = healthy(rolling(fresh(), { surge: 1, maxParallel: 2 }), 4);
    crash(fleets.gone(0), 0);
    fleets.ready(0);
    steer(fleets, 'abort');
    fleets.ring(4, 300);
    expect(fleets.signals()).toBe('');
    fleets.ring(4, 1e9);
    expect(fleets.signals()).toBe('');
  });

  test('after one that ended in a kill nobody is touched for after_kill_hold', () => {
    const fleets = rolling(fresh({ afterKillHoldMs: 60_000 }), {}, { drain: { onTimeout: 'kill' } });
    fleets.ring(0, 300);
    expect(fleets.signals()).toBe('KILL→worker:0…');
    turn(fleets, 0);
    expect(rolloutOf(fleets).reason).toBe(
      'waits 1m from the end of worker:0, which was killed before it had drained',
    );
    look(fleets, 50_000);
    expect(turns(fleets)).toBe('done pending pending pending');
    look(fleets, 10_000);
    expect(turns(fleets)).toBe('done draining pending pending');
  });
});

test('from a kill on, and not only from its end, nobody else is touched', () => {
  const target = fresh({ afterKillHoldMs: 60_000 });
  const fleets = rolling(target, { maxParallel: 2 }, { drain: { onTimeout: 'kill', timeoutMs: 1000 } });
  turn(fleets, 0);
  expect(turns(fleets)).toBe('done draining draining pending');
  fleets.ring(1, 450);
  expect(fleets.kinds()).toContain('killing');
  turn(fleets, 2);
  expect(turns(fleets)).toBe('done draining done pending');
});

describe('a pause for a drain that was too long', () => {
  test('says so when it has come to its end: nobody is to end the jobs of the new run', () => {
    const fleets = rolling(fresh());
    fleets.ring(0, 300);
    expect(rolloutOf(fleets)).toMatchObject({
      state: 'paused',
      blocker: { name: 'worker:0', is: 'draining' },
    });
    fleets.now += 600;
    turn(fleets, 0);
    expect(rolloutOf(fleets)).toMatchObject({
      state: 'paused',
      reason: 'worker:0 has drained meanwhile, after 900ms: later than it may',
      blocker: null,
    });
    steer(fleets, 'resume');
    expect(turns(fleets)).toBe('done draining pending pending');
  });

  test('whoever asks for a pause is named', () => {
    const fleets = rolling(fresh());
    fleets.take({ type: 'steer_rollout', id: rolloutId(1), command: 'pause', by: 'ann' });
    expect(rolloutOf(fleets).reason).toBe('paused by ann');
    fleets.take({ type: 'steer_rollout', id: rolloutId(1), command: 'revert', by: 'bob', words: 'too slow' });
    expect(rolloutOf(fleets).reverting?.why).toBe('reverted by bob: too slow');
  });
});

describe('what is told', () => {
  const steps = (fleets: Fleets): string[] =>
    fleets.news('turn').map(({ id, step, back }) => `${id} ${step}${back ? ' back' : ''}`);

  test('of a failure that turns the rollout back at once: the failure first', () => {
    const fleets = turn(rolling(fresh({ onFailure: 'revert' })), 0);
    fleets.gone(1).spawned(1).exited(1, 1);
    expect(steps(fleets)).toEqual([
      'worker:1 failed',
      'worker:0 pending back',
      'worker:1 pending back',
      'worker:2 skipped back',
      'worker:3 skipped back',
      'worker:1 draining back',
    ]);
  });

  test('each drain is kept, also of tries that failed', () => {
    const fleets = rolling(fresh());
    fleets.now += 100;
    fleets.gone(0).spawned(0).gone(0, 1);
    steer(fleets, 'resume');
    healthy(fleets, 0);
    fleets.now += 50;
    fleets.gone(1);
    expect(rolloutOf(fleets).drains).toEqual([100, 50]);
  });

  test('a turn that is taken again after its instance has recovered keeps its length', () => {
    const fleets = rolling(fresh());
    fleets.now += 100;
    fleets.gone(0).spawned(0).gone(0, 1).ring(0, 100).ready(0);
    steer(fleets, 'resume');
    look(fleets, 500);
    expect(rolloutOf(fleets).turns[0]?.step).toMatchObject({ kind: 'done', drainMs: 100 });
  });
});

describe('several programs', () => {
  const names = [programName('db'), programName('worker')] as const;
  const two = (): Fleets => {
    const plans = names.map((name) => program({ name }));
    const fleets = new Fleets(plans).allReady();
    for (const [i, name] of names.entries()) {
      const target = program({ name, revision: revision('two') });
      const ids = [...fleets.fleet.instances.values()].filter((seat) => seat.program.name === name);
      const after = i === 0 ? null : rolloutId(1);
      begin(fleets, target, { ids: ids.map(({ id }) => id), after });
    }
    return fleets;
  };

  test('the second waits for the first, and begins when that has succeeded', () => {
    const fleets = two();
    expect(rolloutOf(fleets)).toMatchObject({ state: 'running', reason: 'waits for rollout 1 of db' });
    fleets.gone('db').ready('db');
    fleets.now += 500;
    fleets.due({ of: 'rollout', id: rolloutId(1) });
    expect(fleets.kindOf('worker')).toBe('draining');
  });

  test('it says so when the first is paused', () => {
    const fleets = two().take({ type: 'steer_rollout', id: rolloutId(1), command: 'pause' });
    look(fleets, 0);
    expect(rolloutOf(fleets).reason).toBe('waits for rollout 1 of db, which is paused');
  });

  test('it is aborted when the first ends otherwise', () => {
    const fleets = two().take({ type: 'steer_rollout', id: rolloutId(1), command: 'abort' });
    expect(rolloutOf(fleets)).toMatchObject({
      state: 'aborted',
      reason: 'rollout 1 of db, which came before it, was aborted',
    });
    expect(fleets.kindOf('worker')).toBe('running');
  });
});

describe('another one of the same program', () => {
  test('is not begun as long as the first is under way', () => {
    const fleets = rolling(fresh());
    begin(fleets, fresh({}, { revision: revision('three') }));
    expect(fleets.fleet.rollouts.size).toBe(1);
  });

  test('that replaces it takes over what it has in motion, and asks nobody twice', () => {
    const fleets = turn(rolling(fresh()), 0);
    begin(fleets, fresh({}, { revision: revision('three') }), { replaces: true });
    expect(fleets.fleet.rollouts.get(rolloutId(1))).toMatchObject({
      state: 'aborted',
      reason: 'replaced by rollout 2',
    });
    expect(fleets.signals()).toBe('');
    expect(turns(fleets)).toBe('pending draining pending pending');
    fleets.gone(1);
    expect(fleets.seat(1).phase).toMatchObject({
      kind: 'spawning',
      life: { program: { revision: 'three' } },
    });
    expect(rolloutOf(fleets).turns.map(({ before }) => before.program.revision)).toEqual([
      'two',
      'one',
      'one',
      'one',
    ]);
  });

  test('leaves the plan of the program as the new one has it', () => {
    const fleets = rolling(fresh());
    begin(fleets, fresh({}, { revision: revision('three') }), { replaces: true });
    const kept = records(fleets, 'program').at(-1);
    expect(kept).toMatchObject({ plan: null });
    expect(fleets.fleet.programs.get(programName('worker'))?.revision).toBe('three');
  });

  test('that replaces it for some only: the others of the first go back', () => {
    const fleets = rolling(fresh(), { maxParallel: 2 });
    crash(fleets.gone(0), 0);
    begin(fleets, fresh(), { replaces: true, ids: [worker(2)] });
    expect(fleets.seat(0)).toMatchObject({ program: { revision: 'one' } });
  });
});

describe('what is known to have been whole', () => {
  const known = (fleets: Fleets): string[] =>
    (fleets.fleet.revisions.get(programName('worker')) ?? []).map(
      ({ plan, whole }) => `${plan.revision}${whole ? ' whole' : ''}`,
    );

  test('is so once all have worked, not only at the moment in which a rollout begins', () => {
    const fleets = new Fleets([program({ instances: 4 })]).allReady();
    expect(known(fleets)).toEqual(['one whole']);
    fleets.gone(3, 1);
    begin(fleets, fresh({ onFailure: 'revert' }));
    expect(known(fleets)).toEqual(['one whole', 'two']);
    steer(fleets, 'revert');
    expect(rolloutOf(fleets).target.revision).toBe('one');
  });

  test('a config that took effect without a rollout is one to go back to', () => {
    const fleets = new Fleets([program({ instances: 4 })]).allReady();
    const live = program({ instances: 4, revision: revision('live'), maxAgeMs: 1e9 });
    fleets.reload(live);
    expect(known(fleets)).toEqual(['one whole', 'live whole']);
    begin(fleets, fresh());
    steer(fleets, 'revert');
    expect(rolloutOf(fleets).target.revision).toBe('live');
  });

  test('no more than ten are kept', () => {
    const fleets = new Fleets([program()]).allReady();
    for (let i = 0; i < 20; i++) fleets.reload(program({ revision: revision(`r${i}`), maxAgeMs: i + 1e9 }));
    expect(known(fleets)).toHaveLength(10);
  });
});

describe('an essential program', () => {
  const essential = { essential: true, backoff: { giveUpAfter: 1 } } as const;

  test('is not at its end when an extra instance, or a canary, is given up', () => {
    const fleets = rolling(fresh({}, essential), { surge: 1 }, essential);
    crash(fleets, 4);
    expect(fleets.fleet.mode.kind).toBe('running');
    const other = rolling(fresh({}, essential), {}, essential);
    crash(other.gone(0), 0);
    expect(other.fleet.mode.kind).toBe('running');
  });

  test('is, when nothing else of it works', () => {
    const one = fresh({}, { ...essential, instances: 1 });
    const fleets = rolling(one, {}, { ...essential, instances: 1 });
    crash(fleets.gone(0), 0);
    expect(fleets.fleet.mode.kind).not.toBe('running');
  });
});

test('who is scaled away and back within a rollout comes with what the others had, and has a turn', () => {
  const fleets = turn(rolling(fresh({ canaryHoldMs: null }), { canary: 1 }), 0);
  fleets.scale(3).scale(4);
  fleets.gone(3);
  expect(fleets.seat(3)).toMatchObject({ program: { revision: 'one' } });
  expect(turns(fleets)).toBe('done pending pending pending');
});

test('a turn that has failed is over when its instance is scaled away', () => {
  const fleets = turn(turn(turn(rolling(fresh()), 0), 1), 2);
  crash(fleets.gone(3), 3);
  expect(rolloutOf(fleets).state).toBe('paused');
  fleets.scale(3);
  expect(rolloutOf(fleets)).toMatchObject({ state: 'succeeded' });
});

test('what is gone back to has as many instances as the config has now', () => {
  const fleets = rolling(fresh({}, { instances: 6 }));
  steer(fleets, 'abort');
  expect(fleets.fleet.programs.get(programName('worker'))).toMatchObject({ revision: 'one', instances: 6 });
});

test('a shutdown in the middle takes nothing back: the config file has the word at the next start', () => {
  const fleets = rolling(fresh()).take({ type: 'shutdown', how: 'drain', timeoutMs: null });
  expect(rolloutOf(fleets).state).toBe('aborted');
  expect(records(fleets, 'program')).toEqual([]);
});

describe("after the daemon's death", () => {
  const survived = (first: Fleets, plans: readonly ProgramPlan[]): Fleets => {
    const { instances, rollouts, revisions: past, nextRun, nextRollout, generations } = first.fleet;
    const alive = new Map([...instances].filter(([, { phase }]) => 'body' in phase));
    const next = new Fleets(plans, {
      ...NO_MEMORY,
      nextRun: nextRun + 100,
      nextRollout,
      generations,
      alive,
      rollouts: [...rollouts.values()],
      revisions: past,
    });
    next.now = first.now;
    return next;
  };
  const resumed = async (first: Fleets, plans: readonly ProgramPlan[]): Promise<Fleets> => {
    const { resumeRollouts } = await import('../../src/core/fleet/resume.ts');
    const next = survived(first, plans);
    for (const event of resumeRollouts(next.fleet)) next.take(event);
    return next;
  };
  const file = [fresh()];

  test('it goes on where it was: the one in its drain is not asked again', async () => {
    const fleets = await resumed(turn(rolling(fresh()), 0), file);
    expect(turns(fleets)).toBe('done draining pending pending');
    expect(fleets.kinds()).toBe('running draining running running');
    turn(fleets, 1);
    expect(turns(fleets)).toBe('done done draining pending');
    for (const index of [2, 3]) turn(fleets, index);
    expect(rolloutOf(fleets).state).toBe('succeeded');
  });

  test('whose turn has not come is started again with what it had, whatever the config says', async () => {
    const first = rolling(fresh()).gone(2, 1);
    const fleets = await resumed(first, file);
    expect(fleets.seat(2).phase).toMatchObject({ kind: 'spawning', life: { program: { revision: 'one' } } });
    expect(turns(fleets)).toBe('draining pending pending pending');
  });

  test('a replacement that nobody can tell to have been begun is begun, and counts', async () => {
    const fleets = await resumed(rolling(fresh()).gone(0), file);
    expect(turns(fleets)).toBe('starting pending pending pending');
    healthy(fleets, 0);
    expect(turns(fleets)).toBe('done draining pending pending');
  });

  test('a check whose answer was lost is asked anew', async () => {
    const target = fresh({ check: CHECK });
    const fleets = await resumed(turn(rolling(target), 0), [target]);
    expect(turns(fleets)).toBe('checking pending pending pending');
    expect(rolloutOf(fleets).turns[0]?.step).toMatchObject({ attempt: 2 });
  });

  test('extra instances that live stay, and those that do not are begun anew', async () => {
    const first = rolling(fresh(), { surge: 2 });
    for (const index of [4, 5]) healthy(first, index);
    first.gone(5, 1);
    const fleets = await resumed(first, file);
    expect(fleets.seat(4)).toMatchObject({ leaving: true, wish: { want: 'up' }, phase: { kind: 'running' } });
    expect(turns(fleets)).toBe('serving starting draining pending pending pending');
  });

  test('one that is paused stays so', async () => {
    const fleets = await resumed(steer(rolling(fresh()), 'pause'), file);
    expect(rolloutOf(fleets).state).toBe('paused');
  });

  test('instances that the config has got meanwhile come with what the others had', async () => {
    const fleets = await resumed(turn(rolling(fresh()), 0), [{ ...fresh(), instances: 5 }]);
    expect(turns(fleets)).toBe('done draining pending pending');
    expect(fleets.seat(4)).toMatchObject({ program: { revision: 'one' } });
  });

  test('one whose program the config has no more is over', async () => {
    const fleets = await resumed(rolling(fresh()), [program({ name: programName('other') })]);
    expect(fleets.fleet.rollouts.size).toBe(0);
  });

  test('a drain of which nobody knows whether it was asked is asked when its time is over, and not before', async () => {
    const first = rolling(fresh());
    const seat = first.seat(0);
    if (seat.phase.kind !== 'draining') throw new Error('it does not drain');
    first.fleet.instances.set(seat.id, { ...seat, phase: { ...seat.phase, asked: 'perhaps' } });
    const fleets = await resumed(first, file);
    expect(fleets.signals()).toBe('');
    fleets.ring(0, 300);
    expect(fleets.signals()).toBe('USR1→worker:0');
    expect(rolloutOf(fleets).state).toBe('running');
    fleets.ring(0, 300);
    expect(rolloutOf(fleets).state).toBe('paused');
  });
});
