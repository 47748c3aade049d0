/**
 * The validated plan that everything obeys: what `config/` makes of the YAML file.
 * All times are milliseconds; `null` stands for `none`, that is, no limit.
 */
import type { ProgramName, Revision } from '../base/ids.ts';
import type { SignalName } from '../base/signal-name.ts';

export interface Plan {
  readonly name: string;
  /** Absolute path of the file that this plan was read from. */
  readonly configFile: string;
  readonly runDir: string;
  readonly stateDir: string;
  readonly logDir: string;
  readonly ownLog: OwnLogPlan;
  /** Permission bits of the control socket. */
  readonly socketMode: number;
  readonly shutdownTimeoutMs: number | null;
  readonly groups: Readonly<Record<string, readonly ProgramName[]>>;
  /** In the order of the file. */
  readonly programs: readonly ProgramPlan[];
}

export interface ProgramPlan {
  readonly name: ProgramName;
  /** Digest of every field below but `instances` and `autostart`. */
  readonly revision: Revision;
  /** The program and its arguments, `{{…}}` templates not yet filled in. Never empty. */
  readonly command: readonly string[];
  readonly instances: number;
  /** Absolute. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute; may hold `{{…}}` templates. Read anew at each spawn; later ones win, `environment` wins over all. */
  readonly envFiles: readonly string[];
  /** The whole of the daemon's environment, none of it, or these names only. */
  readonly inheritEnvironment: boolean | readonly string[];
  /** A name or a number; null: the daemon's own. Its supplementary groups, HOME, USER, LOGNAME and SHELL follow. */
  readonly user: string | null;
  /** A name or a number; null: the user's. */
  readonly group: string | null;
  /** Null: the daemon's own. */
  readonly umask: number | null;
  /** Absolute, -20 to 19; null: the daemon's own. */
  readonly nice: number | null;
  readonly limits: LimitsPlan;
  /** Of the whole tree: above it for so long, the instance is drained and replaced. */
  readonly maxMemory: MaxMemoryPlan | null;
  /** A run that is older is drained and replaced. */
  readonly maxAgeMs: number | null;
  readonly autostart: boolean;
  /** When it is given up, the daemon shuts down with exit code 1. */
  readonly essential: boolean;
  /** What each program named here must be before a run of this one begins. Free of cycles. */
  readonly dependsOn: Readonly<Record<ProgramName, DependencyCondition>>;
  /** Lower first, among those that no dependency orders; in reverse at the end. */
  readonly priority: number;
  readonly restart: 'always' | 'on_failure' | 'never';
  readonly successExitCodes: readonly number[];
  /** `null`: restart at once, for ever. */
  readonly backoff: BackoffPlan | null;
  /** Null: it runs all the time. Otherwise each run goes to completion, and `restart` is not `always`. */
  readonly schedule: SchedulePlan | null;
  readonly ready: ReadyPlan;
  readonly health: HealthPlan | null;
  /** WATCHDOG=1 must come at least so often once it is ready; null: it need not. */
  readonly watchdogMs: number | null;
  readonly drain: DrainPlan;
  readonly stop: StopPlan;
  readonly rollout: RolloutPlan;
  readonly hooks: HooksPlan;
  readonly logs: LogsPlan;
}

/** `started`: it has a process, or has had one to a clean end. `ready`: it works. `completed`: it has run to a clean end. */
export type DependencyCondition = 'started' | 'ready' | 'completed';

/** As setrlimit(2) has them, soft and hard alike; `null` is unlimited. What is not set stays as the daemon has it. */
export type ResourceName =
  | 'as'
  | 'core'
  | 'cpu'
  | 'data'
  | 'fsize'
  | 'memlock'
  | 'nofile'
  | 'nproc'
  | 'rss'
  | 'stack';

export interface LimitsPlan {
  /** Bytes, seconds (cpu) or a count, as setrlimit(2) has each. */
  readonly resources: Readonly<Partial<Record<ResourceName, number | null>>>;
  /** memory.max of the run's cgroup, in bytes; null: none. */
  readonly memoryMax: number | null;
  /** cpu.max of the run's cgroup, as a share of one core (1.5 is 150%); null: none. */
  readonly cpuMax: number | null;
}

export interface MaxMemoryPlan {
  readonly bytes: number;
  readonly forMs: number;
}

export interface SchedulePlan {
  /** Five fields, or six with seconds in front, as cron(5) has them, or @hourly and its like. */
  readonly cron: string;
  /** An IANA name; null: the daemon's own. */
  readonly timezone: string | null;
  /** When it is time and the last run still works: leave this one out, run it afterwards, or run both. */
  readonly overlap: 'skip' | 'queue' | 'allow';
}

/** A question with a yes or a no; texts may hold `{{…}}` templates. */
export type Check =
  /** Yes is exit code 0. As the program's user, in its directory, with its environment. */
  | { readonly kind: 'exec'; readonly command: readonly string[] }
  /** Yes is a status from 200 to 399; redirects are not followed. */
  | { readonly kind: 'http'; readonly url: string }
  /** Yes is a connection. `port` is a text for the sake of templates. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: string }
  /** Yes is a file there that is no older than the run. */
  | { readonly kind: 'file'; readonly path: string };

/** What a line of output must have in it. */
export type LogPattern =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'regex'; readonly source: string; readonly flags: string };

export interface HealthPlan {
  readonly check: Check;
  readonly intervalMs: number;
  /** Of one try. */
  readonly timeoutMs: number;
  /** So many in a row and it is unhealthy. */
  readonly failures: number;
  /** `restart` drains first. */
  readonly action: 'restart' | 'none';
}

export const HOOK_NAMES = ['pre_start', 'post_start', 'pre_drain', 'post_stop'] as const;
export type HookName = (typeof HOOK_NAMES)[number];

export type HooksPlan = { readonly [N in HookName]: HookPlan | null };

export interface HookPlan {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly onFailure: 'fail' | 'ignore';
}

export interface BackoffPlan {
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** A share of the delay, 0 to 1, by which it is lengthened or shortened. */
  readonly jitter: number;
  /** A run that was ready for this long is a good one: the count begins anew. */
  readonly resetAfterMs: number;
  /** Consecutive failures; `null`: never. */
  readonly giveUpAfter: number | null;
}

export type ReadyPlan =
  | { readonly when: 'spawned'; readonly forMs: number }
  /** `timeoutMs` null: waits without end. */
  | { readonly when: 'notify'; readonly timeoutMs: number | null }
  | { readonly when: 'log'; readonly pattern: LogPattern; readonly timeoutMs: number | null }
  | {
      readonly when: 'check';
      readonly check: Check;
      readonly intervalMs: number;
      readonly timeoutMs: number | null;
    };

export interface DrainPlan {
  readonly signal: SignalName;
  readonly doneWhen: 'exit' | 'notify' | 'check';
  /** Asked once a second while it drains; set when `doneWhen` is `check`, and null otherwise. */
  readonly check: Check | null;
  readonly waitFor: 'tree' | 'leader';
  readonly timeoutMs: number | null;
  /**
   * What a drain that is too long does to a rollout: `skip` goes on with the next while it drains on, so that one more
   * is away. Any other planned end goes on to `stop`.
   */
  readonly onTimeout: 'pause' | 'skip' | 'kill';
}

export interface StopPlan {
  readonly signal: SignalName;
  readonly timeoutMs: number;
}

export interface RolloutPlan {
  /** How many may be away at once; one always may, however small the share. */
  readonly maxParallel: Share;
  /** Extra instances, with the next numbers, for the length of a rollout: they work before the first one is touched. */
  readonly maxSurge: Share;
  readonly minHealthyTimeMs: number;
  readonly healthyDeadlineMs: number | null;
  /** So many first, and then a hold. */
  readonly canary: Share;
  /** Null: until somebody promotes it. */
  readonly canaryHoldMs: number | null;
  /** The user's own judgement of each turn. */
  readonly check: RolloutCheckPlan | null;
  /** So many turns may fail and the rollout goes on; none of them in the canary. */
  readonly maxFailures: number;
  readonly onFailure: 'pause' | 'abort' | 'revert';
  /** Nobody is touched for so long after a drain that ended in a kill. */
  readonly afterKillHoldMs: number;
  readonly order: 'idle_first' | 'oldest' | 'index';
}

/** Asked once for each turn; no answer in time is a no. */
export interface RolloutCheckPlan {
  readonly check: Check;
  readonly timeoutMs: number;
}

/** A number of instances, or a share of the program's. */
export type Share =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number };

export interface LogsPlan extends LogSettings {
  readonly stdout: LogTarget;
  /** `merge`: into the same file as stdout. */
  readonly stderr: LogTarget | 'merge';
}

/** What becomes of the daemon's own log: as with that of a program, but its lines have their times in either form. */
export type OwnLogPlan = Pick<LogSettings, 'maxBytes' | 'keep' | 'maxAgeMs' | 'compress' | 'format'>;

/** What becomes of the output, wherever it goes. */
export interface LogSettings {
  /** A file that has so many bytes is put aside at the end of a line; null: whatever its size. */
  readonly maxBytes: number | null;
  /** Files put aside that are kept. */
  readonly keep: number;
  /** A file that was begun so long ago is put aside when something is written; null: whatever its age. */
  readonly maxAgeMs: number | null;
  /** What is put aside. */
  readonly compress: boolean;
  /** Each line is led by its time. Lines of `json` have theirs in any case. */
  readonly timestamps: boolean;
  readonly format: 'raw' | 'json';
  /** Where nothing can be written: whether output is dropped and counted, or the program is made to wait. */
  readonly whenFull: 'drop' | 'block';
}

export type LogTarget =
  /** LOG_DIR/PROGRAM-INDEX.log, or …-INDEX.err.log for stderr. */
  | { readonly kind: 'default' }
  | { readonly kind: 'none' }
  /** To the daemon's own stdout, under the instance's name. */
  | { readonly kind: 'inherit' }
  /** Absolute; may hold `{{…}}` templates. */
  | { readonly kind: 'file'; readonly path: string };
