/** What the fleet wants done. The interpreter in `daemon/` performs it and decides nothing. */
import type { Mono } from '../../base/clock.ts';
import type { InstanceId, Pid, ProgramName, RolloutId, Run } from '../../base/ids.ts';
import type { Because } from '../instance/because.ts';
import type { InstanceEffect, InstanceNews } from '../instance/effect.ts';
import type { Instance } from '../instance/instance.ts';
import type { Life, PhaseKind } from '../instance/phase.ts';
import type { ProgramPlan, RolloutCheckPlan } from '../plan.ts';
import type { Rollout, RolloutStateName, TurnStep } from '../rollout/rollout.ts';
import type { TimerName } from './event.ts';
import type { PastPlan } from './revisions.ts';

export type FleetEffect =
  | (Exclude<InstanceEffect, { type: 'announce' }> & { readonly instance: Instance })
  /** A run of an earlier daemon: watched and heard from now on, or reported as gone. */
  | { readonly type: 'adopt'; readonly run: Run; readonly pid: Pid; readonly instance: Instance }
  /** The run that is to begin when the present one has ended: what takes long about its start may be done now. */
  | { readonly type: 'prepare'; readonly life: Life; readonly instance: Instance }
  /** Nothing comes of that run. One that is spawned needs no such word. */
  | { readonly type: 'unprepare'; readonly run: Run; readonly instance: Instance }
  /** Asks the user's own check about a turn, once; answered by `judged`, whatever becomes of it. */
  | {
      readonly type: 'judge';
      readonly rollout: RolloutId;
      readonly attempt: number;
      readonly plan: RolloutCheckPlan;
      readonly life: Life;
      readonly instance: Instance;
    }
  /** Nobody wants that answer any more. */
  | { readonly type: 'unjudge'; readonly rollout: RolloutId; readonly attempt: number }
  | { readonly type: 'arm'; readonly timer: TimerName; readonly at: Mono }
  | { readonly type: 'disarm'; readonly timer: TimerName }
  /** To be found again by the next daemon. */
  | { readonly type: 'record'; readonly what: Recorded }
  | { readonly type: 'announce'; readonly what: News }
  /** Everything is down: the daemon may end. `fault`: why it did not end well; null: it did. */
  | { readonly type: 'finish'; readonly fault: string | null };

export type Recorded =
  | { readonly kind: 'instance'; readonly instance: Instance }
  | { readonly kind: 'rollout'; readonly rollout: Rollout }
  /** There is no such instance any more. */
  | { readonly kind: 'removed'; readonly id: InstanceId }
  /** The plans that a program has had, the newest last, at most `REVISIONS_KEPT`. */
  | { readonly kind: 'revisions'; readonly program: ProgramName; readonly revisions: readonly PastPlan[] }
  /** What it has from now on, whatever the config file says: a rollout was taken back. Null: the file's word holds again. */
  | { readonly kind: 'program'; readonly program: ProgramName; readonly plan: ProgramPlan | null }
  /** The operator's word on how many there are; null: the config's holds. */
  | { readonly kind: 'count'; readonly program: ProgramName; readonly instances: number | null };

export type News =
  | (InstanceNews & { readonly id: InstanceId; readonly program: ProgramName })
  | {
      readonly type: 'phase';
      readonly id: InstanceId;
      readonly program: ProgramName;
      readonly run: number | null;
      readonly from: PhaseKind;
      readonly to: PhaseKind;
      readonly because: Because;
    }
  | {
      readonly type: 'rollout';
      readonly rollout: RolloutId;
      readonly program: ProgramName;
      readonly state: RolloutStateName;
      readonly reason: string | null;
      /** What has begun with this: `reason` says why, or for how long. */
      readonly begins?: 'hold' | 'rest' | 'revert';
    }
  | {
      readonly type: 'turn';
      readonly rollout: RolloutId;
      readonly id: InstanceId;
      readonly step: TurnStep['kind'];
      /** Why it has failed, or was left out. */
      readonly why?: string;
      /** On the way back. */
      readonly back?: true;
    }
  /** `added` and `removed` are instances. */
  | {
      readonly type: 'scaled';
      readonly program: ProgramName;
      readonly added: readonly InstanceId[];
      readonly removed: readonly InstanceId[];
    }
  /** Times of a schedule that were not kept, or were kept late: said, never silent. */
  | {
      readonly type: 'schedule';
      readonly program: ProgramName;
      readonly what: 'skipped' | 'queued' | 'late';
      readonly detail: string;
    }
  /** What it needs is gone; it goes on, but would not start now. */
  | {
      readonly type: 'dependency';
      readonly program: ProgramName;
      readonly on: ProgramName;
      readonly lost: boolean;
    }
  /** `fault`: what made it, other than the operator. */
  | { readonly type: 'shutting_down'; readonly fault: string | null };
