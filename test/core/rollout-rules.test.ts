/** Rollouts at their edges: what is not asked twice, not taken back twice, not told when it is no more so. */
import { expect, test } from 'vitest';
import { programName, revision } from '../../src/base/ids.ts';
import { type Change, Fleets, program } from './rig.ts';
import { begin, fresh, healthy, look, rolling, rolloutOf, steer, turn, turns } from './rolling.ts';

test('an extra one whose drain is to be skipped does not pause the rollout', () => {
  const fleets = healthy(rolling(fresh({}, { drain: { onTimeout: 'skip' } }), { surge: 1 }), 4);
  for (const index of [0, 1, 2, 3]) turn(fleets, index);
  expect(turns(fleets)).toBe('leaving done done done done');
  fleets.ring(4, 300);
  expect(rolloutOf(fleets)).toMatchObject({ state: 'running' });
});

test('an abort says that it was aborted, and not what it waited for', () => {
  const fleets = turn(rolling(fresh({ canaryHoldMs: null }), { canary: 1 }), 0);
  expect(rolloutOf(fleets).reason).toContain('held');
  steer(fleets, 'abort');
  expect(rolloutOf(fleets).reason).toMatch(/^aborted by the operator/);
});

test('an abort after a pause by the operator says that it was aborted', () => {
  const fleets = steer(steer(rolling(fresh()), 'pause'), 'abort');
  expect(rolloutOf(fleets).reason).toMatch(/^aborted by the operator/);
});

test('an extra one that serves is not killed by an abort: on_timeout is pause', () => {
  const fleets = healthy(rolling(fresh(), { surge: 1 }), 4);
  steer(fleets, 'abort');
  fleets.ring(4, 300);
  expect.soft(fleets.signals()).toBe('');
  fleets.ring(4, 200);
  expect(fleets.signals()).toBe('');
});

test('ten builds that were replaced do not make it forget the last whole one', () => {
  const fleets = rolling(fresh());
  for (let n = 2; n < 13; n++) begin(fleets, { ...fresh(), revision: revision(`r${n}`) }, { replaces: true });
  const past = fleets.fleet.revisions.get(programName('worker')) ?? [];
  expect(past.some(({ whole }) => whole)).toBe(true);
});

test('an extra instance of an essential program that is given up does not end the daemon', () => {
  const fleets = rolling(
    fresh({}, { essential: true, backoff: { giveUpAfter: 1 } }),
    { surge: 1 },
    { essential: true },
  );
  fleets.spawned(4).gone(4, 1);
  expect(fleets.fleet.mode.kind).toBe('running');
});

test('drains that are skipped do not carry the rollout beyond its canary', () => {
  const skip = { drain: { onTimeout: 'skip' } } as const;
  const fleets = rolling(fresh({ canaryHoldMs: null }, skip), { canary: 1 }, skip);
  fleets.ring(0, 300);
  expect.soft(turns(fleets)).toBe('draining pending pending pending');
  fleets.ring(1, 300).ring(2, 300).ring(3, 300);
  expect(rolloutOf(fleets).state).not.toBe('succeeded');
});

test('a rollout one of whose instances has crashed knows a way back all the same', () => {
  const fleets = new Fleets([program({ instances: 4 })]).allReady();
  fleets.gone(2, 1);
  begin(fleets, fresh({ onFailure: 'revert' }));
  healthy(fleets, 2);
  fleets.gone(0).spawned(0).gone(0, 1);
  expect(rolloutOf(fleets)).toMatchObject({ state: 'running' });
});

test('a pause for a drain does not name it as in the way once it has drained and works', () => {
  const fleets = rolling(fresh());
  fleets.ring(0, 300);
  expect(rolloutOf(fleets)).toMatchObject({ state: 'paused', blocker: { name: 'worker:0', is: 'draining' } });
  turn(fleets, 0);
  expect(turns(fleets)).toBe('done pending pending pending');
  expect(rolloutOf(fleets).blocker).toBe(null);
});

test('scaled down and up again in the hold of a canary: no other has the new build', () => {
  const fleets = turn(rolling(fresh({ canaryHoldMs: null }), { canary: 1 }), 0);
  fleets.scale(3).gone(3).scale(4);
  const quick = turn(rolling(fresh({ canaryHoldMs: null }), { canary: 1 }), 0);
  quick.scale(3).scale(4);
  quick.gone(3);
  expect(quick.seat(3).program.revision).toBe('one');
});

test('who takes the place of a rollout that goes back does not go back to what that went away from', () => {
  const fleets = rolling(
    fresh(
      { maxFailures: 3, minHealthyTimeMs: 0, healthyDeadlineMs: 100 },
      { ready: { when: 'notify', timeoutMs: null } },
    ),
  );
  for (const i of [0, 1, 2]) {
    fleets.gone(i).spawned(i);
    look(fleets, 100);
  }
  steer(fleets, 'revert');
  begin(fleets, { ...fresh(), revision: revision('three') }, { replaces: true });
  steer(fleets, 'abort');
  expect(fleets.fleet.programs.get(programName('worker'))?.revision).toBe('one');
});

test('an abort of a revert leaves nobody on the build that did not work', () => {
  const fleets = rolling(
    fresh({ maxFailures: 3, healthyDeadlineMs: 100 }, { ready: { when: 'notify', timeoutMs: null } }),
  );
  for (const i of [0, 1, 2]) {
    fleets.gone(i).spawned(i);
    look(fleets, 100);
  }
  steer(fleets, 'revert');
  steer(fleets, 'abort');
  expect([0, 1, 2, 3].map((i) => fleets.seat(i).program.revision)).toEqual(['one', 'one', 'one', 'one']);
});

test('an extra one that goes for a revert is not killed, as its own run was promised', () => {
  const fleets = healthy(
    rolling(fresh({}, { drain: { onTimeout: 'pause' } }), { surge: 1 }, { drain: { onTimeout: 'kill' } }),
    4,
  );
  steer(fleets, 'revert');
  fleets.ring(4, 300);
  expect(fleets.signals()).toBe('');
});

test('every config that a program has had is one to go back to, also what a reload has applied at once', () => {
  const plan = (of: string, change: Change = {}) =>
    program({ instances: 3, revision: revision(of), ...change });
  const fleets = new Fleets([plan('a')]).allReady();
  begin(fleets, plan('b', { command: ['b'] }));
  for (const index of [0, 1, 2]) turn(fleets, index);
  fleets.reload(plan('c', { command: ['b'], maxAgeMs: 1e9 }));
  fleets.gone(2, 1);
  const live = { maxAgeMs: 1e9, rollout: { onFailure: 'revert' } } as const;
  begin(fleets, plan('d', { command: ['d'], ...live }));
  fleets.spawned(2).gone(2, 1);
  expect(rolloutOf(fleets).target).toMatchObject({ revision: 'c', maxAgeMs: 1e9 });
});

test('nobody begins while the killed one still dies, however long the hold was', () => {
  const kill = { drain: { onTimeout: 'kill' } } as const;
  const fleets = rolling(
    fresh({ afterKillHoldMs: 1000, minHealthyTimeMs: 0 }, kill),
    { maxParallel: 2 },
    kill,
  );
  fleets.gone(1).ready(1);
  fleets.ring(0, 250).gone(2).ready(2);
  look(fleets, 5000);
  expect(fleets.kindOf(0)).toBe('killing');
  expect(fleets.kindOf(3)).toBe('running');
});

test('an aborted rollout does not name for ever in the way who drained at its end', () => {
  const fleets = rolling(fresh()).ring(0, 300);
  steer(fleets, 'abort');
  turn(fleets, 0);
  expect(fleets.kindOf(0)).toBe('running');
  expect(rolloutOf(fleets).blocker).toBe(null);
});

test('a restart in the middle, which the daemon refuses, changes neither the target nor what is still to have its turn', () => {
  const fleets = rolling(fresh());
  fleets.restart(2, fresh({}, { revision: revision('three') }));
  expect(fleets.fleet.programs.get(programName('worker'))?.revision).toBe('two');
  expect(fleets.seat(2).program.revision).toBe('one');
});
