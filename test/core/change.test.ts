/** The class of each key, and what of a newer plan a run takes on. */
import { describe, expect, test } from 'vitest';
import { revision } from '../../src/base/ids.ts';
import {
  changedKeys,
  EFFECT_OF,
  effectOf,
  isSamePlan,
  needsNewRun,
  withLiveKeys,
} from '../../src/core/change.ts';
import type { ProgramPlan, SchedulePlan } from '../../src/core/plan.ts';
import { PROGRAM, program } from './rig.ts';

const schedule: SchedulePlan = { cron: '* * * * *', timezone: null, overlap: 'skip' };
const CLASSES = {
  live: [
    'revision',
    'instances',
    'maxMemory',
    'maxAgeMs',
    'autostart',
    'essential',
    'dependsOn',
    'priority',
    'restart',
    'successExitCodes',
    'backoff',
    'schedule',
    'health',
    'rollout',
  ],
  next_start: ['ready', 'drain', 'stop', 'hooks'],
  rolling: [
    'command',
    'directory',
    'environment',
    'envFiles',
    'inheritEnvironment',
    'user',
    'group',
    'umask',
    'nice',
    'limits',
    'watchdogMs',
    'logs',
  ],
  immutable: ['name'],
} as const;

test('every key of a plan has its class, and no other', () => {
  expect(Object.keys(EFFECT_OF).toSorted()).toEqual(Object.keys(PROGRAM).toSorted());
  const classes = Object.entries(CLASSES).flatMap(([name, keys]) => keys.map((key) => [key, name]));
  expect(EFFECT_OF).toEqual(Object.fromEntries(classes));
});

/** The plan with one key changed to something that it was not. */
const changed = (key: keyof ProgramPlan): ProgramPlan => {
  const value: unknown = PROGRAM[key];
  return { ...PROGRAM, revision: revision('two'), [key]: typeof value === 'object' ? { other: 1 } : 'other' };
};

describe.each(Object.entries(EFFECT_OF).filter(([key]) => key !== 'revision' && key !== 'name'))(
  '%s is %s',
  (name, effect) => {
    const key = name as keyof ProgramPlan; // of this very record
    const fresh = changed(key);
    const isOther = key === 'schedule'; // from none to one: that is a new run's

    test('a change of it alone is seen', () => expect(changedKeys(PROGRAM, fresh)).toEqual([key]));

    test('a run has to be begun anew for it, or not', () => {
      expect(needsNewRun(PROGRAM, fresh)).toBe(effect === 'rolling' || isOther);
    });

    test('a run takes it on, or not', () => {
      const isTaken = effect === 'live' && !isOther;
      expect(withLiveKeys(PROGRAM, fresh)[key] === fresh[key]).toBe(isTaken);
      expect(withLiveKeys(PROGRAM, fresh).revision).toBe(isTaken ? 'two' : 'one');
    });
  },
);

test('another time is live; to have times at all, or none any more, is a new run’s', () => {
  const [none, some] = [program(), program({ schedule })];
  expect(effectOf('schedule', some, program({ schedule: { ...schedule, cron: '@daily' } }))).toBe('live');
  expect(effectOf('schedule', none, some)).toBe('rolling');
  expect(effectOf('schedule', some, none)).toBe('rolling');
});

test('plans are compared by what they say: not by the order of keys, nor by which object they are', () => {
  const a = program({ environment: { A: '1', B: '2' } });
  expect(changedKeys(a, program({ environment: { B: '2', A: '1' } }))).toEqual([]);
  expect(changedKeys(a, { ...a, environment: { A: '1' } })).toEqual(['environment']);
  expect(changedKeys(a, { ...a, environment: { A: '1', B: '2', C: '3' } })).toEqual(['environment']);
  expect(changedKeys(a, { ...a, environment: { A: '1', C: '2' } })).toEqual(['environment']);
  expect(changedKeys(a, { ...a, command: ['worker', '-v'] })).toEqual(['command']);
  expect(changedKeys(program({ envFiles: ['a', 'b'] }), program({ envFiles: ['b', 'a'] }))).toEqual([
    'envFiles',
  ]);
  expect(changedKeys(program({ nice: 0 }), program())).toEqual(['nice']);
});

test('with live keys alone changed it is the newer plan itself; with others, its own plan with those', () => {
  const live = program({ revision: revision('two'), priority: 5 });
  expect(withLiveKeys(PROGRAM, live)).toBe(live);
  const mixed = program({ revision: revision('two'), priority: 5, command: ['two'], stop: { timeoutMs: 1 } });
  expect(withLiveKeys(PROGRAM, mixed)).toEqual({ ...PROGRAM, priority: 5 });
});

test('the same plan is one that says the same, under the same revision', () => {
  expect(isSamePlan(PROGRAM, program())).toBe(true);
  expect(isSamePlan(PROGRAM, program({ revision: revision('two') }))).toBe(false);
  expect(isSamePlan(PROGRAM, program({ instances: 2 }))).toBe(false);
});
