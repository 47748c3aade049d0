/** A rolling restart in words: how it stands, how it ended in each way that it can, and what leads on. */
import { describe, expect, test } from 'vitest';
import { nextSteps } from '../../src/cli/render/next-step.ts';
import { plain } from '../../src/cli/render/paint.ts';
import { endLines, rolloutSentence } from '../../src/cli/render/rollout.ts';
import { rolloutLines } from '../../src/cli/render/rollout-detail.ts';
import {
  firstLine,
  joinedLines,
  plansLines,
  replacedLines,
  vainCanary,
} from '../../src/cli/render/rollout-plan.ts';
import { widthOf } from '../../src/cli/render/text.ts';
import type { RolloutStatus } from '../../src/protocol/status.ts';
import { planned, rollout, turn } from './samples.ts';

const now = new Date(2026, 0, 31, 14, 1, 12);
const at = (hours: number, minutes: number): string => new Date(2026, 0, 31, hours, minutes).toISOString();
const over = { started_at: at(14, 0), ended_at: at(14, 1), current: [] };
const four = (...steps: readonly Parameters<typeof turn>[1][]) =>
  steps.map((step, index) => turn(`worker:${index}`, step));

const resume = '"tsup-visor rollout resume 7"';
const abort = '"tsup-visor rollout abort 7"';
const revert = '"tsup-visor rollout revert 7"';
const leave = `leave it as it is with ${abort}`;
const leaveOrBack = [`go back with ${revert}`, leave];

describe('the last words of a rollout that', () => {
  const last = (given: Partial<RolloutStatus>) => endLines(rollout({ ...over, ...given }));

  test('succeeded tell how many it took and how long', () => {
    const turns = four('done', 'done', 'done', 'done');
    expect(last({ state: 'succeeded', done: 4, turns })).toEqual([
      'rollout 7 of worker succeeded: 4 instances restarted in 1m',
    ]);
  });

  test('succeeded with failures that were allowed name those', () => {
    const turns = four('done', 'failed', 'done', 'done');
    expect(last({ state: 'succeeded', done: 3, failures: 1, turns })).toEqual([
      'rollout 7 of worker succeeded: 3 instances restarted in 1m, 1 failed as max_failures allows (worker:1)',
      '  see "tsup-visor logs worker:1"',
    ]);
  });

  test('succeeded and left out whom it did not have to wait for say who drains on', () => {
    const why = 'has not drained within 5m: it drains on, and is replaced when it has';
    const turns = [...four('done', 'done', 'skipped'), turn('worker:3', 'skipped', { why })];
    expect(last({ state: 'succeeded', done: 2, turns })).toEqual([
      'rollout 7 of worker succeeded: 2 instances restarted in 1m, 1 not replaced before it has drained (worker:3), 1 left out',
    ]);
  });

  test('succeeded by killing say whom', () => {
    const turns = four('done', 'done', 'done', 'done');
    const killed = ['worker:1', 'worker:2'];
    expect(last({ state: 'succeeded', done: 4, turns, killed })[0]).toBe(
      'rollout 7 of worker succeeded: 4 instances restarted in 1m; worker:1 and 1 more were killed before they had drained',
    );
  });

  test('was aborted after some say how to take the others as well, and how to go back', () => {
    expect(last({ state: 'aborted', done: 1, reason: 'aborted by alice: it is late' })).toEqual([
      'rollout 7 of worker was aborted by alice after 1 of 4: it is late',
      '  take the others as well with "tsup-visor rolling-restart worker"',
      `  go back with ${revert}`,
    ]);
  });

  test('was aborted say once who did that, and what it means for others', () => {
    const first = (reason: string) => last({ state: 'aborted', reason })[0];
    expect(first('aborted by the operator')).toBe(
      'rollout 7 of worker was aborted by the operator after 1 of 4',
    );
    expect(first('aborted by alice; worker:1 gets back the old config')).toBe(
      'rollout 7 of worker was aborted by alice after 1 of 4: worker:1 gets back the old config',
    );
    expect(first('the daemon is shut down')).toBe(
      'rollout 7 of worker was aborted after 1 of 4: the daemon is shut down',
    );
  });

  test('has restarted nothing is not called a success', () => {
    const turns = four('skipped', 'skipped');
    expect(last({ state: 'succeeded', done: 0, total: 2, turns })).toEqual([
      'rollout 7 of worker is over, and restarted nothing: 2 left out',
    ]);
  });

  test('was paused or aborted on its way back say so, and how many are back', () => {
    const turns = four('done', 'failed', 'skipped', 'skipped');
    const back = { reverting: 'worker:1 exited with code 1', done: 1, turns };
    expect(last({ state: 'paused', reason: 'worker:1 is not ready', ...back })[0]).toBe(
      'rollout 7 of worker is paused on its way back to 9f2c1a after 1 of 2: worker:1 is not ready',
    );
    expect(last({ state: 'aborted', reason: 'aborted by bob', ...back })[0]).toBe(
      'rollout 7 of worker was aborted by bob on its way back to 9f2c1a after 1 of 2',
    );
  });

  test('was aborted before the first say how to begin anew', () => {
    expect(last({ state: 'aborted', done: 0 })).toEqual([
      'rollout 7 of worker was aborted after 0 of 4',
      '  begin anew with "tsup-visor rolling-restart worker"',
    ]);
  });

  test('was replaced name the one that took its place', () => {
    expect(last({ state: 'aborted', reason: 'replaced by rollout 8' })[1]).toBe(
      '  wait for that one with "tsup-visor rollout wait 8"',
    );
  });

  test('is over name nothing that would end jobs: who drained then may have a new run by now', () => {
    const blocker = { name: 'worker:1', is: 'draining' } as const;
    for (const state of ['aborted', 'failed', 'succeeded', 'reverted'] as const) {
      expect(last({ state, blocker }).join()).not.toMatch(/--now|signal|restart worker:1/);
    }
  });

  test('failed name whose log tells why', () => {
    const turns = four('done', 'failed', 'pending', 'pending');
    expect(last({ state: 'failed', reason: 'worker:1 exited with code 1', turns })).toEqual([
      'rollout 7 of worker failed after 1 of 4: worker:1 exited with code 1',
      '  see "tsup-visor logs worker:1"',
      '  take the others as well with "tsup-visor rolling-restart worker"',
      `  go back with ${revert}`,
    ]);
  });

  test('was reverted say to what, and how to begin anew', () => {
    const turns = four('done', 'done', 'skipped', 'skipped');
    expect(last({ state: 'reverted', done: 2, reverting: 'worker:1 exited with code 1', turns })).toEqual([
      'rollout 7 of worker was reverted, 2 instances are back at 9f2c1a after 1m: worker:1 exited with code 1',
      '  see "tsup-visor logs worker:1"',
      '  once it is mended, begin anew with "tsup-visor rolling-restart worker"',
    ]);
    expect(last({ state: 'reverted', done: 0, reverting: 'worker:4 exited with code 1' })[0]).toBe(
      'rollout 7 of worker was reverted after 1m, before anybody was replaced: worker:4 exited with code 1',
    );
    expect(last({ state: 'reverted', done: 1, reverting: 'reverted by bob: too slow', turns })[0]).toBe(
      'rollout 7 of worker was reverted by bob, 1 instance is back at 9f2c1a after 1m: too slow',
    );
  });
});

test('a way back is not offered where code on disk is all that may have changed', () => {
  const same = { from_revision: '9f2c1a' };
  const canary = { count: 1, state: 'held', until: null, hold_ms: null } as const;
  const steps = (given: Partial<RolloutStatus>) => nextSteps(rollout({ ...same, ...given }));
  expect(steps({ canary })).toEqual([
    'go on with "tsup-visor rollout promote 7"',
    `end it here with ${abort}`,
  ]);
  expect(steps({ state: 'paused' })).toEqual([`go on with ${resume}`, leave]);
  expect(steps({ ...over, state: 'aborted', done: 1 })).toEqual([
    'take the others as well with "tsup-visor rolling-restart worker"',
  ]);
});

test('one that an operator has taken back names nobody whom to look at', () => {
  const given = { ...over, state: 'reverted', reverting: 'reverted by the operator' } as const;
  expect(endLines(rollout(given))[1]).toBe('  begin anew with "tsup-visor rolling-restart worker"');
});

describe('a rollout that is paused says whom to look at and what leads on', () => {
  const turns = [turn('worker:0', 'failed', { elapsed_ms: 3000 })];
  const next = (name: string, is: 'failed' | 'draining' | 'needed', more: object = {}): string[] =>
    nextSteps(rollout({ state: 'paused', blocker: { name, is }, ...more }));

  test('where a replacement has failed, and how another config gets to it', () => {
    expect(next('worker:0', 'failed', { turns })).toEqual([
      'see "tsup-visor logs worker:0"',
      `try the same again with ${resume}`,
      'take a mended config with "tsup-visor rolling-restart worker --replace"',
      ...leaveOrBack,
    ]);
  });

  test('where another one was given up', () => {
    expect(next('worker:3', 'failed')).toEqual([
      'see "tsup-visor logs worker:3"',
      'start it with "tsup-visor start worker:3"',
      `then go on with ${resume}`,
      ...leaveOrBack,
    ]);
  });

  test('where what it needs is stopped', () => {
    expect(next('redis', 'needed')).toEqual([
      'start it with "tsup-visor start redis"',
      `then go on with ${resume}`,
      ...leaveOrBack,
    ]);
  });

  test('where a drain takes too long', () => {
    expect(next('worker:1', 'draining')).toEqual([
      `wait once more as long with ${resume}`,
      'end its jobs with "tsup-visor signal TERM worker:1"',
      'where that is not heeded, with "tsup-visor signal --tree KILL worker:1"',
      ...leaveOrBack,
    ]);
  });

  test('where the drain that was too long is over by now, nobody is in the way', () => {
    const done = [turn('worker:1', 'done')];
    expect(next('worker:1', 'draining', { turns: done })).toEqual([`go on with ${resume}`, ...leaveOrBack]);
  });

  test('where the operator has paused it', () => {
    const paused = rollout({ state: 'paused', reason: 'paused by bob' });
    expect(endLines(paused)).toEqual([
      'rollout 7 of worker is paused by bob after 1 of 4',
      `  go on with ${resume}`,
      `  go back with ${revert}`,
      `  ${leave}`,
    ]);
  });

  test('where it goes back already, that is not offered again', () => {
    expect(nextSteps(rollout({ state: 'paused', reverting: 'x' }))).toEqual([`go on with ${resume}`, leave]);
  });
});

describe('a rollout that runs', () => {
  const sentence = (given: Partial<RolloutStatus>) => rolloutSentence(rollout(given), now);

  test('says how far it is, who is in motion, and what holds it up', () => {
    expect(sentence({})).toBe('rollout 7 of worker is running: 1 of 4 done, now worker:1');
    expect(sentence({ reason: 'worker:3 is unhealthy', current: [] })).toBe(
      'rollout 7 of worker is running: 1 of 4 done: worker:3 is unhealthy',
    );
  });

  test('says that it is held, and until when', () => {
    const canary = { count: 1, state: 'held', until: null, hold_ms: null } as const;
    expect(sentence({ canary, current: [] })).toBe(
      'rollout 7 of worker is held after its canary, until it is promoted: 1 of 4 done',
    );
    expect(sentence({ canary: { ...canary, until: at(14, 6) }, current: [] })).toBe(
      'rollout 7 of worker is held after its canary, until 14:06: 1 of 4 done',
    );
  });

  test('says that it goes back, and why', () => {
    expect(sentence({ reverting: 'worker:1 exited with code 1', done: 0, current: ['worker:0'] })).toBe(
      'rollout 7 of worker goes back to 9f2c1a, 0 of 4 are back, now worker:0: worker:1 exited with code 1',
    );
    expect(sentence({ reverting: 'reverted by bob: too slow', done: 0, current: [] })).toBe(
      'rollout 7 of worker goes back to 9f2c1a (reverted by bob), 0 of 4 are back: too slow',
    );
  });

  test('says that another one comes first', () => {
    const turns = four('pending', 'pending');
    expect(sentence({ after: 6, reason: 'waits for rollout 6 of redis', turns, current: [] })).toBe(
      'rollout 7 of worker has not begun: waits for rollout 6 of redis',
    );
  });
});

describe('the whole of a rollout', () => {
  const whole = rollout({
    started_at: at(14, 0),
    expected_end: at(14, 3),
    max_parallel: 2,
    canary: { count: 1, state: 'promoted', until: null, hold_ms: null },
    cause: { kind: 'operator', by: 'alice', words: 'deploy 4711', of: null },
    turns: [
      turn('worker:4', 'serving', { extra: true, elapsed_ms: 70_000 }),
      turn('worker:0', 'done', { elapsed_ms: 9000, drain_ms: 4000 }),
      turn('worker:1', 'draining', { elapsed_ms: 41_000, deadline: at(14, 5) }),
      turn('worker:2'),
      turn('worker:3'),
    ],
  });
  const lines = (given: Partial<RolloutStatus>, width: number | undefined) =>
    rolloutLines({ ...whole, ...given }, { paint: plain, width, now });

  test('names who wanted it and why, how it goes, its end and each turn', () => {
    expect(`\n${lines({}, 80).join('\n')}\n`).toMatchInlineSnapshot(`
      "
      rollout 7 of worker is running: 1 of 4 done, now worker:1
        begun by alice at 14:00: deploy 4711
        77ab01 -> 9f2c1a, 2 at a time, canary of 1 (promoted)
        is expected to end at 14:03 (about 2m left)
        INSTANCE  TURN       TOOK  DRAIN
        worker:4  serving   1m10s      -  extra
        worker:0  done         9s     4s
        worker:1  draining    41s      -  until 14:05
        to come: 2 instances (worker:2-3)
      "
    `);
  });

  test.each([40, 80, 140])('fits into %i columns', (width) => {
    for (const line of lines({ state: 'paused', reason: 'x '.repeat(80) }, width)) {
      expect(widthOf(line)).toBeLessThanOrEqual(width);
    }
  });

  test('says whose drain is late, and holds nobody up', () => {
    const turns = [turn('worker:0', 'draining', { elapsed_ms: 41_000, late: true })];
    expect(lines({ turns }, 80).join('\n')).toMatch(/worker:0 +draining +41s +- {2}late, the others go on/);
  });

  test('says what was cut short when it ended', () => {
    expect(lines({ ...over, state: 'aborted' }, 80).join('\n')).toMatch(
      /worker:1 +draining +41s +- {2}when it ended/,
    );
  });

  test('names those that were left out together, and each one that drains on', () => {
    const why = 'the rollout was aborted';
    const late = 'has not drained within 5m: it drains on, and is replaced when it has';
    const turns = [
      turn('worker:0', 'skipped', { why: late }),
      ...[1, 2, 3].map((index) => turn(`worker:${index}`, 'skipped', { why })),
    ];
    const text = lines({ ...over, state: 'aborted', turns }, undefined).join('\n');
    expect(text).toMatch(/worker:0 +skipped +- +- {2}has not drained within 5m/);
    expect(text).toContain('\n  left out: worker:1-3: the rollout was aborted\n');
  });

  test('says when it was a reload, or takes another one back', () => {
    const cause = { by: 'alice', words: null };
    expect(lines({ cause: { ...cause, kind: 'reload', of: null } }, 80)[1]).toBe(
      '  begun by alice at 14:00, a reload',
    );
    expect(lines({ cause: { ...cause, kind: 'revert', of: 6 } }, 80)[1]).toBe(
      '  begun by alice at 14:00, takes back rollout 6',
    );
  });
});

describe('a dry run tells', () => {
  test('the order, extra instances, pace, canary and length', () => {
    const turns = [
      turn('worker:4', 'pending', { extra: true }),
      ...[3, 0, 1, 2].map((index) => turn(`worker:${index}`)),
    ];
    const canary = { count: 1, state: 'first', until: null, hold_ms: null } as const;
    const plan = planned({
      turns,
      surge: 1,
      max_parallel: 2,
      canary,
      expected_ms: 200_000,
      expected_from: 12,
    });
    expect(plansLines([plan], false)).toEqual([
      'worker: would restart 4 instances, in this order: worker:3, worker:0-2',
      '  1 extra instance first (worker:4), then 2 at a time',
      '  canary: worker:3, then held until it is promoted, then the other 3',
      '  takes about 3m20s, as the last 12 turns went',
    ]);
  });

  test('extra instances, also where it is not known yet which numbers they have', () => {
    expect(plansLines([planned({ surge: 2 })], false)).toContain(
      '  2 extra instances first, then 1 at a time',
    );
  });

  test('how long the canary is to be held', () => {
    const canary = { count: 1, state: 'first', until: null, hold_ms: 300_000 } as const;
    const told = (hold_ms: number) => plansLines([planned({ canary: { ...canary, hold_ms } })], false);
    expect(told(300_000)).toContain('  canary: worker:0, then held for 5m, then the other 3');
    expect(told(0)).toContain('  canary: worker:0, which must not fail; the other 3 follow without a hold');
  });

  test('that nobody waits for the next where all may be away at once', () => {
    expect(plansLines([planned({ max_parallel: 9 })], false)).toContain('  all 4 at once');
  });

  test('no canary that would be all of them', () => {
    const canary = { count: 4, state: 'first', until: null, hold_ms: null } as const;
    expect(plansLines([planned({ canary })], false).join()).not.toContain('canary');
  });

  test('how several programs follow one another', () => {
    const plans = [planned(), planned({ program: 'mailer' })];
    expect(plansLines(plans, false).at(-1)).toBe('one program after the other, in this order');
    expect(plansLines(plans, true).at(-1)).toBe('all of these at once');
  });

  test('that nothing is known of its length', () => {
    expect(plansLines([planned()], false).at(-1)).toBe('  how long is not known: no turn was seen so far');
  });

  test('whom it leaves out, and why', () => {
    const stopped = { why: 'it is stopped' };
    const turns = [
      turn('worker:0'),
      turn('worker:1', 'skipped', stopped),
      turn('worker:2', 'skipped', stopped),
    ];
    expect(plansLines([planned({ turns, expected_ms: 9000, expected_from: 1 })], false)).toEqual([
      'worker: would restart 1 instance: worker:0',
      '  takes about 9s, as the last turn went',
      '  leaves worker:1-2 alone: it is stopped',
    ]);
  });
});

test('a canary that was asked for in vain, and what would be ended, are said', () => {
  expect(vainCanary([planned({ canary: null })])).toEqual([
    'worker: no canary, for it would be all of its 4 instances',
  ]);
  const canary = { count: 1, state: 'first', until: null, hold_ms: null } as const;
  expect(vainCanary([planned({ canary })])).toEqual([]);
  const known = {
    rollouts: [rollout(), rollout({ id: 6, state: 'aborted' }), rollout({ program: 'mailer' })],
  };
  expect(replacedLines({ rollouts: [planned()] }, known)).toEqual([
    'would end rollout 7 of worker, which is under way (1 of 4 done)',
  ]);
});

describe('the first line in a pipe', () => {
  test('says how many, which config and why', () => {
    const cause = { kind: 'operator', by: 'alice', words: 'deploy 4711', of: null } as const;
    const canary = { count: 1, state: 'first', until: null, hold_ms: 0 } as const;
    const turns = [turn('worker:2', 'pending', { extra: true }), turn('worker:0'), turn('worker:1')];
    expect(firstLine(rollout({ done: 0, turns, cause, canary }))).toBe(
      'rollout 7 of worker begins: 2 instances, 1 extra (worker:2), 1 at a time, canary of 1 without a hold, 77ab01 -> 9f2c1a; deploy 4711',
    );
  });

  test('says how far one is that was under way, and what one waits for', () => {
    expect(firstLine(rollout())).toBe(
      'rollout 7 of worker is under way: 4 instances, 1 of them done, 1 at a time, 77ab01 -> 9f2c1a',
    );
    const turns = [turn('mailer:0')];
    expect(firstLine(rollout({ after: 6, reason: 'waits for rollout 6 of redis', turns, done: 0 }))).toBe(
      'rollout 7 of worker waits for rollout 6 of redis: 1 instance, 77ab01 -> 9f2c1a',
    );
  });
});

test('one that is joined says that what it has done is not done again', () => {
  const joined = {
    rollouts: [rollout({ done: 3, total: 40 }), rollout({ id: 8, program: 'mailer' })],
    joined: [7],
  };
  expect(joinedLines(joined)).toEqual(['joins rollout 7 of worker (3 of 40 done); --replace begins anew']);
  const paused = { rollouts: [rollout({ state: 'paused' })], joined: [7] };
  expect(joinedLines(paused)[0]).toMatch(/^joins rollout 7 of worker, which is paused \(1 of 4 done\)/);
});
