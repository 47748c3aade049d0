/** How long the end of everything may take, as whoever runs the daemon has to know. */
import { describe, expect, it } from 'vitest';
import { longestStop } from '../../src/config/stop-time.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { hook, program } from '../core/rig.ts';

/** What a kill may take. */
const MARGIN = 5000;
const named = (
  name: string,
  drainMs: number | null,
  stopMs: number,
  needs: readonly string[] = [],
): ProgramPlan =>
  program({
    name: name as ProgramPlan['name'],
    drain: { timeoutMs: drainMs },
    stop: { timeoutMs: stopMs },
    dependsOn: Object.fromEntries(needs.map((on) => [on, 'ready'])),
  });
const of = (programs: readonly ProgramPlan[], shutdownTimeoutMs: number | null = null) =>
  longestStop({ programs, shutdownTimeoutMs });

describe('the longest end', () => {
  it('is nothing without programs', () => {
    expect(of([])).toEqual({ ms: 0, programs: [] });
  });

  it('is that of the slowest where none needs another', () => {
    const programs = [named('a', 1000, 100), named('b', 3000, 200), named('c', 2000, 900)];
    expect(of(programs)).toEqual({ ms: 3200 + MARGIN, programs: ['b'] });
  });

  it('adds up along those who need each other, the ones in need first', () => {
    const programs = [
      named('redis', 1000, 100),
      named('api', 2000, 100, ['redis']),
      named('worker', 5000, 100, ['redis']),
      named('report', 500, 100, ['api']),
    ];
    expect(of(programs)).toEqual({
      ms: 2100 + 600 + 1100 + 3 * MARGIN,
      programs: ['report', 'api', 'redis'],
    });
  });

  it('has no limit where a drain has none, wherever that is', () => {
    const programs = [named('redis', 1000, 100), named('worker', null, 100, ['redis']), named('b', 9000, 1)];
    expect(of(programs)).toEqual({ ms: null, programs: ['worker'] });
  });

  it('counts the hooks around it', () => {
    const one = program({ drain: { timeoutMs: 1000 }, stop: { timeoutMs: 100 } });
    const hooks = { ...one.hooks, pre_drain: hook(), post_stop: hook() };
    const more = hook().timeoutMs * 2;
    expect(of([{ ...one, hooks }]).ms).toBe(1100 + more + MARGIN);
  });

  it('is cut by shutdown_timeout, after which all are still stopped one after another', () => {
    const programs = [named('redis', null, 100), named('worker', null, 200, ['redis'])];
    expect(of(programs, 10_000)).toEqual({ ms: 10_000 + 300 + 2 * MARGIN, programs: [] });
    const quick = [named('worker', 1000, 200)];
    expect(of(quick, 60_000)).toEqual({ ms: 1200 + MARGIN, programs: ['worker'] });
  });

  it('is found at once for many that need each other in many ways', () => {
    const many = Array.from({ length: 40 }, (_, i) =>
      named(
        `p${i}`,
        1000,
        0,
        Array.from({ length: i }, (_, j) => `p${j}`),
      ),
    );
    expect(of(many).ms).toBe(40 * (1000 + MARGIN));
  });
});
