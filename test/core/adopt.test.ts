/** What a new daemon takes up of the runs that may have outlived the last one. */
import { describe, expect, test } from 'vitest';
import { programName } from '../../src/base/ids.ts';
import { adoptRuns } from '../../src/core/fleet/adopt.ts';
import { type Memory, NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import { Bench, Fleets, program, worker } from './rig.ts';

const remembering = (bench: Bench): Memory => ({
  ...NO_MEMORY,
  nextRun: 1000,
  alive: new Map([[bench.instance.id, bench.instance]]),
});
const adopted = (bench: Bench): Fleets => new Fleets([program()], remembering(bench));
const effectsOf = (bench: Bench): string[] => adoptRuns(adopted(bench).fleet).map(({ type }) => type);

test.each<[string, (bench: Bench) => unknown, string[]]>([
  ['running', (b) => b.running(), ['adopt']],
  ['starting', (b) => [b.start(), b.spawned()], ['adopt', 'arm']],
  ['draining', (b) => b.running().stop(), ['adopt', 'survey', 'arm']],
  ['stopping', (b) => b.running().stop('now'), ['adopt', 'signal', 'survey', 'arm']],
  ['killing', (b) => b.running().stop('kill'), ['adopt', 'survey', 'arm']],
  ['sweeping', (b) => b.running().code(1), ['adopt', 'survey']],
  ['spawning', (b) => b.start(), []],
  ['stopped', () => {}, []],
])(
  '%s: the run is watched again, its tree is asked for where it ends, its deadline is armed',
  (_, reach, types) => {
    const bench = new Bench();
    reach(bench);
    expect(effectsOf(bench)).toEqual(types);
  },
);

describe('afterwards', () => {
  test('what is lost that it depends on is said, as it was before', () => {
    const redis = program({ name: programName('redis') });
    const programs = [redis, program({ dependsOn: { [redis.name]: 'ready' } })];
    const first = new Fleets(programs).start();
    first.ready('redis').ready('worker');
    const alive = new Map(first.fleet.instances);
    const fleets = new Fleets(programs, { ...NO_MEMORY, nextRun: 1000, alive });
    adoptRuns(fleets.fleet);
    fleets.stop('redis');
    expect(fleets.news('dependency')).toMatchObject([{ program: 'worker', on: 'redis', lost: true }]);
  });

  test('no second copy is started, and its events are its own', () => {
    const fleets = adopted(new Bench().running()).start();
    expect(fleets.kinds()).toBe('running');
    fleets.exited(0, 1);
    expect(fleets.kinds()).toBe('sweeping');
    fleets.tree(0);
    fleets.now += 1000;
    fleets.due({ of: 'instance', id: worker(0) });
    expect(fleets.runOf(0)).toBe(1000);
  });

  test('the end of a leader that was known to be gone is not taken for a second one', () => {
    const bench = new Bench().running();
    bench.stop();
    bench.code(0);
    const fleets = adopted(bench);
    fleets.take({ type: 'exited', run: bench.run, exit: { kind: 'unknown' } }).tree(0);
    expect(fleets.seat(0)).toMatchObject({
      phase: { kind: 'stopped' },
      lastExit: { exit: { kind: 'code', code: 0 }, drained: true },
    });
  });

  test('a run ends by the plan that it was started with, and the next one has the new plan', () => {
    const bench = new Bench(program({ drain: { signal: 'QUIT' } })).running();
    const fleets = adopted(bench).stop(0);
    expect(fleets.effects).toContainEqual(expect.objectContaining({ type: 'signal', signal: 'QUIT' }));
    expect(fleets.seat(0).program.drain.signal).toBe('USR1');
  });

  test('what is not in the plan any more is wished down, and goes when nothing of it is left', () => {
    const other = program({ name: programName('other') });
    const fleets = new Fleets([other], remembering(new Bench().running()));
    expect(fleets.seat(0)).toMatchObject({ wish: { want: 'down' }, phase: { kind: 'running' } });
    fleets.gone(0, 1);
    expect(fleets.fleet.instances.has(worker(0))).toBe(false);
  });
});
