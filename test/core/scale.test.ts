/** scale: only the delta is touched, at the end of the numbers. */
import { describe, expect, test } from 'vitest';
import { revision, rolloutId } from '../../src/base/ids.ts';
import { NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import { BEGIN, type Change, Fleets, program, worker } from './rig.ts';

const running = (instances: number, change: Change = {}): Fleets =>
  new Fleets([program({ instances, ...change })]).allReady();
const counts = (fleets: Fleets): unknown[] =>
  fleets.effects.flatMap((effect) =>
    effect.type === 'record' && effect.what.kind === 'count' ? [effect.what] : [],
  );

describe('up', () => {
  test('adds the next numbers and starts them; nobody else is touched', () => {
    const fleets = running(2);
    const before = [fleets.seat(0), fleets.seat(1)];
    fleets.scale(4);
    expect(fleets.kinds()).toBe('running running spawning spawning');
    expect([fleets.seat(0), fleets.seat(1)]).toEqual(before);
    expect(fleets.news('scaled')).toMatchObject([{ added: ['worker:2', 'worker:3'], removed: [] }]);
    expect(fleets.signals()).toBe('');
  });

  test('of a program that the operator has stopped starts nobody, and the new ones are stopped like the rest', () => {
    const fleets = running(1).stop(0).gone(0).scale(2);
    expect(fleets.kinds()).toBe('stopped stopped');
    expect(fleets.seat(1).wish).toEqual({ want: 'down', because: 'operator' });
  });

  test('of a program of which one still runs starts the new ones', () => {
    expect(running(2).stop(0).gone(0).scale(3).kinds()).toBe('stopped running spawning');
  });

  test('new ones have the plan and the generation that hold now', () => {
    const fleets = running(1);
    fleets.take({ ...BEGIN, program: program(), ids: [worker(0)], maxParallel: 1 });
    fleets.gone(0).ready(0);
    fleets.now += 500;
    for (const id of fleets.fleet.rollouts.keys()) fleets.due({ of: 'rollout', id });
    expect(fleets.scale(2).seat(1)).toMatchObject({ generation: 1 });
  });
});

describe('down', () => {
  test('drains the highest first, all at once; they vanish when nothing of them is left', () => {
    const fleets = running(4).scale(2);
    expect(fleets.kinds()).toBe('running running draining draining');
    expect(fleets.signals()).toBe('USR1→worker:3 USR1→worker:2');
    expect(fleets.exited(3).ids()).toHaveLength(4);
    fleets.tree(3);
    expect(fleets.effects).toContainEqual({ type: 'record', what: { kind: 'removed', id: 'worker:3' } });
    expect(fleets.gone(2).ids()).toEqual(['worker:0', 'worker:1']);
    expect(fleets.timers.size).toBe(0);
  });

  test('by their numbers, also where a lower one came after a higher one', () => {
    const schedule = { cron: '* * * * *', timezone: null, overlap: 'allow' } as const;
    const fleets = new Fleets([program({ schedule, restart: 'never' })]).start().scheduled().ready(0);
    fleets.scheduled().scheduled().ready(1).ready(2).gone(1).scale(3);
    expect(fleets.ids()).toEqual(['worker:0', 'worker:2', 'worker:1']);
    fleets.scheduled().ready(1).scale(1);
    expect(fleets.signals()).toBe('USR1→worker:2 USR1→worker:1');
  });

  test('the reason is said, and no crash on the way brings one back', () => {
    const fleets = running(2).scale(1);
    expect(fleets.seat(1)).toMatchObject({
      phase: { ending: { because: 'scale' } },
      wish: { because: 'scale' },
    });
    expect(fleets.gone(1, 1).ids()).toEqual(['worker:0']);
  });

  test('what is not running goes at once', () => {
    const fleets = running(3).gone(2, 1).stop(1).gone(1).scale(1);
    expect(fleets.ids()).toEqual(['worker:0']);
  });

  test('to nothing, and back', () => {
    const fleets = running(2).scale(0).gone(0).gone(1);
    expect(fleets.ids()).toEqual([]);
    expect(fleets.scale(1).kinds()).toBe('spawning');
  });

  test('and up again while they leave: they stay, and run anew when the last run has ended', () => {
    const fleets = running(3).scale(1).scale(3);
    expect(fleets.kinds()).toBe('running draining draining');
    expect(fleets.seat(2)).toMatchObject({ leaving: false, wish: { want: 'up' } });
    fleets.gone(2).gone(1);
    expect(fleets.kinds()).toBe('running spawning spawning');
  });

  test('who leaves is started by nobody', () => {
    const fleets = running(2).scale(1).start().restart(1);
    expect(fleets.seat(1).wish).toMatchObject({ want: 'down' });
    expect(fleets.gone(1).ids()).toEqual(['worker:0']);
  });
});

describe('the number', () => {
  test('is kept as the operator’s word, and not where it is what the config says', () => {
    const fleets = running(2);
    expect(counts(fleets.scale(3))).toEqual([{ kind: 'count', program: 'worker', instances: 3 }]);
    expect(counts(fleets.scale(3))).toEqual([]);
    expect(counts(fleets.scale(2))).toEqual([{ kind: 'count', program: 'worker', instances: null }]);
  });

  test('outlives the daemon', () => {
    const plan = program({ instances: 2 });
    expect(new Fleets([plan], { ...NO_MEMORY, counts: new Map([[plan.name, 3]]) }).ids()).toHaveLength(3);
    expect(new Fleets([plan], { ...NO_MEMORY, counts: new Map([[plan.name, 0]]) }).ids()).toEqual([]);
  });

  test('the same number changes nothing', () => expect(running(2).scale(2).effects).toEqual([]));

  test('of what does not exist, or on the way down, changes nothing', () => {
    expect(running(1).scale(5, 'nobody').effects).toEqual([]);
    const down = running(1).take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect(down.scale(5).effects).toEqual([]);
  });
});

describe('during a rollout of the program', () => {
  const rolling = (): Fleets => {
    const fleets = running(2);
    const fresh = program({ instances: 2, revision: revision('two') });
    return fleets.take({ ...BEGIN, program: fresh, ids: fleets.ids(), maxParallel: 1 });
  };
  const turns = (fleets: Fleets): string =>
    [...fleets.fleet.rollouts.values()].flatMap((each) => each.turns.map(({ step }) => step.kind)).join(' ');
  const done = (fleets: Fleets, index: number): void => {
    fleets.gone(index).ready(index);
    fleets.now += 500;
    fleets.due({ of: 'rollout', id: rolloutId(1) });
  };

  test('new ones begin with what the others had before, and have their turn at the end', () => {
    const fleets = rolling();
    fleets.scale(3);
    expect(fleets.seat(2)).toMatchObject({ generation: 0, program: { revision: 'one' } });
    expect(fleets.kinds()).toBe('draining running spawning');
    expect(turns(fleets)).toBe('draining pending pending');
    fleets.ready(2);
    for (const index of [0, 1, 2]) done(fleets, index);
    expect(turns(fleets)).toBe('done done done');
    expect(fleets.seat(2).phase).toMatchObject({ body: { life: { program: { revision: 'two' } } } });
  });

  test('the next turn waits until a new one works', () => {
    const fleets = rolling();
    fleets.scale(3);
    done(fleets, 0);
    expect(turns(fleets)).toBe('done pending pending');
    fleets.ready(2);
    expect(turns(fleets)).toBe('done draining pending');
  });

  test('whoever goes has no turn', () => {
    const fleets = rolling();
    fleets.scale(1);
    expect(turns(fleets)).toBe('draining skipped');
    done(fleets, 0);
    fleets.gone(1);
    expect([...fleets.fleet.rollouts.values()][0]).toMatchObject({ state: 'succeeded' });
    expect(fleets.kinds()).toBe('running');
  });

  test('on the way back new ones begin with what it goes back to', () => {
    const fleets = rolling();
    fleets.take({ type: 'steer_rollout', id: rolloutId(1), command: 'revert' });
    fleets.scale(3);
    expect(fleets.seat(2)).toMatchObject({ program: { revision: 'one' } });
    expect(turns(fleets)).toBe('draining skipped');
  });
});
