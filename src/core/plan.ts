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
  /** The whole of the daemon's environment, none of it, or these names only. */
  readonly inheritEnvironment: boolean | readonly string[];
  readonly autostart: boolean;
  readonly restart: 'always' | 'on_failure' | 'never';
  readonly successExitCodes: readonly number[];
  /** `null`: restart at once, for ever. */
  readonly backoff: BackoffPlan | null;
  readonly ready: ReadyPlan;
  readonly drain: DrainPlan;
  readonly stop: StopPlan;
  readonly rollout: RolloutPlan;
  readonly logs: LogsPlan;
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
  | { readonly when: 'notify'; readonly timeoutMs: number | null };

export interface DrainPlan {
  readonly signal: SignalName;
  readonly doneWhen: 'exit' | 'notify';
  readonly waitFor: 'tree' | 'leader';
  readonly timeoutMs: number | null;
  /** What a drain that is too long does to a rollout. Any other planned end goes on to `stop`. */
  readonly onTimeout: 'pause' | 'kill';
}

export interface StopPlan {
  readonly signal: SignalName;
  readonly timeoutMs: number;
}

export interface RolloutPlan {
  readonly maxParallel: MaxParallel;
  readonly minHealthyTimeMs: number;
  readonly healthyDeadlineMs: number | null;
  readonly order: 'idle_first' | 'oldest' | 'index';
}

/** How many instances may be away at once: a number, or a share of the program's instances. */
export type MaxParallel =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number };

export interface LogsPlan {
  readonly stdout: LogTarget;
  /** `merge`: into the same file as stdout. */
  readonly stderr: LogTarget | 'merge';
}

export type LogTarget =
  /** LOG_DIR/PROGRAM-INDEX.log, or …-INDEX.err.log for stderr. */
  | { readonly kind: 'default' }
  | { readonly kind: 'none' }
  /** Absolute; may hold `{{…}}` templates. */
  | { readonly kind: 'file'; readonly path: string };
