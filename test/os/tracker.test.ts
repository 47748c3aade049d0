/** Which looks are good for whom: never one that is older than what it is asked about. */
import { expect, test } from 'vitest';
import { run } from '../../src/base/ids.ts';
import type { Roster, Scan, Scanner } from '../../src/os/roster.ts';
import { Tracker } from '../../src/os/tracker.ts';

const [first, second, third] = [run(1), run(2), run(3)];
const nextTurn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** A machine on which only the leaders of `alive` live, and the members of `members`. */
function machine() {
  const answers: string[] = [];
  const alive = new Set<number>();
  const members: Scan['members'] & Map<ReturnType<typeof run>, { pid: number; start: string }[]> = new Map();
  const scanner: Scanner = {
    kind: 'proc',
    scan: (_: Roster, answer) =>
      answer({ members: new Map(members), leadersSeen: new Set(alive), strays: [] }),
    kill: () => true,
    close() {},
  };
  const tracker = new Tracker(scanner, null, null, (of, left) => answers.push(`${of}: ${left}`));
  const start = (of: ReturnType<typeof run>) => {
    alive.add(100 + of);
    tracker.add(of, 100 + of);
  };
  return { answers, alive, members, tracker, start };
}

test('leaders that were gone together need one look', () => {
  const { answers, alive, tracker, start } = machine();
  for (const each of [first, second, third]) start(each);
  alive.clear();
  for (const each of [first, second, third]) {
    tracker.leaderEnded(each);
    tracker.survey(each);
  }
  expect(answers).toEqual(['1: 0', '2: 0', '3: 0']);
  expect(tracker.scans).toBe(1);
  tracker.close();
});

test('a look that still saw a leader says nothing about what it has left', () => {
  const { answers, alive, members, tracker, start } = machine();
  start(first);
  start(second);
  alive.delete(101);
  tracker.leaderEnded(first);
  tracker.survey(first);
  alive.delete(102);
  members.set(second, [{ pid: 7, start: '1' }]); // forked in its last moment
  tracker.leaderEnded(second);
  tracker.survey(second);
  expect(answers).toEqual(['1: 0', '2: 1']);
  expect(tracker.scans).toBe(2);
  tracker.close();
});

test('a look from before a run began says nothing about it', () => {
  const { answers, members, tracker, start } = machine();
  start(first);
  tracker.survey(first);
  start(second);
  members.set(second, [{ pid: 7, start: '1' }]);
  tracker.survey(second);
  expect(answers).toEqual(['1: 0', '2: 1']);
  tracker.close();
});

test('a look is forgotten with its turn, and when something new has been learnt', async () => {
  const { tracker, start } = machine();
  start(first);
  tracker.survey(first);
  tracker.survey(first);
  expect(tracker.scans).toBe(1);
  tracker.doubt();
  tracker.survey(first);
  expect(tracker.scans).toBe(2);
  await nextTurn();
  tracker.survey(first);
  expect(tracker.scans).toBe(3);
  tracker.close();
});

test('an open survey is answered at each change until nothing is left, and no timer stays', async () => {
  const { answers, members, tracker, start } = machine();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  start(first);
  members.set(first, [
    { pid: 7, start: '1' },
    { pid: 8, start: '1' },
  ]);
  tracker.survey(first);
  expect(timers()).toBe(before + 1); // nothing here tells of an end, so it asks
  members.set(first, [{ pid: 7, start: '1' }]);
  await expect.poll(() => answers.length).toBe(2);
  members.delete(first);
  await expect.poll(() => answers).toEqual(['1: 2', '1: 1', '1: 0']);
  expect(timers()).toBeLessThanOrEqual(before);
  tracker.close();
});
