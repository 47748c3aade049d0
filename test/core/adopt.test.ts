/** What a new daemon takes up of the runs that may have outlived the last one. */
import { describe, expect, test } from 'vitest';
import { type Mono, mono } from '../../src/base/clock.ts';
import { programName } from '../../src/base/ids.ts';
import type { SignalName } from '../../src/base/signal-name.ts';
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

describe('one that may have been asked to drain', () => {
  const draining = (change: { readonly deadline?: Mono } = {}, signal: SignalName = 'INT'): Bench => {
    const bench = new Bench(program({ drain: { signal } })).running();
    bench.stop();
    const { phase } = bench.instance;
    if (phase.kind === 'draining')
      bench.instance = { ...bench.instance, phase: { ...phase, asked: 'perhaps', ...change } };
    return bench;
  };

  test('is asked whether it was, by what does nothing to whoever does not understand it', () => {
    expect(adoptRuns(adopted(draining()).fleet)).toMatchObject([
      { type: 'adopt' },
      { type: 'signal', signal: 'CONT' },
      { type: 'survey' },
      { type: 'arm' },
    ]);
  });

  test('is not when its leader is gone: its jobs are waited for', () => {
    const bench = draining();
    bench.code(0);
    expect(effectsOf(bench)).toEqual(['adopt', 'survey', 'arm']);
  });

  test.each(['USR2', 'CONT', 'HUP'] as const)(
    'is not where %s asks: of that no runner knows, and CONT may mean the opposite',
    (signal) => {
      expect(effectsOf(draining({}, signal))).toEqual(['adopt', 'survey', 'arm']);
    },
  );

  test('is asked to drain when it says that it was not, and has all its time', () => {
    const fleets = adopted(draining());
    const before = fleets.now;
    fleets.now += 77;
    fleets.take({ type: 'notified', run: fleets.runOf(0), message: { asked: false } });
    expect(fleets.effects).toContainEqual(expect.objectContaining({ type: 'signal', signal: 'INT' }));
    const { timeoutMs } = fleets.seat(0).program.drain;
    expect(fleets.seat(0).phase).toMatchObject({ asked: true, deadline: before + 77 + (timeoutMs ?? 0) });
  });

  test.each([{ asked: true }, { stopping: true, asked: false }, { asked: true, inFlight: 1 }] as const)(
    'is left in peace when it says %o',
    (message) => {
      const fleets = adopted(draining());
      fleets.take({ type: 'notified', run: fleets.runOf(0), message });
      expect(fleets.effects.filter(({ type }) => type === 'signal')).toEqual([]);
      expect(fleets.seat(0).phase).toMatchObject({ asked: true });
      fleets.take({ type: 'notified', run: fleets.runOf(0), message: { asked: false } });
      expect(fleets.effects.filter(({ type }) => type === 'signal')).toEqual([]);
    },
  );

  test.each([{ asked: true }, { stopping: true }, { drained: true }] as const)(
    'says %o, and was to be asked at this moment: it has all its time, as if it had been',
    (message) => {
      const fleets = adopted(draining({ deadline: mono(0) }));
      fleets.take({ type: 'notified', run: fleets.runOf(0), message }).ring(0, 0);
      expect(fleets.signals()).toBe('');
      expect(fleets.kindOf(0)).toBe('draining');
      expect(fleets.ring(0, 300).signals()).toBe('TERM→worker:0');
    },
  );

  test('keeps the time that it has left when it says that it was', () => {
    const fleets = adopted(draining({ deadline: mono(120) }));
    fleets.take({ type: 'notified', run: fleets.runOf(0), message: { stopping: true } });
    expect(fleets.seat(0).phase).toMatchObject({ asked: true, deadline: 120 });
  });

  test('is not asked whether it was where that is known, nor believed where nobody asked', () => {
    const bench = new Bench().running();
    const fleets = adopted(bench);
    fleets.take({ type: 'notified', run: fleets.runOf(0), message: { asked: false } });
    expect(fleets.seat(0).phase.kind).toBe('running');
    expect(fleets.effects.filter(({ type }) => type === 'signal')).toEqual([]);
  });
});

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
