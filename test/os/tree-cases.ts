/** What holds however the processes of a run are found. */
import { expect, test } from 'vitest';
import type { Force } from '../../src/os/processes.ts';
import type { LeakCheck } from '../rig/leaks.ts';
import { isAlive, useHands } from './hands.ts';

export function describeTree(leaks: LeakCheck, force?: Force): void {
  const hands = useHands(leaks);
  for (const [what, fixture] of [
    ['a grandchild in the group of its leader', 'leaves-grandchild'],
    ['a grandchild that ignores TERM', 'leaves-grandchild-ignoring-term'],
    ['a grandchild in a group of its own', 'leaves-grandchild-in-own-group'],
    ['a grandchild in a session of its own', 'leaves-grandchild-in-own-session'],
    ['a grandchild whose leader crashed', 'crashes-leaving-grandchild-in-own-session'],
    ['a grandchild that holds the standard output', 'holds-stdout'],
  ] as const) {
    test(`${what} is counted after its leader's exit, and killed`, async () => {
      const h = hands(force);
      const run = h.fixture(1, fixture);
      const child = await h.child(run);
      await h.until('exited', run);
      h.processes.survey(run);
      expect((await h.until('tree', run)).left).toBe(1);
      expect(isAlive(child)).toBe(true);

      h.processes.signalTree(run, 'KILL');

      await h.until('tree', run, ({ left }) => left === 0);
      expect(isAlive(child)).toBe(false);
    });
  }

  test('a daemonized process is counted while its leader lives', async () => {
    const h = hands(force);
    const run = h.fixture(1, 'double-forks');
    const child = await h.child(run);
    h.processes.survey(run);
    // The process between the two forks may not have ended yet.
    await h.until('tree', run, ({ left }) => left === 1);
    await h.end(run);
    expect(isAlive(child)).toBe(false);
  });

  test('a zombie is not counted', async () => {
    const h = hands(force);
    const run = h.fixture(1, 'leaves-a-zombie');
    await h.child(run);
    h.processes.survey(run);
    await h.until('tree', run, ({ left }) => left === 0);
    expect(isAlive(h.pid(run))).toBe(true);
    await h.end(run);
  });

  test('the end of a grandchild answers the survey again', async () => {
    const h = hands(force);
    const run = h.fixture(1, 'leaves-grandchild-in-own-session');
    const child = await h.child(run);
    await h.until('exited', run);
    h.processes.survey(run);
    await h.until('tree', run, ({ left }) => left === 1);
    process.kill(child, 'SIGKILL');
    await h.until('tree', run, ({ left }) => left === 0);
  });

  test('a signal to the leader reaches no child', async () => {
    const h = hands(force);
    const run = h.spawn(1, ['bash', '-c', 'sleep 1000 & echo STATUS=$! >&3; wait']);
    const child = await h.child(run);
    h.processes.signal(run, 'TERM');
    expect((await h.until('exited', run)).exit).toEqual({ kind: 'signal', signal: 'SIGTERM' });
    expect(isAlive(child)).toBe(true);
    await h.empty(run);
  });

  test('a job in a session of its own does not get the drain’s signal, though the leader is its parent', async () => {
    const h = hands(force);
    const job = 'trap "echo STATUS=hit >&3" TERM; echo STATUS=$$ >&3; while :; do sleep 0.02; done';
    const run = h.spawn(1, ['bash', '-c', 'trap "exit 5" TERM; setsid bash -c "$0" & wait; wait', job]);
    const child = await h.child(run);
    h.processes.signal(run, 'TERM');
    expect((await h.until('exited', run)).exit).toEqual({ kind: 'code', code: 5 });
    h.processes.survey(run);
    // The job and what it sleeps by.
    await h.until('tree', run, ({ left }) => left >= 1);
    expect(isAlive(child)).toBe(true);
    expect(h.happened.filter((event) => event.kind === 'notified')).toHaveLength(1);
    h.processes.signalTree(run, 'TERM');
    await h.until('notified', run, ({ text }) => text === 'STATUS=hit'); // so it would have told
    await h.empty(run);
  });

  test('a run with nothing left is found empty within the call', async () => {
    const h = hands(force);
    const run = h.fixture(1, 'dies-at-once');
    h.react = (event) => {
      if (event.kind === 'exited') h.processes.survey(run);
    };
    await h.until('exited', run);
    expect(h.happened.at(-1)).toEqual({ kind: 'tree', run, left: 0 });
  });

  test('two runs are told apart', async () => {
    const h = hands(force);
    const first = h.fixture(1, 'leaves-grandchild-in-own-session');
    const second = h.fixture(2, 'leaves-grandchild-in-own-session');
    await Promise.all([h.until('exited', first), h.until('exited', second)]);
    await h.empty(first);
    expect(isAlive(await h.child(second))).toBe(true);
    await h.empty(second);
  });
}
