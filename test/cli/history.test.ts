/** `rollout history`: what became of the rolling restarts of the past. */
import { afterEach, describe, expect, test } from 'vitest';
import { drainsOf } from '../../src/cli/drains.ts';
import { historyLines } from '../../src/cli/render/history.ts';
import { plain } from '../../src/cli/render/paint.ts';
import { widthOf } from '../../src/cli/render/text.ts';
import { EXIT } from '../../src/protocol/errors.ts';
import { type FakeDaemon, fakeDaemon } from './fake-daemon.ts';
import { rollout, turn } from './samples.ts';
import { command } from './terminal.ts';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

const now = new Date(2026, 0, 31, 16, 0);
const at = (day: number, hours: number, minutes: number): string =>
  new Date(2026, 0, day, hours, minutes).toISOString();
const drained = (index: number, drain_ms: number) =>
  turn(`worker:${index}`, 'done', { elapsed_ms: drain_ms + 2000, drain_ms });

const past = [
  rollout({
    id: 5,
    state: 'succeeded',
    done: 3,
    total: 3,
    started_at: at(30, 9, 0),
    ended_at: at(30, 9, 2),
    cause: { kind: 'operator', by: 'alice', words: 'deploy 4711', of: null },
    turns: [drained(0, 4000), drained(1, 41_000), drained(2, 12_000)],
    drains_ms: [4000, 41_000, 12_000],
  }),
  rollout({
    id: 6,
    state: 'failed',
    done: 1,
    started_at: at(31, 13, 0),
    ended_at: at(31, 13, 1),
    reason: 'worker:1 exited with code 1 before it was ready',
    cause: { kind: 'reload', by: 'root', words: null, of: null },
    turns: [drained(0, 4000), turn('worker:1', 'failed', { elapsed_ms: 2000, drain_ms: 1000 })],
    drains_ms: [4000, 1000],
  }),
  rollout({
    id: 7,
    started_at: at(31, 15, 59),
    revision: '77ab01',
    cause: { kind: 'revert', by: null, words: null, of: 6 },
    turns: [turn('worker:0', 'draining')],
  }),
];

const shown = (width: number | undefined) =>
  `\n${historyLines(past, { paint: plain, width, now }).join('\n')}\n`;

test('at 80 columns what changed and why stands below each one', () => {
  expect(shown(80)).toMatchInlineSnapshot(`
    "
    ID  PROGRAM  ENDED      WHEN         BY     TOOK  DONE  DRAINS: MED MAX
     5  worker   succeeded  01-30 09:00  alice    2m   3/3  3: 12s 41s
        77ab01 -> 9f2c1a: deploy 4711
     6  worker   failed     13:00        root     1m   1/4  2: 2.5s 4s
        77ab01 -> 9f2c1a: reload; worker:1 exited with code 1 before it was ready
     7  worker   running    15:59        -        1m   1/4  -
        77ab01: takes back 6
    "
  `);
});

test('at 140 columns each one has a line', () => {
  expect(shown(140)).toMatchInlineSnapshot(`
    "
    ID  PROGRAM  ENDED      WHEN         BY     TOOK  DONE  DRAINS: MED MAX  REVISION          WHY
     5  worker   succeeded  01-30 09:00  alice    2m   3/3  3: 12s 41s       77ab01 -> 9f2c1a  deploy 4711
     6  worker   failed     13:00        root     1m   1/4  2: 2.5s 4s       77ab01 -> 9f2c1a  reload; worker:1 exited with code 1 before it wa…
     7  worker   running    15:59        -        1m   1/4  -                77ab01            takes back 6
    "
  `);
});

test('without a terminal nothing is cut', () => {
  expect(shown(undefined)).toContain('reload; worker:1 exited with code 1 before it was ready');
});

test('one that was taken back names what it tried, who took it back, and how many are back', () => {
  const reverted = rollout({
    id: 8,
    state: 'reverted',
    done: 2,
    total: 4,
    started_at: at(31, 15, 50),
    ended_at: at(31, 15, 51),
    from_revision: '77ab01',
    revision: '77ab01',
    reverted_revision: '9f2c1a',
    reverting: 'reverted by bob: each job fails',
    killed: ['worker:0', 'worker:3'],
  });
  const lines = historyLines([reverted], { paint: plain, width: 140, now });
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    ID  PROGRAM  ENDED     WHEN   BY     TOOK    DONE  DRAINS: MED MAX  REVISION          WHY
     8  worker   reverted  15:50  alice    1m  2 back  -                77ab01 <- 9f2c1a  ended by bob: each job fails; worker:0 and 1 more wer…
    "
  `);
});

test('who ended one is told beside why', () => {
  const aborted = (reason: string) =>
    historyLines([rollout({ state: 'aborted', reason })], { paint: plain, width: undefined, now })[1];
  expect(aborted('aborted by bob')).toMatch(/ {2}ended by bob$/);
  expect(aborted('aborted by bob: too slow')).toMatch(/ {2}ended by bob: too slow$/);
  expect(aborted('the daemon is shut down')).toMatch(/ {2}the daemon is shut down$/);
});

test.each([40, 80, 140, 200])('no line is broken in %i columns', (width) => {
  for (const line of historyLines(past, { paint: plain, width, now })) {
    expect(widthOf(line)).toBeLessThanOrEqual(width);
  }
});

test('one that is held, and one that waits for another, are said to', () => {
  const held = rollout({ canary: { count: 1, state: 'held', until: null, hold_ms: null } });
  const waiting = rollout({ after: 7, reason: 'waits for rollout 7 of worker', turns: [turn('mailer:0')] });
  const lines = historyLines([held, waiting], { paint: plain, width: undefined, now });
  expect(lines.slice(1).map((line) => line.split(/ +/)[3])).toEqual(['held', 'waiting']);
});

describe('the drains of a rollout', () => {
  const lengths = (...drains_ms: readonly number[]) => drainsOf({ drains_ms, turns: [] });

  test('are counted, with their median and the longest', () => {
    expect(lengths(9000, 1000, 2000)).toEqual({ count: 3, median_ms: 2000, longest_ms: 9000 });
    expect(lengths(1000, 4000, 2000, 9000)).toEqual({ count: 4, median_ms: 3000, longest_ms: 9000 });
  });

  test('are those of the turns where the daemon tells no more', () => {
    expect(drainsOf({ turns: [drained(0, 4000), turn('worker:1')] })).toMatchObject({
      count: 1,
      longest_ms: 4000,
    });
  });

  test('may be none', () => {
    expect(lengths()).toEqual({ count: 0, median_ms: null, longest_ms: null });
  });
});

const ask = async (...argv: readonly string[]) => {
  daemon = await fakeDaemon({ 'GET /v1/rollouts': { version: 1, rollouts: past.toReversed() } });
  return command(['--socket', daemon.socket, ...argv]);
};

test('the newest is the last', async () => {
  const { out, exit } = await ask('rollout', 'history');
  expect(exit).toBe(EXIT.done);
  expect(out.match(/^ {0,1}\d+/gm)?.map(Number)).toEqual([5, 6, 7]);
});

test('a number tells each turn', async () => {
  const { out } = await ask('rollout', 'history', '6');
  expect(out).toMatch(/worker:1 +failed +2s +1s/);
  expect(out).not.toContain('deploy 4711');
});

test('a program that has had none is refused', async () => {
  expect(await ask('rollout', 'history', 'mailer')).toMatchObject({
    exit: EXIT.usage,
    err: expect.stringContaining('no rollout of "mailer" is known'),
  });
});

test('--json has the drains summed up', async () => {
  const { out } = await ask('--json', 'rollout', 'history', '5');
  expect(JSON.parse(out).rollouts).toMatchObject([
    { id: 5, cause: { by: 'alice' }, drains: { count: 3, median_ms: 12_000, longest_ms: 41_000 } },
  ]);
});
