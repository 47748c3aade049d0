/** Everything that can happen to an instance. What carries a run is about that run and no other. */
import type { ExitStatus } from '../../base/exit-status.ts';
import type { Pid, Run } from '../../base/ids.ts';
import type { HookName, ProgramPlan } from '../plan.ts';
import type { Because } from './because.ts';
import type { How, OnTimeout } from './phase.ts';

export type InstanceEvent = Wished | Happened;

/** Somebody wants something. */
export type Wished =
  | { readonly type: 'start'; readonly because: Because; readonly program?: ProgramPlan }
  /** `later`: it is not wanted any more, but others have to end first; a second `stop` follows. */
  | {
      readonly type: 'stop';
      readonly because: Because;
      readonly how: How | 'later';
      /** What follows when the drain takes too long; without: `stop`. */
      readonly onTimeout?: OnTimeout;
    }
  /** What it waited for may have come. */
  | { readonly type: 'proceed' }
  /** The keys that take effect while it runs. */
  | { readonly type: 'adjust'; readonly program: ProgramPlan }
  /** Its time has come. */
  | { readonly type: 'scheduled' }
  /** A planned end whose next run has this plan. Where the instance is wished down, only the plan changes. */
  | {
      readonly type: 'replace';
      readonly because: Because;
      readonly program: ProgramPlan;
      readonly generation: number;
      readonly onTimeout: OnTimeout;
    }
  /** A drain that is under way or overdue may take its whole time anew. */
  | { readonly type: 'grant' };

/** The system reports. */
export type Happened =
  | { readonly type: 'spawned'; readonly run: Run; readonly pid: Pid }
  | { readonly type: 'spawn_failed'; readonly run: Run; readonly stage: string; readonly error: string }
  | { readonly type: 'exited'; readonly run: Run; readonly exit: ExitStatus }
  /** So many processes of the run are left, a living leader not counted. */
  | { readonly type: 'tree'; readonly run: Run; readonly left: number }
  /** The answer to a watch. `detail`: one line for people. */
  | {
      readonly type: 'checked';
      readonly run: Run;
      readonly purpose: 'ready' | 'health' | 'drain' | 'log';
      readonly ok: boolean;
      readonly detail: string;
    }
  /** Of the whole tree, in bytes. */
  | { readonly type: 'measured'; readonly run: Run; readonly bytes: number }
  /** A hook has ended, was cancelled, or took too long. It is always answered. */
  | {
      readonly type: 'hooked';
      readonly run: Run;
      readonly hook: HookName;
      readonly ok: boolean;
      readonly detail: string;
    }
  | { readonly type: 'notified'; readonly run: Run; readonly message: Notified }
  /** The phase's deadline may have come; a timer that was cancelled too late is told from it by the clock. */
  | { readonly type: 'due' };

/** What the fleet makes of a notify message: protocol's words, in core's own type. */
export interface Notified {
  readonly ready?: true;
  readonly stopping?: true;
  readonly drained?: true;
  /** Whether it has been asked to drain, as it knows itself. */
  readonly asked?: boolean;
  readonly status?: string;
  readonly inFlight?: number;
  readonly extendTimeoutMs?: number;
  /** `trigger`: it wants to be taken for hung. */
  readonly watchdog?: 'alive' | 'trigger';
  /** From now on WATCHDOG=1 comes at least so often. */
  readonly watchdogMs?: number;
  readonly reloading?: true;
  readonly errno?: number;
}
