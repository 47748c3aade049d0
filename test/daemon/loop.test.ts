import { describe, expect, it } from 'vitest';
import { type InstanceId, pid, run } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import { createFleet, NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import { newInstance } from '../../src/core/instance/instance.ts';
import type { Life } from '../../src/core/instance/phase.ts';
import { courseOf, Loop } from '../../src/daemon/loop.ts';
import { at, PROGRAM, plan, worker } from '../core/rig.ts';

interface Scene {
  readonly loop: Loop;
  readonly log: string[];
}

/** A loop over a fleet of one instance; `act` is what performing an effect does beside being written down. */
function scene(
  act: (effect: FleetEffect, loop: Loop) => void,
  settled: () => void = () => {},
  clock = { now: () => at(0) },
): Scene {
  const log: string[] = [];
  const loop: Loop = new Loop({
    fleet: createFleet(plan([PROGRAM]), NO_MEMORY),
    clock,
    perform(effect) {
      const what = effect.type === 'announce' ? `news of ${effect.what.type}` : effect.type;
      log.push(`begin ${what}`);
      act(effect, loop);
      log.push(`end ${what}`);
    },
    secured: () => void log.push('secured'),
    signalling() {},
    turn() {},
    signalled() {},
    settled() {
      log.push('settled');
      settled();
    },
    defect: (error) => log.push(`defect: ${error instanceof Error ? error.message : error}`),
  });
  return { loop, log };
}

/** The order in which a loop over so many instances does what it does, by the types of its effects. */
function course(instances: number): {
  readonly loop: Loop;
  readonly order: string[];
  readonly ids: InstanceId[];
} {
  const fleet = createFleet(plan([{ ...PROGRAM, instances }]), NO_MEMORY);
  const order: string[] = [];
  const loop = new Loop({
    fleet,
    clock: { now: () => at(0) },
    perform: ({ type }) => void order.push(type),
    secured: () => void order.push('secured'),
    signalling: () => void order.push('signalling'),
    turn: () => void order.push('turn'),
    signalled: () => void order.push('signalled'),
    settled() {},
    defect(error) {
      throw error;
    },
  });
  return { loop, order, ids: [...fleet.instances.keys()] };
}

const START: FleetEvent = { type: 'start', ids: [worker(0)], because: 'start' };
const STOP: FleetEvent = { type: 'stop', ids: [worker(0)], how: 'drain' };

describe('the loop', () => {
  it('deals with what is posted while it is held when all of that is done', () => {
    const { loop, log } = scene(() => {});
    loop.hold(() => {
      loop.post(START);
      log.push('held');
    });
    expect(log[0]).toBe('held');
    expect(log).toContain('begin spawn');
    expect(log.at(-1)).toBe('settled');
  });

  it('goes on after a defect in what it was held for', () => {
    const { loop, log } = scene(() => {});
    loop.hold(() => {
      loop.post(START);
      throw new Error('oh');
    });
    expect(log[0]).toBe('defect: oh');
    expect(log).toContain('begin spawn');
  });

  it('never takes an event within another: what is posted while performing comes after all of its effects', () => {
    let posted = false;
    const { loop, log } = scene((effect, own) => {
      if (effect.type !== 'spawn' || posted) return;
      posted = true;
      own.post(STOP);
    });
    loop.post(START);
    let depth = 0;
    for (const line of log) {
      if (line.startsWith('begin ')) depth++;
      if (line.startsWith('end ')) depth--;
      expect(depth, log.join('\n')).toBeLessThanOrEqual(1);
    }
    const around = (what: string): string[] => [`begin ${what}`, `end ${what}`];
    const first = [...around('record'), 'secured', ...around('spawn'), ...around('news of phase')];
    expect(log.slice(0, first.length)).toEqual(first);
    expect(log.slice(first.length), 'the stop is taken after the start is done with').toEqual([
      'begin record',
      'end record',
      'settled',
    ]);
  });

  it('writes down all that a step records before it does anything that cannot be taken back', () => {
    const { loop, order, ids } = course(3);
    loop.post({ type: 'start', ids, because: 'start' });
    expect(order.slice(0, 6), 'once for all three').toEqual([
      'record',
      'record',
      'record',
      'secured',
      'signalled',
      'spawn',
    ]);
    expect(order.filter((what) => what === 'record' || what === 'secured')).toHaveLength(4);
  });

  it('writes down that one was asked to end before it takes the next event', () => {
    const { loop, order } = course(1);
    loop.post({ type: 'start', ids: [worker(0)], because: 'start' });
    loop.post({ type: 'spawned', run: run(1), pid: pid(4711) });
    order.length = 0;
    loop.hold(() => {
      loop.post(STOP);
      loop.post({ type: 'start', ids: [worker(0)], because: 'operator' });
    });
    const asked = order.indexOf('signal');
    expect(order.slice(0, asked)).toContain('secured');
    expect(order.slice(asked, asked + 3)).toEqual(['signal', 'signalled', 'secured']);
  });

  it('writes down that all were asked to end before it tells of the first', () => {
    const { loop, order, ids } = course(3);
    loop.post({ type: 'start', ids, because: 'start' });
    for (const number of [1, 2, 3]) loop.post({ type: 'spawned', run: run(number), pid: pid(number) });
    order.length = 0;
    loop.post({ type: 'stop', ids, how: 'drain' });
    const told = order.filter((what) => ['signal', 'secured', 'announce'].includes(what));
    expect(told.slice(0, 6)).toEqual(['secured', 'signal', 'signal', 'signal', 'secured', 'announce']);
  });

  it('gets the next runs ready when all have been asked to end, and that is written down', () => {
    const { loop, order, ids } = course(2);
    loop.post({ type: 'start', ids, because: 'start' });
    for (const number of [1, 2]) loop.post({ type: 'spawned', run: run(number), pid: pid(number) });
    order.length = 0;
    loop.post({ type: 'restart', ids, programs: [{ ...PROGRAM, instances: 2 }] });
    const told = order.filter((what) => ['signal', 'secured', 'prepare'].includes(what));
    expect(told).toEqual(['secured', 'signal', 'signal', 'secured', 'prepare', 'prepare']);
  });

  it('does not get ready what the same step lets go of, nor lets go of it', () => {
    const seat = newInstance(worker(0), 0, PROGRAM, { want: 'up', because: 'start' });
    const life: Life = { run: run(7), program: PROGRAM, generation: 0, because: 'start', startedAt: at(0) };
    const prepare: FleetEffect = { type: 'prepare', life, instance: seat };
    const other: FleetEffect = { ...prepare, life: { ...life, run: run(8) } };
    const unprepare = (number: number): FleetEffect => ({
      type: 'unprepare',
      run: run(number),
      instance: seat,
    });
    const { others } = courseOf([unprepare(3), prepare, other, unprepare(7)]);
    expect(others).toEqual([unprepare(3), other]);
  });

  it('does not write for a step that touches nothing', () => {
    const { loop, log } = scene(() => {});
    loop.post(STOP);
    loop.post({ type: 'due', timer: { of: 'instance', id: worker(0) } });
    expect(log).not.toContain('secured');
  });

  it('settles once for all that was queued', () => {
    let left = 100;
    const { loop, log } = scene((effect, own) => {
      if (effect.type === 'record' && left-- > 0) own.post(left % 2 === 0 ? START : STOP);
    });
    loop.post(START);
    expect(left).toBeLessThanOrEqual(0);
    expect(log.filter((line) => line === 'settled')).toHaveLength(1);
    expect(log.at(-1)).toBe('settled');
  });

  it('goes on after an effect that cannot be performed, with the other effects of the same event', () => {
    const { loop, log } = scene((effect) => {
      if (effect.type === 'record') throw new Error('no record');
    });
    loop.post(START);
    expect(log).toContain('defect: no record');
    expect(log).toContain('end spawn');
    loop.post(STOP);
    expect(log.filter((line) => line === 'defect: no record')).toHaveLength(2);
    expect(log.at(-1)).toBe('settled');
  });

  it('goes on after an event that cannot be taken', () => {
    const { loop, log } = scene(() => {});
    // No event of any type: a defect of ours, which the compiler would have seen.
    loop.post({ type: 'nonsense' } as unknown as FleetEvent);
    expect(log).toEqual([expect.stringContaining('defect: '), 'settled']);
    loop.post(START);
    expect(log).toContain('end spawn');
  });

  it('takes an event at the moment it came, however long its turn was in coming', () => {
    let ms = 0;
    const began: number[] = [];
    const loop: Loop = new Loop({
      fleet: createFleet(plan([PROGRAM]), NO_MEMORY),
      clock: { now: () => at(ms) },
      perform(_effect, now) {
        began.push(now.mono);
        ms += 100; // each takes its time
        if (began.length === 1) loop.post(STOP);
      },
      secured() {},
      signalling() {},
      turn() {},
      signalled() {},
      settled() {},
      defect(error) {
        throw error;
      },
    });
    loop.post(START);
    const [first, ...others] = new Set(began);
    expect(first).toBe(0);
    expect(others, 'the stop came 100 ms later, while the start was still being performed').toEqual([100]);
  });

  it('goes on after a settling that throws, and tells nobody else of it', () => {
    let times = 0;
    const { loop, log } = scene(
      () => {},
      () => {
        if (++times === 1) throw new Error('no journal');
      },
    );
    expect(() => loop.post(START)).not.toThrow();
    expect(log.at(-1)).toBe('defect: no journal');
    loop.post(STOP);
    expect(log.at(-1)).toBe('settled');
  });

  it('takes a hundred thousand events that each cause the next without a deeper stack', () => {
    let left = 100_000;
    const { loop } = scene((effect, own) => {
      if (effect.type === 'record' && left-- > 0) own.post(left % 2 === 0 ? START : STOP);
    });
    expect(() => loop.post(START)).not.toThrow();
    expect(left).toBeLessThanOrEqual(0);
  });
});
