/** The next run is got ready while the present one ends: when, with which number, and when nothing comes of it. */
import { describe, expect, test } from 'vitest';
import { programName } from '../../src/base/ids.ts';
import { Fleets, hook, program, worker } from './rig.ts';
import { fresh, rolling } from './rolling.ts';

/** Of the last event: `prepare 5`, `unprepare 5`, `spawn 5`, `signal`. */
const deeds = (fleets: Fleets): string[] =>
  fleets.effects.flatMap((effect) => {
    if (effect.type === 'prepare' || effect.type === 'spawn') return [`${effect.type} ${effect.life.run}`];
    if (effect.type === 'unprepare') return [`unprepare ${effect.run}`];
    return effect.type === 'signal' ? ['signal'] : [];
  });

const two = (change: Parameters<typeof program>[0] = {}): Fleets =>
  new Fleets([program({ instances: 2, ...change })]).allReady();

describe('an end after which it comes up again', () => {
  test('a turn of a rollout: asked first, then got ready, with what it is to be', () => {
    const fleets = rolling(fresh());
    expect(deeds(fleets)).toEqual(['signal', 'prepare 5']);
    const [prepared] = fleets.effects.filter(({ type }) => type === 'prepare');
    expect(prepared).toMatchObject({
      instance: { id: worker(0) },
      life: { run: 5, generation: 1, because: 'rollout 1', program: { revision: 'two' } },
    });
    fleets.gone(0);
    expect(deeds(fleets)).toEqual(['spawn 5']);
    expect(fleets.effects.find(({ type }) => type === 'spawn')).toMatchObject({
      life: { run: 5, generation: 1, because: 'rollout 1', program: { revision: 'two' } },
    });
  });

  test('a restart by the operator', () => {
    const fleets = two();
    fleets.restart(0);
    expect(deeds(fleets)).toEqual(['signal', 'prepare 3']);
    expect(deeds(fleets.gone(0))).toEqual(['spawn 3']);
  });

  test('one that is worn', () => {
    const fleets = new Fleets([program({ maxMemory: { bytes: 100, forMs: 0 } })]).allReady();
    fleets.measured(0, 200);
    expect(deeds(fleets)).toEqual(['signal', 'prepare 2']);
  });

  test('it is got ready once, however long and hard its end becomes', () => {
    const fleets = two();
    fleets.restart(0);
    for (const event of [
      () => fleets.says(0, { inFlight: 3 }),
      () => fleets.ring(0, 300),
      () => fleets.ring(0, 200),
      () => fleets.exited(0),
    ]) {
      event();
      expect(deeds(fleets).filter((deed) => deed.includes('prepare'))).toEqual([]);
    }
    expect(deeds(fleets.tree(0))).toEqual(['spawn 3']);
  });

  test('nothing is got ready while a pre_drain hook may refuse the end', () => {
    const fleets = two({ hooks: { pre_drain: hook() } });
    fleets.restart(0);
    expect(deeds(fleets)).toEqual([]);
    fleets.hooked(0, 'pre_drain');
    expect(deeds(fleets)).toEqual(['signal', 'prepare 3']);
  });
});

describe('the number', () => {
  test('is given to nobody else, whoever begins a run meanwhile', () => {
    const fleets = two();
    fleets.restart(0).gone(1, 1);
    expect(deeds(fleets.ring(1, 100))).toEqual(['spawn 4']);
    expect(deeds(fleets.gone(0))).toEqual(['spawn 3']);
    expect(deeds(fleets.spawned(0).gone(0, 1).ring(0, 100))).toEqual(['spawn 5']);
  });

  test('is left out where nothing comes of it', () => {
    const fleets = two();
    fleets.restart(0).stop(0);
    expect(deeds(fleets)).toEqual(['unprepare 3']);
    fleets.gone(0);
    expect(deeds(fleets.start(worker(0)))).toEqual(['spawn 4']);
  });
});

describe('nothing is got ready, or it is let go of', () => {
  test.each([
    ['a stop', (fleets: Fleets) => fleets.stop(0)],
    ['a shutdown', (fleets: Fleets) => fleets.take({ type: 'shutdown', how: 'drain', timeoutMs: null })],
    ['the end of its slot', (fleets: Fleets) => fleets.scale(0)],
  ])('%s', (_, ends) => {
    expect(deeds(ends(two()))).not.toContainEqual(expect.stringContaining('prepare'));
    const fleets = two();
    fleets.restart(0);
    expect(deeds(ends(fleets))).toContain('unprepare 3');
    expect(fleets.fleet.reserved.size).toBe(0);
  });

  test('an end of its own: what follows is for the policy to say', () => {
    const fleets = two();
    expect(deeds(fleets.exited(0, 1))).toEqual([]);
    expect(deeds(fleets.tree(0))).toEqual([]);
  });

  test('what comes again at its time', () => {
    const fleets = new Fleets([
      program({ schedule: { cron: '* * * * *', timezone: null, overlap: 'skip' } }),
    ]);
    fleets.start();
    fleets.scheduled();
    fleets.ready(0);
    fleets.restart(0);
    expect(deeds(fleets)).toEqual(['signal']);
  });

  test('one with a pre_start hook: what that prepares is not there yet', () => {
    const fleets = new Fleets([program({ hooks: { pre_start: hook() } })]);
    fleets.start();
    fleets.hooked(0, 'pre_start').ready(0);
    fleets.restart(0);
    expect(deeds(fleets)).toEqual(['signal']);
    expect(fleets.gone(0).deeds()).toContain('pre_start of worker:0');
    expect(deeds(fleets.hooked(0, 'pre_start'))).toEqual(['spawn 2']);
  });

  test('what it needs is gone when its end is over: it waits, and nothing waits for it', () => {
    const redis = program({ name: programName('redis') });
    const needy = program({ dependsOn: Object.fromEntries([['redis', 'ready']]) });
    const fleets = new Fleets([redis, needy]).allReady();
    fleets.restart('worker:0');
    expect(deeds(fleets)).toEqual(['signal', 'prepare 3']);
    fleets.stop('redis:0');
    fleets.gone('redis:0');
    expect(deeds(fleets.gone('worker:0'))).toEqual(['unprepare 3']);
    expect(fleets.kindOf('worker:0')).toBe('waiting');
  });
});

test('wanted again during its end, it is got ready anew', () => {
  const fleets = two();
  fleets.stop(0);
  expect(deeds(fleets)).toEqual(['signal']);
  fleets.start(worker(0));
  expect(deeds(fleets)).toEqual(['prepare 3']);
});
