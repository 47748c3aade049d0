/**
 * All processes of one run with what a person recognises them by: for whoever looks at a run rather than keeps it.
 * On Linux each look costs a read of /proc; elsewhere it is one call of `ps`, which knows only groups and parents.
 */
import { execFile } from 'node:child_process';
import type { Run } from '../base/ids.ts';
import { createMark, MARK_NAME } from './mark.ts';
import {
  allPids,
  endingOf,
  environmentValue,
  type Heeded,
  isAlive,
  particularsOf,
  readStat,
  type Stat,
} from './proc.ts';

export interface Relative {
  readonly pid: number;
  /** With the pid it names a process for good. */
  readonly start: string;
  readonly ppid: number;
  readonly group: number;
  readonly session: number;
  readonly command: string;
  /** Ended, and its parent has not taken note yet. */
  readonly ended: boolean;
  /** Whether a signal has ended it, where that could be seen; null: it lives, or ended otherwise, or nobody knows. */
  readonly killedBy: number | null;
  /** What it had been started with, and its handlers, cannot be seen any more, or not yet. */
  readonly bare: boolean;
  /** None where the system does not tell. */
  readonly heeded: Heeded;
}

export interface Family {
  /** The leader is among them, as long as it is there. */
  look(): Promise<readonly Relative[]>;
  /**
   * Those of the last look that a signal has ended, and that nobody has taken note of yet. It takes microseconds, and
   * what it sees lasts no longer. Nothing where the system does not tell.
   */
  glance(): readonly Killed[];
  /** Those of the last look once more, at a small price; null where that cannot be had. */
  lookAgain(): readonly Relative[] | null;
}

export type Killed = Pick<Relative, 'pid' | 'start'> & { readonly killedBy: number };

/** Of the run of the daemon with this run folder that `leader` is the first process of. */
export function familyOf(runDir: string, run: Run, leader: number, platform = process.platform): Family {
  return platform === 'linux' ? familyByProc(runDir, run, leader) : familyByPs(leader);
}

function familyByProc(runDir: string, run: Run, leader: number): Family {
  const mark = createMark(runDir);
  /** By pid and start. */
  let known = new Set<string>();
  let strangers = new Set<string>();
  /** Of the last look. */
  let pids: readonly number[] = [];

  function isMarked(pid: number): boolean | undefined {
    const value = environmentValue(pid, MARK_NAME);
    return value === undefined ? undefined : value !== null && mark.read(value) === run;
  }

  /** Members, and those of which it cannot be told yet. */
  function belongs(pid: number, stat: Stat, members: ReadonlySet<number>): boolean | undefined {
    if (pid === leader || stat.session === leader || members.has(stat.ppid)) return true;
    return isMarked(pid);
  }

  async function look(): Promise<readonly Relative[]> {
    const stats = new Map(allPids().flatMap((pid) => withStat(pid)));
    const members = new Set<number>();
    const [nextKnown, nextStrangers] = [new Set<string>(), new Set<string>()];
    // Parents mostly have lower numbers; one that has not comes at the next look.
    for (const [pid, stat] of stats) {
      const name = `${pid} ${stat.start}`;
      const verdict = known.has(name) || (strangers.has(name) ? false : belongs(pid, stat, members));
      if (verdict === true) {
        members.add(pid);
        nextKnown.add(name);
      } else if (verdict === false) nextStrangers.add(name);
    }
    [known, strangers] = [nextKnown, nextStrangers];
    pids = [...members];
    return pids.flatMap((pid) => relative(pid));
  }

  return {
    look,
    lookAgain: () => pids.flatMap((pid) => relative(pid)).filter((one) => known.has(nameOf(one))),
    glance: () => pids.flatMap(killed),
  };
}

function killed(pid: number): Killed[] {
  const ending = endingOf(pid);
  const killedBy = ending === null ? null : signalIn(ending.status);
  return ending === null || killedBy === null ? [] : [{ pid, start: ending.start, killedBy }];
}

/** Of a status as wait(2) has it; null: it has exited, or nobody knows. */
const signalIn = (status: number): number | null => ((status & 0x7f) > 0 ? status & 0x7f : null);

function withStat(pid: number): [number, Stat][] {
  const stat = readStat(pid);
  return stat === null ? [] : [[pid, stat]];
}

function relative(pid: number): Relative[] {
  const found = particularsOf(pid);
  if (found === null) return [];
  const { start, ppid, group, session, command, heeded, status, bare } = found;
  const ended = !isAlive(pid, found);
  const killedBy = ended ? signalIn(status) : null;
  return [{ pid, start, ppid, group, session, command, ended, killedBy, bare, heeded }];
}

function familyByPs(leader: number): Family {
  const known = new Set<string>();
  async function look(): Promise<readonly Relative[]> {
    const rows = parseFamily(await ps());
    for (let before = -1; before !== known.size; ) {
      before = known.size;
      const pids = new Set(rows.filter((row) => known.has(nameOf(row))).map(({ pid }) => pid));
      for (const row of rows) {
        if (row.pid === leader || row.group === leader || pids.has(row.ppid)) known.add(nameOf(row));
      }
    }
    return rows.filter((row) => known.has(nameOf(row)));
  }
  return { look, lookAgain: () => null, glance: () => [] };
}

const nameOf = ({ pid, start }: Relative): string => `${pid} ${start}`;

/** Empty where ps cannot be run. */
const ps = (): Promise<string> =>
  new Promise((resolve) => {
    const columns = ['-axo', 'pid=,ppid=,pgid=,stat=,lstart=,command='];
    execFile('ps', columns, { env: { ...process.env, LC_ALL: 'C' } }, (_, stdout) => resolve(stdout));
  });

/** The start is five words: `Mon Nov 23 11:00:00 2026`. */
const ROW = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/;

export function parseFamily(text: string): Relative[] {
  return text.split('\n').flatMap((line): Relative[] => {
    const found = ROW.exec(line);
    if (found === null) return [];
    const [, pid, ppid, group, state = '', start = '', command = ''] = found;
    return [
      {
        pid: Number(pid),
        ppid: Number(ppid),
        group: Number(group),
        session: 0,
        start,
        command: command.trimEnd(),
        ended: state.startsWith('Z'),
        killedBy: null,
        bare: false,
        heeded: { ignored: [], caught: [] },
      },
    ];
  });
}
