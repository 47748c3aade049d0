/** The reply of `GET /v1/status`, and the parts of it that other replies share. Dates are ISO 8601 in UTC. */

/** Instance states as users see them. */
export const INSTANCE_STATES = [
  'stopped',
  'waiting',
  'starting',
  'running',
  'draining',
  'stopping',
  'backoff',
  'exited',
  'failed',
] as const;
export type InstanceState = (typeof INSTANCE_STATES)[number];

export const ROLLOUT_STATES = ['running', 'paused', 'succeeded', 'failed', 'aborted', 'reverted'] as const;
export type RolloutStateName = (typeof ROLLOUT_STATES)[number];

export interface StatusReply {
  readonly version: number;
  readonly daemon: DaemonStatus;
  readonly instances: readonly InstanceStatus[];
  readonly rollouts: readonly RolloutStatus[];
  /** Programs with another number of instances than the config has, and those with none. */
  readonly counts?: readonly ProgramCount[];
}

/** How many instances there are to be of a program, and how many the config has. */
export interface ProgramCount {
  readonly program: string;
  readonly instances: number;
  readonly configured: number;
}

export interface DaemonStatus {
  readonly pid: number;
  /** Of the package, e.g. "0.1.0". */
  readonly version: string;
  readonly name: string;
  readonly config: string;
  readonly state: 'running' | 'shutting_down';
  readonly uptime_ms: number;
  readonly tracking: string;
  /** How often it has been handed over to another build since it was started. */
  readonly handovers?: number;
  /** Why the last attempt to hand over came to nothing. */
  readonly upgrade_failed?: string;
  /** What does not work as it should, in plain words; empty when all is well. */
  readonly warnings: readonly string[];
}

export interface InstanceStatus {
  readonly id: string;
  readonly program: string;
  readonly index: number;
  readonly state: InstanceState;
  readonly wanted: 'up' | 'down';
  /** Why it is in this state: `operator`, `rollout 7`, `crash`, `unhealthy`, `shutdown`, `start`… */
  readonly because: string;
  readonly pid: number | null;
  /** Null before the first run. */
  readonly run: number | null;
  readonly ready: boolean;
  readonly healthy: boolean;
  readonly uptime_ms: number | null;
  readonly restarts: number;
  readonly revision: string;
  readonly generation: number;
  /** What it is doing in one line: its own STATUS=, or why it waits. Never empty when it is not well. */
  readonly message: string;
  readonly processes: number | null;
  readonly cpu_percent: number | null;
  readonly memory_bytes: number | null;
  /** As last reported by X_INFLIGHT; null when it never was. */
  readonly in_flight: number | null;
  readonly drain: DrainStatus | null;
  /** While `waiting` for another program: which. */
  readonly waits_for: string | null;
  /** Of a program with a schedule: when the next run is due. */
  readonly next_run: string | null;
  /** While in backoff: when it is tried again. */
  readonly retry_at: string | null;
  readonly last_exit: LastExit | null;
  /** Only where something of its output could not be written, since this daemon began. */
  readonly logs?: { readonly dropped_bytes: number };
}

export interface DrainStatus {
  readonly since: string;
  readonly elapsed_ms: number;
  /** Null: no deadline. */
  readonly deadline: string | null;
  readonly in_flight: number | null;
}

export interface LastExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly at: string;
  readonly because: string;
  readonly drained: boolean;
  readonly killed: boolean;
  /** The kernel ended it for want of memory. */
  readonly oom: boolean;
}

export interface RolloutStatus {
  readonly id: number;
  readonly program: string;
  readonly state: RolloutStateName;
  /** Turns; extra instances are not counted. */
  readonly done: number;
  readonly total: number;
  /** Turns that have failed, so far as that was allowed. */
  readonly failures: number;
  readonly current: readonly string[];
  /** Why it is paused or has ended badly, or what it waits for; null when there is nothing to say. */
  readonly reason: string | null;
  /** While paused, and if it is aborted then: whom somebody has to see to before it can go on. `needed`: a program that others depend on. */
  readonly blocker: { readonly name: string; readonly is: 'failed' | 'draining' | 'needed' } | null;
  readonly max_parallel: number;
  /** Null: there is none. `until`: when the hold ends by itself; null while it is not held, or until it is promoted. */
  readonly canary: {
    readonly count: number;
    readonly state: 'first' | 'held' | 'promoted';
    readonly until: string | null;
    /** How long it is to be held; null: until it is promoted. */
    readonly hold_ms?: number | null;
  } | null;
  /** Its first turn comes when that one has succeeded. */
  readonly after: number | null;
  /** It goes back to `revision`, and why. */
  readonly reverting: string | null;
  /** The revision that goes, or has gone. */
  readonly reverted_revision: string | null;
  readonly cause: {
    readonly kind: 'operator' | 'reload' | 'revert';
    readonly by: string | null;
    readonly words: string | null;
    /** Of a revert: the rollout that it takes back. */
    readonly of: number | null;
  };
  readonly started_at: string;
  readonly ended_at: string | null;
  /** From the turns seen so far, of this rollout and of those before it; null: nothing is known, it is over, or it does not go on by itself. */
  readonly expected_end: string | null;
  /** How long each has drained that it has taken, extra instances and tries that failed included. */
  readonly drains_ms?: readonly number[];
  /** Instances that were killed in their turns, before they had drained. */
  readonly killed?: readonly string[];
  readonly revision: string;
  /** What most of its instances had before. */
  readonly from_revision: string | null;
  /** A turn for each instance, in the order in which they are taken; extra instances first. */
  readonly turns: readonly TurnStatus[];
}

export interface TurnStatus {
  readonly instance: string;
  readonly extra: boolean;
  readonly step: TurnStepName;
  /** It drains for longer than it may, and the others go on meanwhile. */
  readonly late?: true;
  /** Of the step that it is in, or of the whole turn once it is over. */
  readonly elapsed_ms: number | null;
  /** How long the old run has drained; null: it has not, or there was none. */
  readonly drain_ms: number | null;
  /** When the step has to be over, or is: healthy for long enough. Null: there is no such moment. */
  readonly deadline: string | null;
  /** Why it has failed, or was left out. */
  readonly why?: string;
}

export const TURN_STEPS = [
  'pending',
  'draining',
  'starting',
  'settling',
  'checking',
  'serving',
  'leaving',
  'done',
  'failed',
  'skipped',
] as const;
export type TurnStepName = (typeof TURN_STEPS)[number];

/** What a dry run would begin: it has no number and no date. */
export type PlannedRollout = Omit<RolloutStatus, 'id' | 'started_at'> & {
  readonly id: null;
  readonly started_at: null;
  /** Extra instances for its length. */
  readonly surge: number;
  /** From the turns seen so far; null: none was. Holds that somebody has to end are not in it. */
  readonly expected_ms: number | null;
  /** From so many turns. */
  readonly expected_from: number;
};

/** A plan that a program has had. */
export interface RevisionStatus {
  readonly program: string;
  readonly revision: string;
  readonly since: string;
  /** All instances have worked with it at the same time. */
  readonly whole: boolean;
  /** It is what its next run has. */
  readonly current: boolean;
}
