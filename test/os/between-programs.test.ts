/** A process that is just becoming another program has no environment for a moment: nobody guesses whose it is. */
import { tmpdir } from 'node:os';
import { expect, test, vi } from 'vitest';
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

/** What /proc would say of a process with this number. */
const said = new Map<string, string>();
const STRANGE = 2 ** 22 + 7;
vi.mock('node:fs', async (load) => {
  const fs = await load<typeof import('node:fs')>();
  const openSync = (path: string, flags: string): number => {
    const text = said.get(path);
    if (text === undefined) return fs.openSync(path, flags);
    const file = `${tmpdir()}/between-${process.pid}`;
    fs.writeFileSync(file, text);
    const descriptor = fs.openSync(file, flags);
    fs.unlinkSync(file);
    return descriptor;
  };
  return { ...fs, openSync };
});

/** Its state, and where its environment begins and ends in memory. */
function stat(state: string, begin: number, end: number): string {
  const fields = Array.from({ length: 50 }, () => '1');
  return `${STRANGE} (a) b) ${fields.with(0, state).with(47, String(begin)).with(48, String(end)).join(' ')}`;
}

test.each<[string, string, string, string | null | undefined]>([
  ['while it is between two programs it cannot be told', '', stat('R', 0, 0), undefined],
  ['one without variables has none', '', stat('S', 4096, 4096), null],
  ['nor has a zombie', '', stat('Z', 0, 0), null],
  ['whoever has it says so', 'A=1\0NAME=x\0', stat('S', 1, 9), 'x'],
  ['or has others', 'A=1\0', stat('S', 1, 9), null],
])('the value of a variable: %s', (_, environ, stat, value) => {
  said.set(`/proc/${STRANGE}/environ`, environ);
  said.set(`/proc/${STRANGE}/stat`, stat);
  expect(environmentValue(STRANGE, 'NAME')).toBe(value);
  said.clear();
});

test('the value of a variable: nobody has one', () => {
  expect(environmentValue(STRANGE, 'NAME')).toBe(null);
});
