/** What is known of the runs whose processes are looked for. */
import type { Run } from '../base/ids.ts';

/** A process other than the leader. Pid and start together name it for good. */
export interface Member {
  readonly pid: number;
  readonly start: string;
}

export interface Kin {
  readonly run: Run;
  readonly leader: number;
  /** False as soon as libuv has reported the leader's exit. */
  leaderAlive: boolean;
  /** Begun by an earlier daemon: what of it has lost its parents is init's child, not ours. */
  adopted: boolean;
  /** What the last scan found. Once a member, always one: a process may overwrite the mark in its environment. */
  members: readonly Member[];
}

export type Roster = ReadonlyMap<Run, Kin>;

/** The outcome of one look at the whole machine. */
export interface Scan {
  readonly members: ReadonlyMap<Run, readonly Member[]>;
  /** Leaders that were still there, be it as zombies: about those runs a scan cannot say the last word. */
  readonly leadersSeen: ReadonlySet<number>;
  /** Orphans that are ours and yet cannot be told to be any run's. */
  readonly strays: readonly Member[];
  /** Some orphan of ours is just becoming another program, and bears its mark again in a moment: look again. */
  readonly unsure?: boolean;
}

/** How the processes of runs are found. Answers within the call wherever the system can. */
export interface Scanner {
  readonly kind: 'kernel' | 'proc' | 'ps';
  scan(roster: Roster, answer: (scan: Scan) => void): void;
  /** Sends to this very process, not to one that has come to bear its pid. False: it is gone. Throws what kill throws. */
  kill(member: Member, signal: NodeJS.Signals): boolean;
  close(): void;
}
