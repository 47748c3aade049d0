/** What a request for a rolling restart comes to in numbers. */
import { describe, expect, it } from 'vitest';
import type { ProgramPlan, RolloutPlan, Share } from '../../src/core/plan.ts';
import type { ApiParts } from '../../src/daemon/api-parts.ts';
import { type Asked, dryRun, numberFilter, rollOf } from '../../src/daemon/rolling.ts';
import { Fleets, program, worker } from '../core/rig.ts';

const CAUSE = { kind: 'operator', by: null, words: null, of: null } as const;
const count = (n: number): Share => ({ kind: 'count', count: n });
const percent = (n: number): Share => ({ kind: 'percent', percent: n });
const rolling = (instances: number, rollout: Partial<RolloutPlan> = {}): ProgramPlan =>
  program({ instances, rollout });

function roll(plan: ProgramPlan, asked: Asked = {}, ids?: readonly ReturnType<typeof worker>[]) {
  const fleets = new Fleets([plan]).allReady();
  const parts = { fleet: fleets.fleet } as ApiParts; // nothing else of it is made use of
  return rollOf(parts, plan, ids ?? fleets.ids(), asked);
}

describe('a rolling restart', () => {
  it.each([
    ['a number', rolling(10, { maxParallel: count(3) }), {}, 3],
    ['a share, rounded down', rolling(10, { maxParallel: percent(25) }), {}, 2],
    ['one at least, however small the share', rolling(3, { maxParallel: percent(10) }), {}, 1],
    ['what is asked for', rolling(10, { maxParallel: count(3) }), { max_parallel: '5' }, 5],
    ['the share that is asked for', rolling(10), { max_parallel: '39%' }, 3],
  ] as const)('takes so many at once: %s', (_, plan, asked, maxParallel) => {
    expect(roll(plan, asked)).toMatchObject({ maxParallel });
  });

  it.each([
    ['a number', rolling(10, { canary: count(3) }), {}, 3],
    ['a share, rounded up', rolling(10, { canary: percent(11) }), {}, 2],
    ['one at least', rolling(3, { canary: percent(1) }), {}, 1],
    ['none', rolling(10), {}, 0],
    ['none, where that is asked for', rolling(10, { canary: count(3) }), { canary: '0' }, 0],
    ['none, where all would be', rolling(3, { canary: count(3) }), {}, 0],
    ['what is asked for', rolling(10), { canary: '25%' }, 3],
  ] as const)('takes so many first: %s', (_, plan, asked, canary) => {
    expect(roll(plan, asked)).toMatchObject({ canary });
  });

  it.each([
    ['a number', count(2), 2],
    ['a share, rounded up', percent(11), 2],
    ['none', count(0), 0],
  ] as const)('has so many extra ones: %s', (_, maxSurge, surge) => {
    expect(roll(rolling(10, { maxSurge }))).toMatchObject({ surge });
  });

  it('has no extra ones of what runs to completion', () => {
    const plan = { ...rolling(10, { maxSurge: count(2) }), restart: 'never' } as const;
    expect(roll(plan)).toMatchObject({ surge: 0 });
  });

  it('counts shares of the whole program, also where only some are named', () => {
    const plan = rolling(10, { maxParallel: percent(20), canary: percent(10) });
    expect(roll(plan, {}, [worker(0), worker(1), worker(2)])).toMatchObject({ maxParallel: 2, canary: 1 });
  });
});

describe('numbers of instances', () => {
  it.each([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['0,2,5-7', [0, 2, 5, 6, 7]],
    ['7-5', []],
    ['00002', [2]],
  ])('%s', (text, numbers) => {
    const isMeant = numberFilter(text);
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].filter(isMeant)).toEqual(numbers);
  });
});

describe('a dry run', () => {
  it('has the hold of its canary in its length, and extra instances at both ends', () => {
    const plan = rolling(4, {
      canary: count(1),
      canaryHoldMs: 5000,
      maxParallel: count(2),
      maxSurge: count(1),
    });
    const past = [
      {
        ...dryRun(roll(plan), CAUSE, []),
        id: 1,
        started_at: '',
        state: 'succeeded',
        turns: [
          {
            instance: 'worker:0',
            extra: false,
            step: 'done',
            elapsed_ms: 1000,
            drain_ms: 400,
            deadline: null,
          },
        ],
      },
    ] as const;
    const told = dryRun(roll(plan), CAUSE, past);
    expect(told).toMatchObject({ expected_from: 1, surge: 1, canary: { count: 1 } });
    expect(told.expected_ms, 'one, 5s, three two at a time, and a start and a drain').toBe(
      1000 + 5000 + 2000 + 1000,
    );
  });

  it('is not held for whom somebody has to promote: that takes as long as it takes', () => {
    const plan = rolling(2, { canary: count(1), canaryHoldMs: null });
    const turn = {
      instance: 'x',
      extra: false,
      step: 'done',
      elapsed_ms: 1000,
      drain_ms: null,
      deadline: null,
    } as const;
    const past = [{ ...dryRun(roll(plan), CAUSE, []), id: 1, started_at: '', turns: [turn] }];
    expect(dryRun(roll(plan), CAUSE, past).expected_ms).toBe(2000);
  });
});
