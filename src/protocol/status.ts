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
  readonly done: number;
  readonly total: number;
  readonly current: readonly string[];
  /** Why it is paused or has ended badly, or what it waits for; null when there is nothing to say. */
  readonly reason: string | null;
  /** While paused, and if it is aborted then: whom somebody has to see to before it can go on. `needed`: a program that others depend on. */
  readonly blocker: { readonly name: string; readonly is: 'failed' | 'draining' | 'needed' } | null;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly revision: string;
  /** A turn for each instance, in the order in which they are taken. */
  readonly turns: readonly TurnStatus[];
}

export interface TurnStatus {
  readonly instance: string;
  readonly step: 'pending' | 'draining' | 'starting' | 'settling' | 'done' | 'failed' | 'skipped';
  /** Of the step that it is in, or of the whole turn once it is over. */
  readonly elapsed_ms: number | null;
  /** Why it has failed, or was left out. */
  readonly why?: string;
}

/** What a dry run would begin: it has no number and no date. */
export type PlannedRollout = Omit<RolloutStatus, 'id' | 'started_at'> & {
  readonly id: null;
  readonly started_at: null;
};
