/** The replies, but for `status` (status.ts) and what follows as NDJSON (events.ts). */

import type { WireError } from './errors.ts';
import type { InstanceState, PlannedRollout, ProgramCount, RevisionStatus, RolloutStatus } from './status.ts';

export interface ErrorReply {
  readonly version: number;
  readonly error: WireError;
}

/** The reply to start, stop, restart, scale and signal. */
export interface ActionReply {
  readonly version: number;
  /** Config keys that the named programs take on by this, e.g. `worker: command: "a" -> "b"`. */
  readonly changes: readonly PlanChange[];
  readonly instances: readonly ActionOutcome[];
  /** Matched or started by default, but left alone because the operator has stopped them. */
  readonly left_stopped: readonly string[];
  /** What else is to be known, a sentence for people each: who works on without what was stopped. */
  readonly remarks?: readonly string[];
}

export interface ActionOutcome {
  readonly id: string;
  readonly state: InstanceState;
  /** Whether the instance got where the request wanted it. Undecided (`null`) when the request did not wait. */
  readonly ok: boolean | null;
  /** It was so already: nothing was done. */
  readonly already: boolean;
  /** It was killed, or ended with jobs in flight: the message says so. */
  readonly cut_short?: boolean;
  /** One sentence for people: `worker:0 is ready`, `worker:0 exited with code 1 after 20ms, tried again in 100ms`. */
  readonly message: string;
}

export interface PlanChange {
  readonly program: string;
  readonly key: string;
  readonly from: string;
  readonly to: string;
  /** When it takes effect. */
  readonly effect: ChangeEffect;
  /** Said of what cannot be applied by this command. */
  readonly note: string | null;
}

/** At once, at the next start of each instance, by a rolling restart, or only when the daemon is started anew. */
export type ChangeEffect = 'live' | 'next_start' | 'rolling' | 'immutable';

/** The reply to `POST /v1/reload`. */
export interface ReloadReply {
  readonly version: number;
  /** Nothing was done, only said. */
  readonly dry_run: boolean;
  /** Programs. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Key by key; those of the daemon itself have the program "". */
  readonly changes: readonly PlanChange[];
  /** How many instances each program has that is added or removed. */
  readonly counts: Readonly<Record<string, number>>;
  /** What was begun, one for each program with a change that needs it; in a dry run what would be. */
  readonly rollouts: readonly (RolloutStatus | PlannedRollout)[];
  /** Programs whose changes wait, with the reason: `mailer is stopped, and takes the config at its next start`. */
  readonly skipped: readonly { readonly program: string; readonly reason: string }[];
  /** Of a dry run: why all of it would be refused now, for each program that is in conflict with what is under way. */
  readonly refused: readonly RefusedProgram[];
  /** Programs that keep a number of instances which an operator has given, for the config's is the same as before. */
  readonly kept_counts?: readonly ProgramCount[];
  readonly seq: number;
}

export interface RefusedProgram {
  readonly program: string;
  readonly reason: string;
  readonly hint: string;
}

/** The reply to `POST /v1/rollouts`: one rollout for each program that was named. */
export interface RolloutsCreatedReply {
  readonly version: number;
  readonly changes: readonly PlanChange[];
  /** In a dry run what would be begun. In the order in which they come. */
  readonly rollouts: readonly (RolloutStatus | PlannedRollout)[];
  /** Programs with nothing to roll, with the reason: `mailer is stopped`. */
  readonly skipped: readonly { readonly program: string; readonly reason: string }[];
  /** As in the reply to a reload. */
  readonly refused: readonly RefusedProgram[];
  /** Of `rollouts`, the numbers of those that were under way already and do the same. */
  readonly joined: readonly number[];
  /** The `seq` of the last event before this: follow from here and nothing is missed. */
  readonly seq: number;
}

export interface RolloutsReply {
  readonly version: number;
  readonly rollouts: readonly RolloutStatus[];
}

export interface RolloutReply {
  readonly version: number;
  readonly rollout: RolloutStatus;
}

/** Sent at once; the end of the process `pid` is the end of the shutdown. */
export interface ShutdownReply {
  readonly version: number;
  readonly pid: number;
  readonly instances: readonly string[];
  readonly seq: number;
}

/** Sent before anything is done: the next daemon says in its status that it is there. */
export interface UpgradeReply {
  readonly version: number;
  /** Of the package. */
  readonly from: string;
  readonly to: string;
  /** It is that very build: nothing is done. */
  readonly already: boolean;
  readonly dry_run: boolean;
  /** Whether the daemon stays the same process. */
  readonly in_place: boolean;
  /** As `status` has it, once the next daemon is there. */
  readonly handovers: number;
  /** The path of the daemon's own log. */
  readonly log: string;
}

/** Where the log files of the named instances are: the client reads them itself. */
export interface LogsReply {
  readonly version: number;
  readonly files: readonly {
    readonly instance: string;
    readonly stream: 'stdout' | 'stderr' | 'merged';
    readonly path: string | null;
    /** What each line of it is written with: nothing, its time, or all in an object. Daemons before did not say. */
    readonly format?: 'raw' | 'timestamps' | 'json';
  }[];
  /** Its own log. Daemons before did not say. */
  readonly daemon?: { readonly path: string; readonly format: 'timestamps' | 'json' };
}

/** The reply to rotate and reopen: each file once, that of the daemon last. */
export interface LogFilesReply {
  readonly version: number;
  readonly files: readonly {
    /** Null: those of all instances. */
    readonly path: string | null;
    /** `nothing`: it is empty, or not there. `later`: when the line that is being written has ended. */
    readonly outcome: 'done' | 'nothing' | 'later' | 'failed';
    /** One sentence for people. */
    readonly message: string;
  }[];
}

export interface RevisionsReply {
  readonly version: number;
  /** Program by program, the newest last. */
  readonly revisions: readonly RevisionStatus[];
}
