/** Sends signals: to the leader of a run, or to all that it has begun, the newest first. */
import type { Run } from '../base/ids.ts';
import type { SignalName } from '../base/signal-name.ts';
import type { Cgroups } from './cgroup-home.ts';
import { ownerOf } from './proc.ts';
import type { Member, Scanner } from './roster.ts';
import { errorCode, explain } from './system-error.ts';
import type { Tracker } from './tracker.ts';

/** The leader of a run that is not over. */
export interface Leading {
  /** Null once it has been reaped: the number may be another's by now. */
  readonly leader: number | null;
  /** Of a leader that is not our child: whoever reaps it makes its number free before we hear of its end. */
  readonly identity: string | null;
}

/** A process that was stopped must run to be able to end (as systemd has it). */
const ENDING: ReadonlySet<SignalName> = new Set(['TERM', 'INT', 'QUIT', 'HUP', 'ABRT']);
/** Whoever forks faster than this is met again at the next try. */
const KILL_ROUNDS = 10;

export class Signaller {
  private readonly scanner: Scanner;
  private readonly tracker: Tracker;
  private readonly groups: Cgroups | null;
  private readonly warn: (text: string) => void;

  constructor(scanner: Scanner, tracker: Tracker, groups: Cgroups | null, warn: (text: string) => void) {
    this.scanner = scanner;
    this.tracker = tracker;
    this.groups = groups;
    this.warn = warn;
  }

  toLeader(leading: Leading | undefined, signal: SignalName): void {
    const { leader = null, identity = null } = leading ?? {};
    if (leader === null || (identity !== null && ownerOf(leader, identity) !== 'same')) return;
    this.attempt(leader, signal, (name) => process.kill(leader, name));
  }

  toTree(run: Run, leading: Leading | undefined, signal: SignalName): void {
    this.toLeader(leading, signal);
    if (signal === 'KILL' && this.killCgroup(run)) return;
    this.toMembers(run, signal, new Set(), signal === 'KILL' ? KILL_ROUNDS : 1, false);
  }

  toGroup(leader: number, signal: SignalName): void {
    this.attempt(-leader, signal, (name) => process.kill(-leader, name));
  }

  /** Whom the kernel kills there should be known to us, so that the zombies are told from others' children. */
  private killCgroup(run: Run): boolean {
    const group = this.groups?.of(run) ?? null;
    if (group === null) return false;
    this.tracker.members(run, () => {});
    return group.kill();
  }

  /** Who is killed may have forked in the meantime: so until a look finds nobody new. */
  private toMembers(run: Run, signal: SignalName, done: Set<string>, rounds: number, fresh: boolean): void {
    this.tracker.members(
      run,
      (members) => {
        // The newest first: it is the one that is about to fork.
        const open = members.filter((member) => !done.has(nameOf(member))).reverse();
        for (const member of open) {
          done.add(nameOf(member));
          this.attempt(member.pid, signal, (name) => this.scanner.kill(member, name));
        }
        if (open.length > 0 && rounds > 1) this.toMembers(run, signal, done, rounds - 1, true);
      },
      fresh,
    );
  }

  private attempt(pid: number, signal: SignalName, kill: (signal: NodeJS.Signals) => boolean): void {
    try {
      if (kill(`SIG${signal}`) && ENDING.has(signal)) kill('SIGCONT');
    } catch (error) {
      if (errorCode(error) === 'ESRCH') return; // it is gone: so be it
      this.warn(`cannot send ${signal} to process ${pid}: ${explain(error)}`);
    }
  }
}

const nameOf = (member: Member): string => `${member.pid} ${member.start}`;
