/** The one port through which core's effects reach processes. `os/` has the real one, `test/sim` the rude one. */

import type { ExitStatus } from '../base/exit-status.ts';
import type { InstanceId, Pid, Run } from '../base/ids.ts';
import type { Result } from '../base/result.ts';
import type { SignalName } from '../base/signal-name.ts';
import type { LimitsPlan, LogSettings, LogTarget } from '../core/plan.ts';

/** In the place of a path: the daemon's own stdout. No absolute path is called that. */
export const INHERITED = 'inherit';

/** Everything that a process is started with; nothing is left to be decided. */
export interface SpawnRequest {
  readonly run: Run;
  readonly id: InstanceId;
  readonly command: readonly string[];
  readonly directory: string;
  /** Complete, but for NOTIFY_SOCKET and TSUP_VISOR_NOTIFY_FD, which the hands add. */
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute paths, INHERITED, or null for /dev/null. Equal paths share one descriptor. */
  readonly stdout: string | null;
  readonly stderr: string | null;
  /** What becomes of it there. */
  readonly logging: LogSettings;
  /** Null: the daemon's own. */
  readonly credentials: Credentials | null;
  readonly umask: number | null;
  readonly nice: number | null;
  readonly limits: LimitsPlan;
}

/** Who a process is; everything in numbers, so that nothing is left to be looked up. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  /** All of them, as at a login. */
  readonly groups: readonly number[];
  readonly name: string;
  readonly home: string;
  readonly shell: string;
}

/** What could not be done before a process began. */
export interface SpawnFault {
  /** `"user"`, `"group"`, `"directory"`, `"limits"`, `"exec"`… */
  readonly stage: string;
  readonly message: string;
}

/** A hook, or a check by a command: run to its end, with nothing left behind. Its output goes nowhere but into `detail`. */
export interface CommandRequest {
  /** For whom. */
  readonly id: InstanceId;
  readonly command: readonly string[];
  readonly directory: string;
  /** Complete. */
  readonly environment: Readonly<Record<string, string>>;
  readonly credentials: Credentials | null;
  readonly umask: number | null;
  readonly timeoutMs: number;
}

export interface CommandResult {
  /** It could be started, and exited with 0 in time. */
  readonly ok: boolean;
  /** One line for people: `exited with code 2: no such table`, `took longer than 30s`, `cannot start: …`. */
  readonly detail: string;
}

/** What the system reports back. Called from the main thread, possibly within the call that caused it. */
export interface ProcessEvents {
  spawned(run: Run, pid: Pid): void;
  /** `stage` names what could not be done: `"directory"`, `"log"`, `"exec"`… */
  spawnFailed(run: Run, stage: string, message: string): void;
  /** The leader is gone and reaped. Everything it had reported before has been delivered. */
  exited(run: Run, exit: ExitStatus): void;
  /** The answer to `survey`: how many processes of the run are left, not counting a living leader nor zombies. */
  tree(run: Run, left: number): void;
  /** `wasWaiting`: it was said before this daemon listened. */
  notified(run: Run, text: string, channel: 'line' | 'datagram', wasWaiting: boolean): void;
}

export interface Processes {
  /** How the processes of a run are found; shown by `status`. */
  readonly tracking: Tracking;
  /** Starts the leader in a session of its own. The outcome is posted as `spawned` or `spawnFailed`. */
  spawn(request: SpawnRequest): void;
  /**
   * Does what takes long about a start ahead of it, as far as this system has any of that. Nothing of the program runs
   * before `spawn` asks for exactly the same; whatever cannot be done is left for `spawn` to tell.
   */
  prepare(request: SpawnRequest): void;
  /** Nothing comes of that run. */
  unprepare(run: Run): void;
  /** To the leader alone; a leader that is gone is no error. A SIGCONT follows a stop signal, as systemd has it. */
  signal(run: Run, signal: SignalName): void;
  /** To every process of the run that can be found, own groups and sessions included; never to a reused pid. */
  signalTree(run: Run, signal: SignalName): void;
  /** Answers by `tree`: now, and again each time that the number has changed, until it is 0 or the run is forgotten. */
  survey(run: Run): void;
  /** What tells the leader of a run from any other process that ever has its pid; null when it is gone. */
  identity(run: Run): string | null;
  /**
   * Takes up a run that an earlier daemon began. Its end is reported as `exited`, with an unknown status unless that
   * daemon was this very process: later, or in the next turn of the loop when it is gone already. `limits`:
   * what it was begun with, for a run that has lost what its cgroup held.
   */
  adopt(run: Run, pid: Pid, identity: string, limits?: SpawnRequest['limits']): void;
  /** Leaders that bear our mark and whose run is not known: begun just before an earlier daemon died. */
  unrecorded(known: ReadonlySet<Run>): readonly Unrecorded[];
  /** The run is over: its channels, watches and records go. */
  forget(run: Run): void;
  /** Looks up who `user` is, with the groups of a login; `group` overrides the first of them. Null: nothing to change. */
  credentials(user: string | null, group: string | null): Result<Credentials | null, SpawnFault>;
  /**
   * Runs a command in a session of its own. `done` comes exactly once, never within the call, when nothing of it is
   * left; what it has left running is killed, and all of it when the time is over. Returns what cancels it: `done` follows.
   */
  execute(request: CommandRequest, done: (result: CommandResult) => void): () => void;
  /** Samples processor time and memory of whole trees; a run that is gone is missing from the answer. */
  usage(runs: readonly Run[]): Promise<ReadonlyMap<Run, Usage>>;
  close(): void;
}

export interface Unrecorded {
  readonly run: Run;
  readonly pid: Pid;
  /** As its environment says: `worker:2`. */
  readonly instance: string;
  readonly identity: string;
  /** For how long it has been at work. */
  readonly ageMs: number;
  /** Of its plan, as its environment says; null: it does not say. */
  readonly revision: string | null;
  /** Likewise. */
  readonly generation: number | null;
}

/** `cgroup`: by the kernel. `session`: by sessions, marks and orphans. `group`: by process groups. */
export type Tracking = 'cgroup' | 'session' | 'group';

export interface Usage {
  readonly processes: number;
  /** Of one core, since the last look, or since the start at the first. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
}

/** The file that an instance's output goes to; null: it goes to none. */
export type LogPath = (id: InstanceId, target: LogTarget, stream: 'out' | 'err') => string | null;
