/** Everything that can happen to an instance. What carries a run is about that run and no other. */
import type { ExitStatus } from '../../base/exit-status.ts';
import type { Pid, Run } from '../../base/ids.ts';
import type { ProgramPlan } from '../plan.ts';
import type { Because } from './because.ts';
import type { How, OnTimeout } from './phase.ts';

export type InstanceEvent = Wished | Happened;

/** Somebody wants something. */
export type Wished =
  | { readonly type: 'start'; readonly because: Because; readonly program?: ProgramPlan }
  | { readonly type: 'stop'; readonly because: Because; readonly how: How }
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
  | { readonly type: 'notified'; readonly run: Run; readonly message: Notified }
  /** The phase's deadline may have come; a timer that was cancelled too late is told from it by the clock. */
  | { readonly type: 'due' };

/** What the fleet makes of a notify message: protocol's words, in core's own type. */
export interface Notified {
  readonly ready?: true;
  readonly stopping?: true;
  readonly drained?: true;
  readonly status?: string;
  readonly inFlight?: number;
  readonly extendTimeoutMs?: number;
}
