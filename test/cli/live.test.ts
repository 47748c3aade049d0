/** The live view of a rolling restart, at the widths that terminals have. */
import { describe, expect, test } from 'vitest';
import { bar } from '../../src/cli/render/bar.ts';
import { colour } from '../../src/cli/render/colour.ts';
import { liveLines } from '../../src/cli/render/live.ts';
import { plain } from '../../src/cli/render/paint.ts';
import { widthOf } from '../../src/cli/render/text.ts';
import type { RolloutStatus } from '../../src/protocol/status.ts';
import { draining, instance, rollout, turn } from './samples.ts';

const now = new Date(2026, 0, 31, 14, 1, 12);
const at = (hours: number, minutes: number, seconds = 0): string =>
  new Date(2026, 0, 31, hours, minutes, seconds).toISOString();
const look = { paint: plain, now, unicode: true };

const surging = rollout({
  done: 3,
  total: 12,
  failures: 1,
  max_parallel: 4,
  started_at: at(14, 0),
  expected_end: at(14, 3, 5),
  current: ['worker:4', 'worker:5', 'worker:6', 'worker:7'],
  turns: [
    turn('worker:12', 'serving', { extra: true, elapsed_ms: 65_000 }),
    turn('worker:0', 'done', { elapsed_ms: 9000 }),
    turn('worker:1', 'done', { elapsed_ms: 9000 }),
    turn('worker:2', 'failed', { elapsed_ms: 4000, why: 'worker:2 exited with code 1 after 2s' }),
    turn('worker:3', 'done', { elapsed_ms: 9000 }),
    turn('worker:4', 'draining', { elapsed_ms: 41_000, deadline: at(14, 5) }),
    turn('worker:5', 'starting', { elapsed_ms: 2000, deadline: at(14, 6) }),
    turn('worker:6', 'settling', { elapsed_ms: 4000, deadline: at(14, 1, 18) }),
    turn('worker:7', 'checking', { elapsed_ms: 1000, deadline: at(14, 1, 42) }),
    turn('worker:8', 'skipped', {
      why: 'has not drained within 5m: it drains on, and is replaced when it has',
    }),
    turn('worker:9'),
    turn('worker:10'),
    turn('worker:11'),
  ],
});
const drain = { since: at(14, 0, 31), elapsed_ms: 41_000, deadline: at(14, 5), in_flight: 2 };
const instances = [
  draining({ id: 'worker:4', drain }),
  instance({ id: 'worker:5', state: 'starting', ready: false, message: 'warming up' }),
  instance({ id: 'worker:6', in_flight: 1 }),
  instance({ id: 'worker:7' }),
  draining({ id: 'worker:8', drain: { ...drain, deadline: null, in_flight: 1 } }),
  instance({ id: 'worker:12', in_flight: 3 }),
];

const shown = (one: RolloutStatus, width: number) =>
  `\n${liveLines([one], instances, { ...look, width }).join('\n')}\n`;

test('a bar for the whole and a line for each instance in motion, at 80 columns', () => {
  expect(shown(surging, 80)).toMatchInlineSnapshot(`
    "
    worker  [███████!!---▒▒▒▒▒▒▒▒▒░░░░░░░░]  3 of 12, 1 failed  1m12s, about 2m left
      worker:2   failed        4s  worker:2 exited with code 1 after 2s
      worker:4   draining     41s  2 jobs in flight, until 14:05
      worker:5   starting      2s  not ready yet, until 14:06; warming up
      worker:6   settling      4s  ready, 6s more to prove it, 1 job in flight
      worker:7   checking      1s  by your check, until 14:01:42
      worker:12  serving     1m5s  extra, 3 jobs in flight, until the others are do…
      worker:8   skipped           drains on, 1 job in flight, no deadline
    "
  `);
});

test('at 140 columns there is room for what it says of itself', () => {
  expect(shown(surging, 140)).toMatchInlineSnapshot(`
    "
    worker  [█████████!!!---▒▒▒▒▒▒▒▒▒▒▒▒▒░░░░░░░░░░]  3 of 12, 1 failed  1m12s, about 2m left
      worker:2   failed        4s  worker:2 exited with code 1 after 2s
      worker:4   draining     41s  2 jobs in flight, until 14:05
      worker:5   starting      2s  not ready yet, until 14:06; warming up
      worker:6   settling      4s  ready, 6s more to prove it, 1 job in flight
      worker:7   checking      1s  by your check, until 14:01:42
      worker:12  serving     1m5s  extra, 3 jobs in flight, until the others are done
      worker:8   skipped           drains on, 1 job in flight, no deadline
    "
  `);
});

test('at 40 columns it says less, and breaks no line', () => {
  expect(shown(surging, 40)).toMatchInlineSnapshot(`
    "
    worker  3 of 12, 1 failed  1m12s
      worker:2  failed     4s worker:2 exit…
      worker:4  draining  41s 2 jobs, until…
      worker:5  starting   2s not ready yet…
      worker:6  settling   4s ready, 6s mor…
      worker:7  checking   1s by your check…
      worker:12 serving  1m5s extra, 3 jobs…
      worker:8  skipped       drains on, 1…
    "
  `);
});

const canary = { count: 2, state: 'held', until: null, hold_ms: null } as const;
const held = rollout({
  done: 2,
  started_at: at(14, 0),
  current: [],
  canary,
  turns: [0, 1, 2, 3].map((index) => turn(`worker:${index}`, index < 2 ? 'done' : 'pending')),
});

test('a hold says until when, and what to type', () => {
  expect(shown(held, 80)).toMatchInlineSnapshot(`
    "
    worker  [███████████████████░░░░░░░░░░░░░░░░░░░]  2 of 4  1m12s, held
      held after the canary of 2, until it is promoted
      go on with "tsup-visor rollout promote 7"
      go back with "tsup-visor rollout revert 7"
    "
  `);
  const timed = { ...held, canary: { ...canary, until: at(14, 6) } };
  expect(shown(timed, 80)).toContain('held after the canary of 2, until 14:06');
});

test('the command to type is the one that means the same daemon', () => {
  const asTyped = (text: string) => text.replaceAll('tsup-visor', 'tsup-visor -c x.yaml');
  const lines = liveLines([held], [], { ...look, width: 140, asTyped });
  expect(lines.join('\n')).toContain('"tsup-visor -c x.yaml rollout promote 7"');
});

test('going back is said, with the reason', () => {
  const back = rollout({ started_at: at(14, 0), reverting: 'worker:2 exited with code 1', done: 1 });
  expect(shown(back, 80)).toMatchInlineSnapshot(`
    "
    worker  [█████████▒▒▒▒▒▒▒▒▒▒░░░░░░░░░░░░░░░░░░░]  1 of 4 back  1m12s
      goes back to 9f2c1a: worker:2 exited with code 1
      worker:1  draining     41s
    "
  `);
});

test('who took it back is told beside why', () => {
  const back = rollout({ started_at: at(14, 0), reverting: 'reverted by bob: too slow', done: 1 });
  expect(shown(back, 80)).toContain('\n  goes back to 9f2c1a (reverted by bob): too slow\n');
});

describe('several programs', () => {
  const db = rollout({
    id: 6,
    program: 'db',
    state: 'succeeded',
    done: 2,
    total: 2,
    turns: [0, 1].map((index) => turn(`db:${index}`, 'done')),
    started_at: at(14, 0),
    ended_at: at(14, 0, 14),
  });
  const paused = { ...surging, state: 'paused' } as const;
  const cron = rollout({
    id: 8,
    program: 'scheduler',
    after: 7,
    done: 0,
    reason: 'waits for rollout 7 of worker',
    turns: [turn('scheduler:0')],
  });
  const heads = (width: number) =>
    `\n${liveLines([db, paused, cron], [], { ...look, width, isOver: true })
      .filter((line) => !line.startsWith(' '))
      .join('\n')}\n`;

  test('have bars that begin in one column and are equally wide', () => {
    expect(heads(80)).toMatchInlineSnapshot(`
      "
      db         [█████████████████████████████████]  2 of 2  14s, succeeded
      worker     [████████!!!--▒▒▒▒▒▒▒▒▒▒▒░░░░░░░░░]  3 of 12, 1 failed  1m12s, paused
      scheduler  waits for rollout 7 of worker
      "
    `);
    expect(heads(140)).toMatchInlineSnapshot(`
      "
      db         [██████████████████████████████████████]  2 of 2  14s, succeeded
      worker     [█████████!!!---▒▒▒▒▒▒▒▒▒▒▒▒▒░░░░░░░░░░]  3 of 12, 1 failed  1m12s, paused
      scheduler  waits for rollout 7 of worker
      "
    `);
  });

  test('lose their bars before their states', () => {
    expect(heads(40)).toMatchInlineSnapshot(`
      "
      db         2 of 2  14s, succeeded
      worker     3 of 12, 1 failed, paused
      scheduler  waits for rollout 7 of worker
      "
    `);
  });
});

test('while nobody answers, the block itself says that it is old', () => {
  const silentSince = new Date(2026, 0, 31, 14, 1, 2);
  const [line = ''] = liveLines([surging], instances, { ...look, width: 80, silentSince });
  expect(line).toContain('  1m12s, no news since 14:01:02');
  expect(line).not.toContain('left');
});

test('an extra one that has failed is not counted among the others', () => {
  const turns = [turn('worker:4', 'failed', { extra: true }), turn('worker:0'), turn('worker:1')];
  const [line] = liveLines([rollout({ turns, done: 0 })], [], { ...look, width: 80 });
  expect(line).toContain('  0 of 2, 1 extra failed  ');
});

test('of two deadlines the one that comes first is told', () => {
  const one = rollout({ turns: [turn('worker:1', 'starting', { elapsed_ms: 3000, deadline: at(14, 5) })] });
  const line = (message: string) =>
    liveLines([one], [instance({ id: 'worker:1', state: 'starting', message })], { ...look, width: 80 })[1];
  expect(line('waits for READY=1, 20s left')).toBe(
    '  worker:1  starting      3s  waits for READY=1, 20s left',
  );
  expect(line('waits for READY=1')).toBe('  worker:1  starting      3s  until 14:05; waits for READY=1');
});

test('a drain that is late, and holds nobody up, says so', () => {
  const one = rollout({ turns: [turn('worker:1', 'draining', { elapsed_ms: 41_000, late: true })] });
  const [, line] = liveLines([one], [draining({ id: 'worker:1' })], { ...look, width: 80 });
  expect(line).toBe('  worker:1  draining     41s  late, 2 jobs in flight, no deadline');
});

test('in the last block nobody is in motion any more', () => {
  const last = liveLines([{ ...surging, state: 'paused' }], instances, { ...look, width: 80, isOver: true });
  expect(last.slice(1)).toEqual(['  worker:2  failed        4s  worker:2 exited with code 1 after 2s']);
});

test('on the way back only those that have to go back count', () => {
  const turns = [turn('worker:0', 'done'), turn('worker:1', 'draining'), turn('worker:2', 'skipped')];
  const back = rollout({ reverting: 'worker:1 exited with code 1', done: 1, total: 3, turns });
  const [line = ''] = liveLines([back], [], { ...look, width: 80 });
  expect(line).toMatch(/^worker {2}\[█{19}▒{19}\] {2}1 of 2 back /);
});

test('when the watching is over the words are left to what is said below', () => {
  const paused = rollout({ state: 'paused', reason: 'worker:1 has not drained within 5m' });
  expect(liveLines([paused], [], { ...look, width: 80 }).join('\n')).toContain('has not drained');
  expect(liveLines([paused], [], { ...look, width: 80, isOver: true }).join('\n')).not.toContain('has not');
});

test('why it went back is said once', () => {
  const why = 'worker:1 exited with code 1';
  const lines = liveLines([rollout({ state: 'reverted', reverting: why, reason: why })], [], {
    ...look,
    width: 80,
  });
  expect(lines.filter((line) => line.includes(why))).toHaveLength(1);
});

test('what waits for another program takes a line', () => {
  const waiting = rollout({
    program: 'mailer',
    after: 7,
    done: 0,
    reason: 'waits for rollout 7 of worker',
    turns: [turn('mailer:0')],
  });
  expect(liveLines([waiting], [], { ...look, width: 80 })).toEqual(['mailer  waits for rollout 7 of worker']);
});

test('why nothing moves is said below the bar', () => {
  const obstacle = rollout({ reason: 'worker:9 is unhealthy', turns: [turn('worker:0')], current: [] });
  expect(liveLines([obstacle], [], { ...look, width: 80 })[1]).toBe('  worker:9 is unhealthy');
});

test('a turn whose new run waits or is tried again says so', () => {
  const starting = rollout({ turns: [turn('worker:1', 'starting', { elapsed_ms: 3000 })] });
  const line = (state: 'waiting' | 'backoff') => {
    const one = instance({ id: 'worker:1', state, ready: false, message: 'waits for redis' });
    return liveLines([starting], [one], { ...look, width: 80 })[1];
  };
  expect(line('waiting')).toBe('  worker:1  waiting       3s  waits for redis');
  expect(line('backoff')).toBe('  worker:1  backoff       3s  waits for redis');
});

test('a turn that has failed is not said to drain, whatever it did when it was last looked at', () => {
  const failed = rollout({
    turns: [turn('worker:1', 'failed', { elapsed_ms: 3000, why: 'not ready in 5m' })],
  });
  const lines = liveLines([failed], [draining({ id: 'worker:1' })], { ...look, width: 80 });
  expect(lines[1]).toBe('  worker:1  failed        3s  not ready in 5m');
});

test('a drain past its deadline is not said to have none, and one that is being stopped says so', () => {
  const one = rollout({ turns: [turn('worker:1', 'draining', { elapsed_ms: 41_000 })] });
  const line = (given: Parameters<typeof instance>[0]) =>
    liveLines([one], [draining({ id: 'worker:1', ...given })], { ...look, width: 100 })[1];
  expect(line({ message: 'past its deadline' })).toBe(
    '  worker:1  draining     41s  2 jobs in flight; past its deadline',
  );
  expect(line({ state: 'stopping', message: 'is killed in 9s' })).toBe(
    '  worker:1  stopping     41s  is killed in 9s',
  );
});

test('it does without characters that the terminal cannot show', () => {
  expect(liveLines([surging], [], { ...look, width: 80, unicode: false })[0]).toMatch(
    /^worker {2}\[#+!+-+|\++|\.+\]/,
  );
});

test('a bar marks each kind, however few there are of it, and is full only when all is done', () => {
  const steps = (done: number, failed: number, moving: number, pending: number) => ({
    reverting: null,
    turns: [
      ...Array.from({ length: done }, (_, index) => turn(`w:${index}`, 'done')),
      ...Array.from({ length: failed }, (_, index) => turn(`w:${index}`, 'failed')),
      ...Array.from({ length: moving }, (_, index) => turn(`w:${index}`, 'draining')),
      ...Array.from({ length: pending }, (_, index) => turn(`w:${index}`)),
    ],
  });
  const drawn = (...counts: Parameters<typeof steps>) =>
    bar(steps(...counts), 12, { paint: plain, unicode: true });
  expect([
    drawn(0, 0, 0, 200),
    drawn(0, 0, 1, 199),
    drawn(100, 1, 1, 98),
    drawn(199, 0, 0, 1),
    drawn(200, 0, 0, 0),
    drawn(0, 0, 0, 0),
  ]).toEqual([
    '[░░░░░░░░░░]',
    '[▒░░░░░░░░░]',
    '[█████!▒░░░]',
    '[█████████░]',
    '[██████████]',
    '[░░░░░░░░░░]',
  ]);
});

describe.each([20, 40, 80, 140])('in %i columns', (width) => {
  const wide = rollout({
    ...surging,
    program: '列車の仕事',
    turns: surging.turns.map((each) => ({
      ...each,
      instance: each.instance.replace('worker', '列車の仕事'),
    })),
  });
  const renamed = instances.map((each) => ({ ...each, id: each.id.replace('worker', '列車の仕事') }));

  test.each([surging, held, wide])('no line is broken', (one) => {
    for (const line of liveLines([one], [...instances, ...renamed], { ...look, width })) {
      expect(widthOf(line)).toBeLessThanOrEqual(width);
    }
  });

  test('colours take no room', () => {
    const coloured = liveLines([surging], instances, { ...look, width, paint: colour });
    expect(coloured.map(widthOf)).toEqual(liveLines([surging], instances, { ...look, width }).map(widthOf));
    if (width >= 40) expect(coloured.join('')).toContain('\x1b[');
  });
});

const many = (program: string, count: number) =>
  rollout({
    program,
    total: count,
    turns: Array.from({ length: count }, (_, index) =>
      turn(`${program}:${index}`, index % 3 === 0 ? 'starting' : 'draining', { elapsed_ms: 5000 }),
    ),
  });

test('200 instances in motion take no more room than there is, and the rest is summed up', () => {
  const lines = liveLines([many('worker', 200)], [], { ...look, width: 80, rows: 20 });
  expect(lines).toHaveLength(20);
  expect(lines.at(-1)).toBe('  … and 182 more: 61 starting, 121 draining');
});

test('several programs share the room, and none is left out', () => {
  const three = [many('a', 60), many('b', 2), many('c', 60)];
  const lines = liveLines(three, [], { ...look, width: 80, rows: 15 });
  expect(lines.length).toBeLessThanOrEqual(15);
  expect(lines.filter((line) => line.startsWith('  b:'))).toHaveLength(2);
  expect(lines.filter((line) => line.includes('more: '))).toHaveLength(2);
});

test('where there are many programs, those that are over and those to come share a line', () => {
  const over = Array.from({ length: 20 }, (_, at) =>
    rollout({ id: at, program: `a${at}`, state: 'succeeded' }),
  );
  const waiting = Array.from({ length: 20 }, (_, at) =>
    rollout({
      id: 50 + at,
      program: `z${at}`,
      after: 30,
      reason: 'waits for rollout 30 of m',
      turns: [turn('z:0')],
    }),
  );
  const lines = liveLines([...over, many('m', 3), ...waiting], [], { ...look, width: 80, rows: 20 });
  expect(lines.map((line) => line.trim().split(' ')[0])).toEqual(['m', 'm:0', 'm:1', 'm:2', '20']);
  expect(lines.at(-1)).toBe('20 rollouts succeeded, 20 to come');
});
