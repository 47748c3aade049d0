/**
 * Tells whose a process is. In this order: the session of a leader (it outlives the leader) or of a known member;
 * what an earlier scan knew; the mark in the environment; the parent; and, for an orphan that has hidden all of
 * these, the only run whose leader has just ended.
 */
import type { Run } from '../base/ids.ts';
import { isCommand } from './mark.ts';
import { isZombie, type Stat } from './proc.ts';
import type { Kin, Member, Roster, Scan } from './roster.ts';

/** Facts about processes, each fetched when it is asked for. */
export interface Facts {
  readonly pids: readonly number[];
  /** Null when it has ended meanwhile. */
  session(pid: number): number | null;
  exists(pid: number): boolean;
  stat(pid: number): Stat | null;
  /** The run in its mark, if the mark is ours; `undefined` while it cannot be told. */
  marked(pid: number, session: number): Run | null | undefined;
  /** An orphan is a child of ours that nobody here has started: `dead` is a zombie. `null` where orphans do not come to us. */
  readonly orphan: ((pid: number) => 'none' | 'alive' | 'dead') | null;
  /** Only ever called for an orphan of a run. */
  reap(pid: number): void;
  readonly ownSession: number;
  readonly ownPid: number;
}

export function attribute(facts: Facts, roster: Roster): Scan {
  return new Attribution(facts, roster).result();
}

class Attribution {
  private readonly owners = new Map<number, Run>();
  private readonly sessions = new Map<number, Run>();
  private readonly leadersSeen = new Set<number>();
  private readonly strays: Member[] = [];
  private readonly known = new Map<number, { readonly run: Run; readonly member: Member }>();
  private readonly marksCount: boolean;
  private hasLeftHome = false;
  private unsure = false;
  private readonly facts: Facts;
  private readonly roster: Roster;

  constructor(facts: Facts, roster: Roster) {
    this.facts = facts;
    this.roster = roster;
    let leaderAlive = false;
    for (const kin of roster.values()) {
      this.sessions.set(kin.leader, kin.run);
      leaderAlive ||= kin.leaderAlive || kin.adopted;
      for (const member of kin.members) this.known.set(member.pid, { run: kin.run, member });
    }
    // Below a living leader, marks are the only trace of a new session. Below a dead one, the orphans are ours.
    this.marksCount = leaderAlive || facts.orphan === null;
  }

  result(): Scan {
    let open = this.bySession();
    open = this.byWhatWasKnown(open);
    open = this.byOrphanhood(open);
    if (this.marksCount) open = this.byMark(open);
    this.byKinship(open);
    const { leadersSeen, strays, unsure } = this;
    return { members: this.living(), leadersSeen, strays, unsure };
  }

  private bySession(): [pid: number, session: number][] {
    const open: [number, number][] = [];
    for (const pid of this.facts.pids) {
      const session = this.facts.session(pid);
      if (session === null) continue;
      const run = this.sessions.get(session);
      if (run === undefined) {
        if (session !== this.facts.ownSession && session !== 0 && pid !== this.facts.ownPid)
          open.push([pid, session]);
      } else if (pid === session) this.leadersSeen.add(pid);
      else this.owners.set(pid, run);
    }
    return open;
  }

  private byWhatWasKnown(open: [number, number][]): [number, number][] {
    if (this.known.size === 0) return open;
    return open.filter(([pid, session]) => {
      const known = this.known.get(pid);
      if (known === undefined || this.facts.stat(pid)?.start !== known.member.start) return true;
      this.adopt(pid, session, known.run);
      return false;
    });
  }

  private byOrphanhood(open: [number, number][]): [number, number][] {
    const state = this.facts.orphan;
    if (state === null) return open;
    return open.filter(([pid, session]) => {
      const found = state(pid);
      if (found === 'alive') this.adoptOrphan(pid, session);
      return found === 'none';
    });
  }

  private adoptOrphan(pid: number, session: number): void {
    if (this.owners.has(pid)) return;
    const own = this.sessions.get(session) ?? this.markedRun(pid, session);
    if (own === undefined) {
      this.unsure = true; // whoever guesses now may end another run's job
      return;
    }
    const run = own ?? this.soleBereaved();
    const stat = this.facts.stat(pid);
    if (run !== null) this.adopt(pid, session, run);
    else if (stat !== null) this.strays.push({ pid, start: stat.start });
  }

  private markedRun(pid: number, session: number): Run | null | undefined {
    const run = this.facts.marked(pid, session);
    return typeof run === 'number' && !this.roster.has(run) ? null : run;
  }

  private soleBereaved(): Run | null {
    let sole: Kin | null = null;
    for (const kin of this.roster.values()) {
      // A check that has just ended is no reason to take for its own what another run's job has sent off: it dies.
      if (isCommand(kin.run) || this.hasLeader(kin)) continue;
      if (sole !== null) return null;
      sole = kin;
    }
    return sole === null ? null : sole.run;
  }

  /** Several leaders may have ended of which only the first has been reported yet: a zombie leads nothing either. */
  private hasLeader(kin: Kin): boolean {
    if (!kin.leaderAlive || !this.leadersSeen.has(kin.leader)) return false;
    const stat = this.facts.stat(kin.leader);
    return stat !== null && !isZombie(stat);
  }

  private byMark(open: [number, number][]): [number, number][] {
    return open.filter(([pid, session]) => {
      const run = this.markedRun(pid, session) ?? null;
      if (run === null) return true;
      this.adopt(pid, session, run);
      return false;
    });
  }

  /** Children and session mates of members that have left their leader's session. */
  private byKinship(open: [number, number][]): void {
    if (!this.hasLeftHome) return;
    let rest = open;
    for (let before = -1; rest.length !== before && rest.length > 0; ) {
      before = rest.length;
      rest = rest.filter(([pid, session]) => {
        const run = this.sessions.get(session) ?? this.owners.get(this.facts.stat(pid)?.ppid ?? 0);
        if (run === undefined) return true;
        this.adopt(pid, session, run);
        return false;
      });
    }
  }

  private adopt(pid: number, session: number, run: Run): void {
    this.owners.set(pid, run);
    this.hasLeftHome = true;
    // A session is the run's when a member leads it, or when its leader is gone. Not so the terminal of somebody
    // who has borrowed the environment of an instance.
    if (pid === session || !this.facts.exists(session)) this.sessions.set(session, run);
  }

  /** A zombie does not count. */
  private living(): Map<Run, Member[]> {
    const members = new Map<Run, Member[]>();
    for (const [pid, run] of this.owners) {
      const stat = this.facts.stat(pid);
      if (stat === null) continue;
      if (isZombie(stat)) {
        if (this.facts.orphan?.(pid) === 'dead') this.facts.reap(pid);
        continue;
      }
      const list = members.get(run);
      if (list === undefined) members.set(run, [{ pid, start: stat.start }]);
      else list.push({ pid, start: stat.start });
    }
    return members;
  }
}
