/** Finds processes where there is no /proc (macOS): by `ps`, through the group and session of the leader. */
import { execFile } from 'node:child_process';
import type { Run } from '../base/ids.ts';
import type { Member, Roster, Scan, Scanner } from './roster.ts';

const COLUMNS = 'pid=,ppid=,pgid=,sess=,stat=,lstart=';
const ARGUMENTS = ['-axo', COLUMNS];

interface Row {
  readonly pid: number;
  readonly ppid: number;
  readonly group: number;
  readonly session: number;
  readonly zombie: boolean;
  readonly start: string;
}

export function createPsScanner(): Scanner {
  // Whoever asks while ps runs is served by the next one, all of them together.
  let waiting: ((scan: Scan) => void)[] = [];
  let running = false;

  function next(roster: Roster): void {
    const served = waiting;
    waiting = [];
    running = served.length > 0;
    if (!running) return;
    execFile('ps', ARGUMENTS, { env: { ...process.env, LC_ALL: 'C' } }, (error, stdout) => {
      const scan = error === null ? attributeRows(parsePs(stdout), roster) : unknown(roster);
      for (const answer of served) answer(scan);
      next(roster);
    });
  }

  return {
    kind: 'ps',
    scan(roster, answer) {
      waiting.push(answer);
      if (!running) next(roster);
    },
    // ps is too slow to ask before each signal: the list is a few milliseconds old at most.
    kill: (member, signal) => process.kill(member.pid, signal),
    close() {},
  };
}

/** Where ps cannot be run, nothing new is known: what was there still is, and no leader's run is said to be over. */
function unknown(roster: Roster): Scan {
  const kins = [...roster.values()];
  return {
    members: new Map(kins.map((kin) => [kin.run, kin.members])),
    leadersSeen: new Set(kins.map((kin) => kin.leader)),
    strays: [],
  };
}

export function parsePs(text: string): Row[] {
  const rows: Row[] = [];
  for (const line of text.split('\n')) {
    const found = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
    if (found === null) continue;
    const [, pid = '', ppid = '', group = '', session = '', state = '', start = ''] = found;
    rows.push({
      pid: Number(pid),
      ppid: Number(ppid),
      group: Number(group),
      session: Number(session), // macOS prints 0 for everything, or an address: then it matches nothing
      zombie: state.startsWith('Z'),
      start,
    });
  }
  return rows;
}

export function attributeRows(rows: readonly Row[], roster: Roster): Scan {
  const owners = new Map<number, Run>();
  const leaders = new Map<number, Run>();
  for (const kin of roster.values()) leaders.set(kin.leader, kin.run);
  for (const row of rows) {
    const run = leaders.get(row.group) ?? leaders.get(row.session) ?? knownAs(row, roster);
    if (run !== undefined) owners.set(row.pid, run);
  }
  addDescendants(rows, owners);
  return collect(rows, owners, leaders);
}

function knownAs(row: Row, roster: Roster): Run | undefined {
  for (const kin of roster.values())
    if (kin.members.some((member) => member.pid === row.pid && member.start === row.start)) return kin.run;
  return undefined;
}

function addDescendants(rows: readonly Row[], owners: Map<number, Run>): void {
  for (let before = -1; owners.size !== before; ) {
    before = owners.size;
    for (const row of rows) {
      const run = owners.get(row.ppid);
      if (run !== undefined && !owners.has(row.pid)) owners.set(row.pid, run);
    }
  }
}

function collect(
  rows: readonly Row[],
  owners: ReadonlyMap<number, Run>,
  leaders: ReadonlyMap<number, Run>,
): Scan {
  const members = new Map<Run, Member[]>();
  const leadersSeen = new Set<number>();
  for (const row of rows) {
    const run = owners.get(row.pid);
    if (leaders.has(row.pid)) leadersSeen.add(row.pid);
    else if (run !== undefined && !row.zombie)
      members.set(run, [...(members.get(run) ?? []), { pid: row.pid, start: row.start }]);
  }
  return { members, leadersSeen, strays: [] };
}
