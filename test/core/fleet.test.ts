/** The fleet: what belongs to an earlier run, timers that ring late, and the way down. */
import { describe, expect, test } from 'vitest';
import { instanceId, pid, programName, rolloutId, run } from '../../src/base/ids.ts';
import { reasonOf } from '../../src/core/fleet/step.ts';
import { BEGIN, Fleets, program, worker } from './rig.ts';

const plan = program({ instances: 3 });
const typesOf = (fleets: Fleets): string[] => fleets.effects.map(({ type }) => type);

test.each([
  { type: 'spawned', run: run(1), pid: pid(9) },
  { type: 'spawn_failed', run: run(1), stage: 'exec', error: 'late' },
  { type: 'exited', run: run(1), exit: { kind: 'code', code: 1 } },
  { type: 'tree', run: run(1), left: 0 },
  { type: 'notified', run: run(1), message: { ready: true, drained: true } },
] as const)('$type of an earlier run is dropped', (event) => {
  const fleets = new Fleets([program()]).allReady().gone(0, 1);
  fleets.now += 100;
  fleets.due({ of: 'instance', id: worker(0) }).spawned(0);
  const before = fleets.seat(0);
  expect(fleets.take(event).effects).toEqual([]);
  expect(fleets.seat(0)).toBe(before);
});

test('a timer that was cancelled too late changes nothing, and a newer one stays armed', () => {
  const fleets = new Fleets([program()]).allReady().stop(0);
  const armed = fleets.timers.get('instance worker:0');
  expect(fleets.due({ of: 'instance', id: worker(0) }).effects).toEqual([]);
  expect(fleets.timers.get('instance worker:0')).toBe(armed);
});

test('what waits has a timer, and what waits no longer has none', () => {
  const fleets = new Fleets([program()]).start();
  expect(fleets.timers.size).toBe(0);
  fleets.spawned(0);
  expect([...fleets.timers]).toEqual([['instance worker:0', 50]]);
  fleets.now = 50;
  fleets.due({ of: 'instance', id: worker(0) });
  expect(fleets.timers.size).toBe(0);
});

test('each change is recorded before anything is done about it', () => {
  const fleets = new Fleets([program()]).start();
  expect(typesOf(fleets).slice(0, 2)).toEqual(['record', 'spawn']);
  expect(fleets.effects[0]).toMatchObject({ what: { kind: 'instance', instance: { lastRun: 1 } } });
});

test('a change of phase is announced with its reason', () => {
  const fleets = new Fleets([program()]).allReady();
  fleets.take({ type: 'restart', ids: [worker(0)], programs: [] });
  const news = fleets.effects.flatMap((effect) => (effect.type === 'announce' ? [effect.what] : []));
  expect(news).toContainEqual({
    type: 'phase',
    id: 'worker:0',
    program: 'worker',
    run: 1,
    from: 'running',
    to: 'draining',
    because: 'operator',
  });
  expect(reasonOf(fleets.seat(0))).toBe('operator');
});

test('the reason of a phase is its own where it has one, and that of the wish where it has none', () => {
  const fleets = new Fleets([program()]).allReady();
  expect(reasonOf(fleets.seat(0))).toBe('operator');
  fleets.gone(0, 1);
  expect(reasonOf(fleets.seat(0))).toBe('crash');
});

test('a restart drains all of them at once, starts those that are down, and takes on the new plan', () => {
  const fleets = new Fleets([plan]).allReady().stop(2).gone(2);
  const changed = program({ instances: 3, command: ['changed'] });
  fleets.take({ type: 'restart', ids: fleets.ids(), programs: [changed] });
  expect(fleets.kinds()).toBe('draining draining spawning');
  fleets.gone(0);
  expect(fleets.seat(0).phase).toMatchObject({ kind: 'spawning', life: { program: changed } });
  expect(fleets.seat(2).phase).toMatchObject({ life: { program: changed } });
});

test('events about what does not exist are dropped', () => {
  const fleets = new Fleets([program()]).allReady();
  fleets.take({ type: 'stop', ids: [worker(99)], how: 'drain' });
  fleets.due({ of: 'instance', id: worker(99) });
  expect(fleets.effects).toEqual([]);
});

test('a deadline at the very moment at which the one before it has come is armed all the same', () => {
  const fleets = new Fleets([program({ stop: { timeoutMs: 0 } })]).allReady().stop(0);
  fleets.now += 300;
  const timer = { of: 'instance', id: worker(0) } as const;
  fleets.due(timer);
  expect(fleets.kinds()).toBe('stopping');
  expect(fleets.effects).toContainEqual({ type: 'arm', timer, at: fleets.now });
});

describe('shutdown', () => {
  const down = (how: 'drain' | 'now' | 'kill' = 'drain', timeoutMs: number | null = null): Fleets =>
    new Fleets([plan]).allReady().take({ type: 'shutdown', how, timeoutMs });

  test('drains all of them at once, and is over when nothing is left', () => {
    const fleets = down();
    expect(fleets.kinds()).toBe('draining draining draining');
    fleets.gone(0).gone(1).exited(2);
    expect(typesOf(fleets)).not.toContain('finish');
    fleets.tree(2);
    expect(typesOf(fleets)).toContain('finish');
    expect(fleets.fleet.mode).toEqual({ kind: 'down', fault: null });
  });

  test('of a fleet at rest is over at once', () => {
    const fleets = new Fleets([plan]).take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect(typesOf(fleets)).toContain('finish');
  });

  test('what waits in backoff, was given up or has finished is stopped without a process', () => {
    const once = program({ instances: 3, restart: 'never' });
    const fleets = new Fleets([once]).allReady().gone(0, 0).gone(1, 1).stop(2).gone(2);
    fleets.take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect(fleets.kinds()).toBe('stopped stopped stopped');
    expect(typesOf(fleets)).toContain('finish');
  });

  test('now: skips the drain', () => expect(down('now').kinds()).toBe('stopping stopping stopping'));
  test('kill: ends everything', () => expect(down('kill').kinds()).toBe('killing killing killing'));

  test('a second one insists: a drain becomes a stop, and a stop a kill', () => {
    const fleets = down().take({ type: 'shutdown', how: 'now', timeoutMs: null });
    expect(fleets.kinds()).toBe('stopping stopping stopping');
    fleets.take({ type: 'shutdown', how: 'kill', timeoutMs: null });
    expect(fleets.kinds()).toBe('killing killing killing');
  });

  test('its time-out goes on to stop, and not before it has come', () => {
    const fleets = down('drain', 200);
    expect(fleets.timers.get('shutdown')).toBe(fleets.now + 200);
    fleets.now += 199;
    fleets.due({ of: 'shutdown' });
    expect(fleets.kinds()).toBe('draining draining draining');
    fleets.now += 1;
    fleets.due({ of: 'shutdown' });
    expect(fleets.kinds()).toBe('stopping stopping stopping');
  });

  test('a second one with another time-out moves the timer; one without leaves it', () => {
    const fleets = down('drain', 200).take({ type: 'shutdown', how: 'drain', timeoutMs: 900 });
    const armed = fleets.timers.get('shutdown');
    expect(armed).toBe(fleets.now + 900);
    fleets.take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect(fleets.timers.get('shutdown')).toBe(armed);
  });

  test('leaves no timer armed', () => {
    const fleets = down('drain', 200).gone(0).gone(1).gone(2);
    expect(fleets.timers).toEqual(new Map());
  });

  test('nothing is begun any more: no start, no restart, no rollout', () => {
    const fleets = down();
    fleets.start();
    fleets.take({ type: 'restart', ids: fleets.ids(), programs: [] });
    fleets.take({ ...BEGIN, program: plan, ids: fleets.ids(), maxParallel: 1 });
    expect(fleets.fleet.rollouts.size).toBe(0);
    fleets.gone(0).gone(1).gone(2);
    expect(fleets.kinds()).toBe('stopped stopped stopped');
  });

  test('nothing comes back from a crash or a backoff on the way down', () => {
    const fleets = new Fleets([plan]).allReady().exited(0, 1).gone(1, 1);
    fleets.take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    fleets.tree(0);
    expect(fleets.kinds()).toBe('stopped stopped draining');
  });

  test('aborts what rolls, and says why; nobody is started again by that', () => {
    const fleets = new Fleets([plan]).allReady();
    fleets.take({ ...BEGIN, program: plan, ids: fleets.ids(), maxParallel: 1 });
    fleets.take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect([...fleets.fleet.rollouts.values()]).toMatchObject([
      { state: 'aborted', reason: 'the daemon was shut down' },
    ]);
    fleets.gone(0).gone(1).gone(2);
    expect(typesOf(fleets)).toContain('finish');
  });

  test('once down, another shutdown changes nothing', () => {
    const fleets = down().gone(0).gone(1).gone(2);
    expect(fleets.take({ type: 'shutdown', how: 'kill', timeoutMs: 5 }).effects).toEqual([]);
  });
});

test('of the rollouts that are over the last twenty are kept, and all that are under way', () => {
  const other = program({ name: programName('mailer') });
  const fleets = new Fleets([program(), other]).start();
  const begin = (of: typeof other, ids = fleets.ids()) =>
    fleets.take({ ...BEGIN, program: of, ids, maxParallel: 1 });
  begin(other, [instanceId(other.name, 0)]);
  for (let id = 2; id <= 50; id++) {
    begin(program(), [worker(0)]);
    fleets.take({ type: 'steer_rollout', id: rolloutId(id), command: 'abort' });
  }
  expect([...fleets.fleet.rollouts.keys()]).toEqual([1, ...Array.from({ length: 20 }, (_, i) => 31 + i)]);
});
