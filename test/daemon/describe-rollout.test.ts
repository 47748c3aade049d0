/** A rollout as the wire shows it: its turns, its canary, who wanted it, and when it is over if all goes on as it has. */
import { describe, expect, it } from 'vitest';
import { type Mono, mono } from '../../src/base/clock.ts';
import { type InstanceId, revision, rolloutId, run } from '../../src/base/ids.ts';
import type { Rollout, Turn, TurnStep } from '../../src/core/rollout/rollout.ts';
import { describeRollout } from '../../src/daemon/describe-rollout.ts';
import { expectedEnd, inTurnMs, median, paceOf } from '../../src/daemon/expectation.ts';
import type { RolloutStatus } from '../../src/protocol/status.ts';
import { at, BEGIN, Fleets, PROGRAM, program, worker } from '../core/rig.ts';

const OLD = program({ revision: revision('old') });

const turn = (index: number, step: TurnStep, extra = false): Turn => ({
  id: worker(index),
  extra,
  before: { program: OLD, generation: 0 },
  step,
});
const pending = (index: number) => turn(index, { kind: 'pending' });
const done = (index: number, tookMs = 1000, drainMs: number | null = 400) =>
  turn(index, { kind: 'done', tookMs, drainMs, newRun: run(9) });

const rollout = (turns: readonly Turn[], more: Partial<Rollout> = {}): Rollout => ({
  id: rolloutId(7),
  program: PROGRAM.name,
  state: 'running',
  reason: null,
  blocker: null,
  target: PROGRAM,
  generation: 1,
  maxParallel: 1,
  canary: { kind: 'none' },
  notBefore: null,
  checks: 0,
  drains: [],
  killed: [],
  after: null,
  cause: { kind: 'operator', by: 'ann', words: 'why not', of: null },
  reverting: null,
  startedAt: at(0),
  endedAt: null,
  turns,
  ...more,
});

const iso = (ms: number): string => new Date(at(ms).wall).toISOString();

describe('a rollout', () => {
  it('is told turn by turn, with how long each step has lasted', () => {
    const fleets = new Fleets([program({ instances: 3 })]).allReady();
    fleets.take({ ...BEGIN, program: program(), ids: fleets.ids(), maxParallel: 1 });
    fleets.now += 70;
    const own = fleets.fleet.rollouts.get(rolloutId(1));
    if (own === undefined) throw new Error('no rollout');
    const rest = { extra: false, drain_ms: null, deadline: null };
    expect(describeRollout(own, at(fleets.now))).toEqual({
      id: 1,
      program: 'worker',
      state: 'running',
      done: 0,
      total: 3,
      failures: 0,
      current: ['worker:0'],
      reason: null,
      blocker: null,
      max_parallel: 1,
      canary: null,
      after: null,
      reverting: null,
      reverted_revision: null,
      cause: { kind: 'operator', by: null, words: null, of: null },
      started_at: expect.stringMatching(/Z$/),
      ended_at: null,
      expected_end: null,
      drains_ms: [],
      killed: [],
      revision: 'one',
      from_revision: 'one',
      turns: [
        { ...rest, instance: 'worker:0', step: 'draining', elapsed_ms: 70 },
        { ...rest, instance: 'worker:1', step: 'pending', elapsed_ms: null },
        { ...rest, instance: 'worker:2', step: 'pending', elapsed_ms: null },
      ],
    });
  });

  it('tells of a turn that it cut short how long it had lasted then', () => {
    const fleets = new Fleets([program({ instances: 1 })]).allReady();
    fleets.take({ ...BEGIN, program: program(), ids: fleets.ids(), maxParallel: 1 });
    fleets.now += 70;
    fleets.take({ type: 'steer_rollout', id: rolloutId(1), command: 'abort' });
    fleets.now += 1000;
    const own = fleets.fleet.rollouts.get(rolloutId(1));
    if (own === undefined) throw new Error('no rollout');
    expect(describeRollout(own, at(fleets.now)).turns).toMatchObject([
      { instance: 'worker:0', step: 'draining', elapsed_ms: 70, deadline: null },
    ]);
  });

  it('does not count extra instances, and counts failures that were let pass', () => {
    const failed = turn(1, { kind: 'failed', why: 'no', tookMs: 1, drainMs: 3.4 });
    const serving = { kind: 'serving', since: at(0), began: at(0), drainMs: null, newRun: run(4) } as const;
    const told = describeRollout(rollout([turn(3, serving, true), done(0), failed, pending(2)]), at(50));
    expect(told).toMatchObject({ done: 1, total: 3, failures: 1, current: [], from_revision: 'old' });
    expect(told.turns).toMatchObject([
      { extra: true, step: 'serving', elapsed_ms: 50 },
      { extra: false, drain_ms: 400, elapsed_ms: 1000 },
      { drain_ms: 3, why: 'no' },
      { step: 'pending' },
    ]);
  });

  const begun = { since: at(10), began: at(0), drainMs: 5, newRun: run(4) };
  const CHECK = { check: { kind: 'tcp', host: 'x', port: '1' }, timeoutMs: 300 } as const;
  it.each<[string, TurnStep, number | null]>([
    ['a drain', { kind: 'draining', since: at(0), oldRun: run(1) }, 77],
    ['a start', { kind: 'starting', ...begun, deadline: mono(90) }, 90],
    ['a start without a limit', { kind: 'starting', ...begun, deadline: null }, null],
    [
      'one that has to stay healthy',
      { kind: 'settling', ...begun, healthyAt: mono(60), deadline: mono(90) },
      60,
    ],
    ['one that is to end by itself', { kind: 'settling', ...begun, healthyAt: null, deadline: mono(90) }, 90],
    ['a check', { kind: 'checking', ...begun, attempt: 1 }, 310],
    ['an extra one that serves', { kind: 'serving', ...begun }, null],
  ])('says of %s until when it lasts', (_, step, until) => {
    const target = program({ rollout: { check: CHECK } });
    const view = { drainDeadline: (_: InstanceId): Mono => mono(77), expectedEnd: () => null };
    const [told] = describeRollout(rollout([turn(0, step)], { target }), at(20), view).turns;
    expect(told?.deadline).toBe(until === null ? null : iso(until));
  });

  it.each<[Rollout['canary'], RolloutStatus['canary']]>([
    [{ kind: 'none' }, null],
    [
      { kind: 'first', count: 2 },
      { count: 2, state: 'first', until: null, hold_ms: 0 },
    ],
    [
      { kind: 'held', count: 2, since: at(0), until: mono(500) },
      { count: 2, state: 'held', until: iso(500), hold_ms: 0 },
    ],
    [
      { kind: 'held', count: 2, since: at(0), until: null },
      { count: 2, state: 'held', until: null, hold_ms: 0 },
    ],
    [
      { kind: 'promoted', count: 2 },
      { count: 2, state: 'promoted', until: null, hold_ms: 0 },
    ],
  ])('tells of its canary %j', (canary, told) => {
    expect(describeRollout(rollout([], { canary }), at(20)).canary).toEqual(told);
  });
});

describe('the expected end of a rollout', () => {
  const end = (own: Rollout, now = 0, past: readonly RolloutStatus[] = [], begins: Mono | null = mono(now)) =>
    expectedEnd(own, past, begins, at(now));
  const pastOf = (own: Rollout): RolloutStatus =>
    describeRollout({ ...own, state: 'succeeded', endedAt: at(0) }, at(0));

  it('is not known before any turn has been', () => {
    expect(end(rollout([pending(0), pending(1)]))).toBeNull();
  });

  it('comes from the turns that it has had', () => {
    expect(end(rollout([done(0), pending(1), pending(2)]), 100)).toBe(2100);
  });

  it('comes from the last rollout of its program as long as none of its own is done', () => {
    const past = [pastOf(rollout([done(0, 9000)])), pastOf(rollout([done(0), done(1), done(2, 5000)]))];
    expect(end(rollout([pending(0), pending(1)]), 0, past), 'the median').toBe(2000);
  });

  it('takes so many at once', () => {
    expect(end(rollout([done(0), ...[1, 2, 3, 4, 5].map(pending)], { maxParallel: 2 }))).toBe(3000);
  });

  it('takes what is under way for as long as it still needs, and a rest that nobody has seen for min_healthy_time', () => {
    const draining = turn(1, { kind: 'draining', since: at(0), oldRun: null });
    expect(end(rollout([done(0), draining, pending(2)]), 300), '100 of its drain, 600 until it is done').toBe(
      2000,
    );
    const began = { since: at(200), began: at(0), drainMs: 200, newRun: run(4) };
    const starting = turn(0, { kind: 'starting', ...began, deadline: null });
    expect(end(rollout([starting, pending(1)]), 300), '400 are left, then 200 and 500').toBe(1400);
  });

  it('counts a hold by the clock, and is not known for one by hand', () => {
    const canary = { kind: 'first', count: 1 } as const;
    const turns = [done(0), pending(1)];
    const holding = (canaryHoldMs: number | null) => program({ rollout: { canaryHoldMs } });
    expect(end(rollout(turns, { canary, target: holding(5000) }))).toBe(6000);
    expect(end(rollout(turns, { canary, target: holding(null) }))).toBeNull();
    const held = { kind: 'held', count: 1, since: at(0) } as const;
    expect(end(rollout(turns, { canary: { ...held, until: mono(700) } }), 500)).toBe(1700);
    expect(end(rollout(turns, { canary: { ...held, until: null } }))).toBeNull();
  });

  it('counts what nobody is touched before, and extra instances that come first and go last', () => {
    const notBefore = { at: mono(5000), why: 'x' };
    expect(end(rollout([done(0), pending(1)], { notBefore }))).toBe(6000);
    const serving = { kind: 'serving', since: at(0), began: at(0), drainMs: null, newRun: run(4) } as const;
    expect(end(rollout([turn(2, serving, true), done(0), pending(1)])), 'its drain').toBe(1400);
  });

  it('is not known while it is paused, once it is over, or as long as the one ahead of it has none', () => {
    const turns = [done(0), pending(1)];
    expect(end(rollout(turns, { state: 'paused' }))).toBeNull();
    expect(end(rollout(turns, { state: 'aborted' }))).toBeNull();
    expect(end(rollout(turns), 0, [], null)).toBeNull();
    expect(end(rollout(turns), 0, [], mono(4000)), 'after that one').toBe(5000);
  });

  it.each([
    [[], null],
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
  ])('is by the median: of %j that is %j', (values, middle) => {
    expect(median(values)).toBe(middle);
  });

  it('costs no more for a limit that nobody can reach', () => {
    expect(inTurnMs(3, { drainMs: 1, restMs: 1, from: 1 }, 1e9)).toBe(2);
  });

  it('leaves extra instances out, which did not drain before they worked', () => {
    const extra = turn(5, { kind: 'done', tookMs: 1, drainMs: null, newRun: null }, true);
    expect(paceOf(PROGRAM, [extra, done(0)], [])).toEqual({ drainMs: 400, restMs: 600, from: 1 });
  });
});
