/**
 * Knows the processes of every run and answers surveys. A run that has a cgroup is asked about by itself; for all
 * others it looks at the whole machine, and remembers what it saw for this turn of the loop.
 */
import { closeSync } from 'node:fs';
import type { Run } from '../base/ids.ts';
import type { Cgroup } from './cgroup.ts';
import type { Cgroups } from './cgroup-home.ts';
import type { Libc } from './libc.ts';
import { isAlive, readStat } from './proc.ts';
import { reapOrphan } from './reaper.ts';
import type { Kin, Member, Scan, Scanner } from './roster.ts';
import type { Watch } from './watch.ts';

const POLL_FROM_MS = 20;
const POLL_TO_MS = 250;
/** Of one run; when all of these have ended, the next are taken. */
const MAX_WATCHED = 64;

interface Tracked extends Kin {
  /** The number of the first scan that could see this run. */
  readonly firstScan: number;
  /** Null: its processes are found by looking at all there are. */
  readonly group: Cgroup | null;
  surveyed: boolean;
  lastAnswer: number | null;
  /** A pidfd for each member whose end would change the answer of an open survey. */
  watched: Map<number, number> | null;
}

export type Answer = (run: Run, left: number) => void;

export class Tracker {
  /** Scans so far. */
  scans = 0;
  strays: readonly Member[] = [];
  private readonly kins = new Map<Run, Tracked>();
  private readonly scanner: Scanner;
  private readonly libc: Libc | null;
  private readonly watch: Watch | null;
  private readonly answer: Answer;
  private readonly groups: Cgroups | null;
  private latest: { readonly scan: Scan; readonly number: number } | null = null;
  private turnEnd: NodeJS.Immediate | null = null;
  private stirred: NodeJS.Immediate | null = null;
  private poll: NodeJS.Timeout | null = null;
  private pollMs = POLL_FROM_MS;
  private closed = false;

  constructor(
    scanner: Scanner,
    libc: Libc | null,
    watch: Watch | null,
    answer: Answer,
    groups: Cgroups | null = null,
  ) {
    this.groups = groups;
    this.scanner = scanner;
    this.libc = libc;
    this.watch = watch;
    this.answer = answer;
  }

  add(run: Run, leader: number): void {
    this.kins.set(run, {
      run,
      leader,
      leaderAlive: true,
      adopted: false,
      members: [],
      firstScan: this.scans + 1,
      group: this.groups?.of(run) ?? null,
      surveyed: false,
      lastAnswer: null,
      watched: null,
    });
  }

  /** `leader`: -1 when that number is not its session's any more. */
  adopt(run: Run, leader: number): void {
    this.groups?.adopt(run, leader < 0 ? null : leader);
    this.add(run, leader);
    const kin = this.kins.get(run);
    if (kin !== undefined) kin.adopted = true;
  }

  leaderEnded(run: Run): void {
    const kin = this.kins.get(run);
    if (kin !== undefined) kin.leaderAlive = false;
  }

  remove(run: Run): void {
    const kin = this.kins.get(run);
    if (kin === undefined) return;
    this.unwatch(kin);
    this.kins.delete(run);
    this.groups?.release(run);
  }

  /** Something has been learnt that a scan taken before may not show. */
  doubt(): void {
    this.latest = null;
  }

  survey(run: Run): void {
    const kin = this.kins.get(run);
    if (kin === undefined) {
      this.answer(run, 0);
      return;
    }
    kin.surveyed = true;
    kin.lastAnswer = null;
    this.pollMs = POLL_FROM_MS;
    this.look(kin, () => this.reply(kin));
  }

  /** The members as a scan of this turn, or a new one, shows them. */
  members(run: Run, then: (members: readonly Member[]) => void, fresh = false): void {
    const kin = this.kins.get(run);
    if (fresh) this.doubt();
    if (kin === undefined) then([]);
    else this.look(kin, () => then(kin.members));
  }

  /** Looks once for all of these. */
  membersOf(runs: readonly Run[], then: (members: ReadonlyMap<Run, readonly number[]>) => void): void {
    const kins = runs.flatMap((run) => this.kins.get(run) ?? []);
    const collect = () =>
      then(new Map(kins.map((kin) => [kin.run, [...(kin.leaderAlive ? [kin.leader] : []), ...pidsOf(kin)]])));
    for (const kin of kins) this.lookInto(kin);
    const last = kins.findLast((kin) => kin.group === null);
    if (last === undefined) collect();
    else this.look(last, collect, () => kins.every((kin) => this.isCovered(kin)));
  }

  /** Some process has ended: open surveys may have another answer now. One look serves all that end in this turn. */
  stir(): void {
    if (this.closed || !this.hasSurveys()) return;
    this.stirred ??= setImmediate(() => {
      this.stirred = null;
      this.refresh();
    });
  }

  close(): void {
    this.closed = true;
    for (const kin of this.kins.values()) this.unwatch(kin);
    this.kins.clear();
    if (this.turnEnd !== null) clearImmediate(this.turnEnd);
    if (this.stirred !== null) clearImmediate(this.stirred);
    if (this.poll !== null) clearTimeout(this.poll);
    this.scanner.close();
  }

  private look(kin: Tracked, then: () => void, covered = () => this.isCovered(kin)): void {
    this.lookInto(kin);
    if (covered()) then();
    else this.scan(then);
  }

  /** Asks the kernel for what is in its group now, if it has one; takes note of the end of those that were. */
  private lookInto(kin: Tracked): void {
    if (kin.group === null) return;
    const before = kin.members;
    kin.members = kin.group.pids().flatMap((pid) => {
      const stat = kin.leaderAlive && pid === kin.leader ? null : readStat(pid);
      return stat !== null && isAlive(pid, stat) ? [{ pid, start: stat.start }] : [];
    });
    const { libc } = this;
    if (libc === null || before.length === 0) return;
    const living = new Set(pidsOf(kin));
    for (const member of before) if (!living.has(member.pid)) reapOrphan(libc, member);
  }

  /**
   * A scan speaks for a run if it was taken in this turn, after the spawn, and, when the leader is gone, if it was
   * gone by then: all that libuv reports together was reaped before the first of it was reported, so that one scan
   * serves five hundred ends.
   */
  private isCovered(kin: Tracked): boolean {
    if (kin.group !== null) return true;
    if (this.latest === null || this.latest.number < kin.firstScan) return false;
    return kin.leaderAlive || !this.latest.scan.leadersSeen.has(kin.leader);
  }

  private scan(then: () => void): void {
    const number = ++this.scans;
    this.scanner.scan(this.kins, (scan) => {
      if (this.closed) return;
      this.strays = scan.strays;
      for (const kin of this.kins.values())
        if (kin.group === null && kin.firstScan <= number) kin.members = scan.members.get(kin.run) ?? [];
      this.latest = { scan, number };
      this.turnEnd ??= setImmediate(() => {
        this.turnEnd = null;
        this.latest = null;
      });
      then();
    });
  }

  private refresh(): void {
    const surveyed = [...this.kins.values()].filter((kin) => kin.surveyed);
    const replyTo = (kins: readonly Tracked[]) => {
      for (const kin of kins) this.reply(kin);
    };
    const grouped = surveyed.filter((kin) => kin.group !== null);
    for (const kin of grouped) this.lookInto(kin);
    replyTo(grouped);
    const others = surveyed.filter((kin) => kin.group === null);
    if (others.length === 0) return;
    this.doubt();
    this.scan(() => replyTo(others));
  }

  private reply(kin: Tracked): void {
    if (!kin.surveyed || this.kins.get(kin.run) !== kin) return;
    const left = kin.members.length;
    if (left === 0 && kin.group === null && this.latest?.scan.unsure) {
      this.pollSoon();
      return;
    }
    if (left === 0) kin.surveyed = false;
    this.watchMembers(kin);
    if (left === kin.lastAnswer) return;
    kin.lastAnswer = left;
    this.answer(kin.run, left);
  }

  private watchMembers(kin: Tracked): void {
    const living = new Set(kin.surveyed ? pidsOf(kin) : []);
    for (const pid of kin.watched?.keys() ?? []) if (!living.has(pid)) this.unwatchOne(kin, pid);
    if (!kin.surveyed) return;
    kin.watched ??= new Map();
    for (const pid of living) {
      if (kin.watched.size >= MAX_WATCHED) break;
      if (!kin.watched.has(pid) && !this.watchOne(kin, kin.watched, pid)) this.pollSoon();
    }
  }

  private watchOne(kin: Tracked, watched: Map<number, number>, pid: number): boolean {
    const descriptor = this.watch === null ? null : (this.libc?.openPidfd(pid) ?? null);
    if (descriptor === null) return false;
    const ended = () => {
      this.unwatchOne(kin, pid);
      this.stir();
    };
    if (this.watch?.add(descriptor, ended) !== true) {
      closeSync(descriptor);
      return false;
    }
    watched.set(pid, descriptor);
    return true;
  }

  private unwatch(kin: Tracked): void {
    for (const pid of kin.watched?.keys() ?? []) this.unwatchOne(kin, pid);
    kin.watched = null;
  }

  private unwatchOne(kin: Tracked, pid: number): void {
    const descriptor = kin.watched?.get(pid);
    if (descriptor === undefined) return;
    kin.watched?.delete(pid);
    this.watch?.remove(descriptor);
    closeSync(descriptor);
  }

  /** Where the system does not tell of an end: asks, ever less often, as long as a survey is open. */
  private pollSoon(): void {
    this.poll ??= setTimeout(() => {
      this.poll = null;
      this.pollMs = Math.min(POLL_TO_MS, this.pollMs * 1.5);
      this.refresh();
    }, this.pollMs);
  }

  private hasSurveys(): boolean {
    for (const kin of this.kins.values()) if (kin.surveyed) return true;
    return false;
  }
}

const pidsOf = (kin: Kin): number[] => kin.members.map((member) => member.pid);
