/** A process that is just becoming another program has no environment for a moment: nobody guesses whose it is. */
import { expect, test } from 'vitest';
import { type Run, run } from '../../src/base/ids.ts';
import { attribute, type Facts } from '../../src/os/attribute.ts';
import { environmentValue } from '../../src/os/proc.ts';
import type { Kin, Scan, Scanner } from '../../src/os/roster.ts';
import { Tracker } from '../../src/os/tracker.ts';
import { Unmarked } from '../../src/os/unmarked.ts';

const [ended, working] = [run(1), run(2)];
const ORPHAN = 7;

const kin = (of: Run, leaderAlive: boolean): Kin => ({
  run: of,
  leader: 100 + of,
  leaderAlive,
  adopted: false,
  members: [],
});

/** One run has just lost its leader, another works; beside them there is an orphan in a session of its own. */
function look(mark: Run | null | undefined): Scan {
  const facts: Facts = {
    pids: [ORPHAN, 102],
    session: (pid) => pid,
    exists: () => true,
    stat: (pid) => ({ state: 'S', ppid: 1, session: pid, start: String(pid) }),
    marked: (pid) => (pid === ORPHAN ? mark : null),
    orphan: (pid) => (pid === ORPHAN ? 'alive' : 'none'),
    reap() {},
    ownSession: 1,
    ownPid: 1,
  };
  const kins = [kin(ended, false), kin(working, true)];
  return attribute(facts, new Map(kins.map((each) => [each.run, each])));
}

const members = ({ members }: Scan): unknown => [...members].map(([of, [first]]) => [of, first?.pid]);

test('an orphan without a mark is given to the only run that has lost its leader, but not one that has none yet', () => {
  expect(members(look(null))).toEqual([[ended, ORPHAN]]);
  expect(members(look(working))).toEqual([[working, ORPHAN]]);
  expect(look(undefined)).toMatchObject({ members: new Map(), strays: [], unsure: true });
  expect(look(null).unsure).toBe(false);
});

test('as long as there is such a one, nobody is told that nothing is left', async () => {
  const answers: string[] = [];
  const scans: Scan[] = [
    { members: new Map(), leadersSeen: new Set(), strays: [], unsure: true },
    { members: new Map(), leadersSeen: new Set(), strays: [], unsure: true },
    { members: new Map([[ended, [{ pid: ORPHAN, start: '7' }]]]), leadersSeen: new Set(), strays: [] },
  ];
  const nothing: Scan = { members: new Map(), leadersSeen: new Set(), strays: [] };
  const scanner: Scanner = {
    kind: 'proc',
    scan: (_, answer) => answer(scans.shift() ?? nothing),
    kill: () => true,
    close() {},
  };
  const tracker = new Tracker(scanner, null, null, (of, left) => answers.push(`${of}: ${left}`));
  tracker.add(ended, 101);
  tracker.leaderEnded(ended);
  tracker.survey(ended);
  expect(answers).toEqual([]);
  await expect.poll(() => answers).toEqual(['1: 1', '1: 0']);
  tracker.close();
});

test('it is looked into again, and not known from then on to bear no mark', () => {
  const marks = [undefined, working];
  const unmarked = new Unmarked(() => ({ last: 1000, forks: 0 }), 1000);
  unmarked.beginScan();
  expect(unmarked.unless(ORPHAN, ORPHAN, () => marks.shift())).toBe(undefined);
  unmarked.beginScan();
  expect(unmarked.unless(ORPHAN, ORPHAN, () => marks.shift())).toBe(working);
});

test.runIf(process.platform === 'linux')(
  'what a process has, has not, and one that is not there are told apart',
  () => {
    expect(environmentValue(process.pid, 'PATH')).toBe(process.env.PATH);
    expect(environmentValue(process.pid, 'NO_SUCH_VARIABLE')).toBe(null);
    expect(environmentValue(2 ** 22 + 1, 'PATH'), 'nobody').toBe(null);
  },
);
