import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mono } from '../../src/base/clock.ts';
import { rolloutId } from '../../src/base/ids.ts';
import type { TimerName } from '../../src/core/fleet/event.ts';
import { Timers } from '../../src/daemon/timers.ts';
import { at, worker } from '../core/rig.ts';

const A: TimerName = { of: 'instance', id: worker(0) };
const B: TimerName = { of: 'instance', id: worker(1) };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The clock runs beside the timers, so that a test can have them disagree. */
function scene() {
  const rung: TimerName[] = [];
  const clock = { ms: 0, now: () => at(clock.ms) };
  const timers = new Timers(clock, (name) => rung.push(name));
  const pass = (ms: number): void => {
    clock.ms += ms;
    vi.advanceTimersByTime(ms);
  };
  return { rung, clock, timers, pass };
}

describe('timers', () => {
  it('ring once, at their time and not before', () => {
    const { rung, timers, pass } = scene();
    timers.arm(A, mono(100));
    pass(99);
    expect(rung).toEqual([]);
    pass(1);
    expect(rung).toEqual([A]);
    pass(10_000);
    expect(rung).toEqual([A]);
  });

  it.each([
    ['later', 300],
    ['sooner', 50],
  ])('are moved %s by arming them again', (_, to) => {
    const { rung, timers, pass } = scene();
    timers.arm(A, mono(100));
    timers.arm(A, mono(to));
    pass(to - 1);
    expect(rung).toEqual([]);
    pass(1);
    expect(rung).toEqual([A]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are told apart by what they are of and by their id', () => {
    const { rung, timers, pass } = scene();
    const names: TimerName[] = [A, B, { of: 'rollout', id: rolloutId(1) }, { of: 'shutdown' }];
    for (const [i, name] of names.entries()) timers.arm(name, mono(10 * (i + 1)));
    timers.disarm(B);
    pass(100);
    expect(rung).toEqual([A, names[2], names[3]]);
  });

  it('do not ring once disarmed, and disarming what is not armed is no error', () => {
    const { rung, timers, pass } = scene();
    timers.disarm(A);
    timers.arm(A, mono(100));
    timers.disarm(A);
    timers.disarm(A);
    pass(1000);
    expect(rung).toEqual([]);
  });

  it('ring as soon as possible when their time has passed already, but never within the arming', () => {
    const { rung, timers, clock, pass } = scene();
    clock.ms = 500;
    timers.arm(A, mono(100));
    expect(rung).toEqual([]);
    pass(1);
    expect(rung).toEqual([A]);
  });

  it('wait for a deadline that is further away than setTimeout can count', () => {
    const { rung, timers, pass } = scene();
    const days = 24 * 3600 * 1000;
    timers.arm(A, mono(60 * days));
    for (let day = 0; day < 59; day++) pass(days);
    expect(rung).toEqual([]);
    pass(days);
    expect(rung).toEqual([A]);
  });

  it('with a deadline at no time at all wait without ringing', () => {
    const { rung, timers, pass } = scene();
    timers.arm(A, mono(Number.POSITIVE_INFINITY));
    pass(100_000);
    expect(rung).toEqual([]);
    timers.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that ring too early ask the clock and wait for the rest', () => {
    const { rung, timers, clock } = scene();
    timers.arm(A, mono(100));
    clock.ms = 60; // the timers' own time runs ahead of the clock
    vi.advanceTimersByTime(100);
    expect(rung).toEqual([]);
    expect(vi.getTimerCount()).toBe(1);
    clock.ms = 99;
    vi.advanceTimersByTime(39);
    expect(rung, 'not before it asks again').toEqual([]);
    clock.ms = 100;
    vi.advanceTimersByTime(1);
    expect(rung).toEqual([A]);
  });

  it('may be armed again while they ring', () => {
    const clock = { ms: 0, now: () => at(clock.ms) };
    let times = 0;
    const timers: Timers = new Timers(clock, (name) => {
      if (++times < 3) timers.arm(name, mono(clock.ms + 10));
    });
    timers.arm(A, mono(10));
    for (let i = 0; i < 5; i++) {
      clock.ms += 10;
      vi.advanceTimersByTime(10);
    }
    expect(times).toBe(3);
  });

  it('leave nothing active once closed, not even when armed after that', () => {
    const { rung, timers, pass } = scene();
    timers.arm(A, mono(10));
    timers.arm(B, mono(20));
    timers.close();
    timers.arm(A, mono(10));
    expect(vi.getTimerCount()).toBe(0);
    pass(100);
    expect(rung).toEqual([]);
  });
});
