/** The hands: starts runs, signals them, finds all their processes and passes on what they report. */
import type { ExitStatus } from '../base/exit-status.ts';
import { type Pid, type Run, pid as toPid } from '../base/ids.ts';
import type { Result } from '../base/result.ts';
import type { SignalName } from '../base/signal-name.ts';
import type { OpenOutput } from '../ports/output.ts';
import type {
  CommandRequest,
  CommandResult,
  Credentials,
  ProcessEvents,
  Processes,
  SpawnFault,
  SpawnRequest,
  Tracking,
  Unrecorded,
  Usage,
} from '../ports/processes.ts';
import { type Cgroups, openCgroups } from './cgroup-home.ts';
import { apart, Commands, type Leader } from './commands.ts';
import { findCredentials } from './credentials.ts';
import { createHeadroom } from './descriptors.ts';
import { createEarlyGates, type EarlyGates } from './early-gates.ts';
import { type Channels, type Launched, type Launcher, launch } from './launch.ts';
import { Leaders } from './leaders.ts';
import { type Libc, loadLibc } from './libc.ts';
import { createMark } from './mark.ts';
import { isNodes } from './node-children.ts';
import { openOutput } from './output.ts';
import { identityOf, ownerOf } from './proc.ts';
import { createReaper, leaders, type Reaper, reapSoon } from './reaper.ts';
import { createPipeReports, createReports, type Report, type Reports, SILENT } from './reports.ts';
import type { Scanner } from './roster.ts';
import { chooseScanner, type Force, limitsOf } from './scanner.ts';
import { type Leading, Signaller } from './signaller.ts';
import { findMarked, watchStranger } from './stranger.ts';
import { Tracker } from './tracker.ts';
import { createSampler } from './usage.ts';
import { type Users, usersOfFiles } from './users.ts';
import { createWatch, type Watch } from './watch.ts';

export interface ProcessesOptions {
  /** Absolute. Notify channels are created in its folder `notify`. */
  readonly runDir: string;
  readonly events: ProcessEvents;
  /** Takes a sentence about something that did not go as it should, and that nobody needs to wait for. */
  warn(text: string): void;
  /** Where it is not the files themselves that a program gets as its stdout and stderr. */
  readonly openOutput?: OpenOutput;
  /** For tests: works without cgroups (`session`), without koffi (`fork`), without both (`proc`), or as on macOS (`ps`). */
  readonly force?: Force;
}

export type { Force };

export interface RealProcesses extends Processes {
  /** What this system cannot do, in plain words. */
  readonly warnings: readonly string[];
  /** What the runs report through is put back where somebody has removed it. */
  restoreChannels(): void;
  /** Messages of a run that were too long or too many. */
  droppedMessages(run: Run): number;
  /** Orphans that are ours and yet cannot be told to be any run's, as of the last look. */
  readonly strays: number;
  /** Looks at the whole machine so far. */
  readonly scans: number;
  /** Hooks and checks by command that are not over: `pre_start of worker:0`. */
  readonly underWay: readonly string[];
  /**
   * Leaders that are about to be adopted, by a daemon that was another version of itself before: those that are our
   * children are nobody else's to take note of, and how they end is told.
   */
  expect(pids: readonly Pid[]): void;
}

export function createProcesses(options: ProcessesOptions): RealProcesses {
  return new Hands(options);
}

interface Live extends Leading {
  leader: number | null;
  readonly report: Report;
}

class Hands implements RealProcesses {
  readonly tracking: Tracking;
  readonly warnings: readonly string[];
  private readonly live = new Map<Run, Live>();
  private readonly expected = new Set<number>();
  private readonly events: ProcessEvents;
  private readonly commands: Commands;
  private readonly signaller: Signaller;
  private readonly mark;
  private readonly scanner: Scanner;
  private readonly libc: Libc | null;
  private readonly watch: Watch | null;
  private readonly reports: Reports;
  private readonly leap: { readonly libc: Libc; readonly leaders: Leaders } | null;
  private readonly launcher: Launcher;
  /** Null where nothing of a start takes long. */
  private readonly early: EarlyGates | null;
  private readonly reaper: Reaper | null;
  private readonly groups: Cgroups | null;
  private readonly users: Users;
  private readonly tracker: Tracker;
  private readonly warn: ProcessesOptions['warn'];
  private readonly sampler = createSampler(undefined, undefined, (run) => this.groups?.of(run) ?? null);

  constructor(options: ProcessesOptions) {
    const { runDir, events, warn, force } = options;
    const libc = force === undefined || force === 'session' ? loadLibc() : null;
    this.groups = force === undefined || force === 'fork' ? openCgroups(runDir) : null;
    this.users = libc?.users ?? usersOfFiles();
    this.libc = libc;
    this.events = apart(events, () => this.commands);
    this.warn = warn;
    this.mark = createMark(runDir);
    this.scanner = chooseScanner(libc, force, this.mark);
    this.tracking = this.groups !== null ? 'cgroup' : this.scanner.kind === 'ps' ? 'group' : 'session';
    // What is read in this round may say more than a scan that was taken before.
    this.watch =
      libc === null
        ? null
        : createWatch(
            libc,
            () => this.tracker.doubt(),
            () => {},
          );
    const notified = events.notified.bind(events);
    this.reports =
      libc === null || this.watch === null
        ? createPipeReports(notified)
        : createReports(libc, this.watch, `${runDir}/notify`, notified);
    this.leap =
      libc === null || this.watch === null ? null : { libc, leaders: new Leaders(libc, this.watch) };
    this.launcher = {
      openOutput: options.openOutput ?? openOutput,
      reports: this.reports,
      mark: this.mark,
      leap: this.leap,
      groups: this.groups,
      headroom: createHeadroom(),
      onGroupsLost: once(() => warn(GROUPS_LOST)),
    };
    this.early = createEarlyGates(this.launcher);
    const answer = (run: Run, left: number) => this.events.tree(run, left);
    this.tracker = new Tracker(this.scanner, libc, this.watch, answer, this.groups);
    this.signaller = new Signaller(this.scanner, this.tracker, this.groups, warn);
    this.reaper = libc === null ? null : createReaper(libc, () => this.tracker.stir());
    this.commands = new Commands(
      {
        begin: (request, channels) => this.begin(request, channels),
        takeUp: (run, leader) => this.takeUp(run, leader),
        kill: (run) => this.signalTree(run, 'KILL'),
        survey: (run) => this.survey(run),
        forget: (run) => this.forget(run),
        abandon: (run) => this.abandon(run),
      },
      libc === null || this.watch === null ? null : { libc, watch: this.watch },
    );
    this.warnings = [
      ...limitsOf(this.scanner, this.groups),
      ...(this.reports.warning === null ? [] : [this.reports.warning]),
    ];
  }

  get strays(): number {
    return this.tracker.strays.length;
  }

  get scans(): number {
    return this.tracker.scans;
  }

  get underWay(): readonly string[] {
    return this.commands.underWay;
  }

  droppedMessages(run: Run): number {
    return this.live.get(run)?.report.dropped ?? 0;
  }

  restoreChannels(): void {
    this.reports.restore();
    for (const { report } of this.live.values()) report.restore?.();
  }

  spawn(request: SpawnRequest): void {
    this.begin(request, null);
  }

  prepare(request: SpawnRequest): void {
    this.early?.prepare(request);
  }

  unprepare(run: Run): void {
    this.early?.end(run);
  }

  credentials(user: string | null, group: string | null): Result<Credentials | null, SpawnFault> {
    return findCredentials(user, group, this.users);
  }

  execute(request: CommandRequest, done: (result: CommandResult) => void): () => void {
    return this.commands.execute(request, done);
  }

  private begin(request: SpawnRequest, channels: Channels | null): void {
    const { run } = request;
    let leader = 0;
    const outcome: Launched = {
      started: (pid, report) => {
        leader = pid;
        leaders.add(pid);
        this.live.set(run, { leader: pid, identity: null, report });
        this.tracker.add(run, pid);
        this.events.spawned(run, toPid(pid));
      },
      ended: (exit) => {
        leaders.delete(leader);
        this.ended(run, exit);
      },
      failed: (stage, message) => this.events.spawnFailed(run, stage, message),
    };
    if (channels === null && this.early?.open(request, outcome)) return;
    launch(request, this.launcher, outcome, channels);
  }

  private ended(run: Run, exit: ExitStatus): void {
    const live = this.live.get(run);
    if (live === undefined) return; // forgotten before its end
    live.leader = null;
    this.tracker.leaderEnded(run);
    const told = this.isOutOfMemory(run, exit) ? { ...exit, oom: true as const } : exit;
    live.report.finish(() => this.events.exited(run, told));
  }

  /** The kernel's own SIGKILL looks like anybody's; but it keeps count. */
  private isOutOfMemory(run: Run, exit: ExitStatus): exit is Extract<ExitStatus, { kind: 'signal' }> {
    if (exit.kind !== 'signal' || exit.signal !== 'SIGKILL') return false;
    return (this.groups?.of(run)?.oomKills() ?? 0) > 0;
  }

  identity(run: Run): string | null {
    const leader = this.live.get(run)?.leader ?? null;
    return leader === null ? null : identityOf(leader);
  }

  adopt(run: Run, pid: Pid, identity: string, limits?: SpawnRequest['limits']): void {
    this.follow(run, pid, identity, this.reports.adopt(run, pid));
    const problem = limits === undefined ? null : (this.groups?.limitAgain(run, limits) ?? null);
    if (problem !== null) this.warn(`run ${run} works without its limits: ${problem}`);
  }

  /** A command of an earlier daemon. */
  private takeUp(run: Run, leader: Leader | null): void {
    if (leader !== null) {
      this.follow(run, leader.pid, leader.identity, SILENT);
      return;
    }
    this.live.set(run, { leader: null, identity: null, report: SILENT });
    this.tracker.adopt(run, -1);
    this.tracker.leaderEnded(run);
  }

  private follow(run: Run, pid: number, identity: string, report: Report): void {
    const owner = ownerOf(pid, identity);
    const leader = owner === 'same' ? pid : null;
    this.live.set(run, { leader, identity, report });
    // A number that is somebody else's by now names no session of ours.
    this.tracker.adopt(run, owner === 'other' ? -1 : pid);
    const ended = () => this.ended(run, { kind: 'unknown' });
    if (owner !== 'other' && this.takesUpChild(run, pid)) return;
    // Never within the call: whoever adopts has to be ready to hear of the end.
    if (owner === 'same') watchStranger(pid, identity, this.libc, this.watch, ended);
    else setImmediate(ended);
  }

  expect(pids: readonly Pid[]): void {
    for (const pid of pids) {
      if (!this.isChild(pid)) continue;
      this.expected.add(pid);
      leaders.add(pid);
    }
  }

  /** Begun by the program that this one was before: its end is ours to take note of, and how it ended is told. */
  private takesUpChild(run: Run, pid: number): boolean {
    if (!this.expected.delete(pid)) return false;
    const ended = (exit: ExitStatus): void => {
      leaders.delete(pid);
      this.ended(run, exit);
    };
    if (this.leap?.leaders.takeUp(pid, ended) === true) return true;
    leaders.delete(pid);
    return false;
  }

  private isChild(pid: number): boolean {
    return this.libc !== null && !isNodes(pid) && this.libc.childState(pid) !== 'none';
  }

  unrecorded(known: ReadonlySet<Run>): readonly Unrecorded[] {
    const { runs, commands } = findMarked(this.mark, known);
    this.commands.endOthers(commands);
    this.groups?.endOtherCommands();
    this.groups?.sweep(); // what has waited for a run that never began has ended by now
    return runs;
  }

  signal(run: Run, signal: SignalName): void {
    this.signaller.toLeader(this.live.get(run), signal);
  }

  signalTree(run: Run, signal: SignalName): void {
    this.signaller.toTree(run, this.live.get(run), signal);
  }

  survey(run: Run): void {
    this.tracker.survey(run);
  }

  forget(run: Run): void {
    const live = this.live.get(run);
    this.tracker.remove(run);
    this.sampler.forget(run);
    this.live.delete(run);
    live?.report.close();
  }

  usage(runs: readonly Run[]): Promise<ReadonlyMap<Run, Usage>> {
    return new Promise((resolve, reject) => {
      this.tracker.membersOf(runs, (pids) => this.sampler.sample(pids).then(resolve, reject));
    });
  }

  private abandon(run: Run): void {
    const { leader = null } = this.live.get(run) ?? {};
    const pids = leader === null ? [] : [leader];
    this.tracker.members(run, (members) => pids.push(...members.map(({ pid }) => pid)));
    this.signalTree(run, 'KILL');
    // Where a look takes its time, nobody is there any more to hear the answer.
    if (leader !== null && this.tracking === 'group') this.signaller.toGroup(leader, 'KILL');
    if (this.leap !== null) reapSoon(this.leap.libc, pids);
  }

  close(): void {
    this.commands.close();
    this.early?.close();
    for (const { report } of this.live.values()) report.close();
    this.live.clear();
    this.reports.close();
    this.tracker.close();
    this.groups?.close();
    this.leap?.leaders.close();
    this.reaper?.close();
    this.watch?.close();
  }
}

const GROUPS_LOST =
  'cannot give programs the supplementary groups of their users here: koffi cannot be loaded';

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
