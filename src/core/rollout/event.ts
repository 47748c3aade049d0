/** What can happen to a rollout, and what it wants done. */
import type { InstanceId, RolloutId } from '../../base/ids.ts';
import type { OnTimeout } from '../instance/phase.ts';
import type { ProgramPlan, RolloutCheckPlan } from '../plan.ts';
import type { Rollout, TurnStep } from './rollout.ts';

export type RolloutEvent =
  /** Something about its instances may have changed, or its deadline may have come. */
  | { readonly type: 'look' }
  /** `by`: who asks, as far as the system tells. */
  | { readonly type: 'pause'; readonly by?: string | null }
  | { readonly type: 'resume' }
  /** Ends the hold after the canary. */
  | { readonly type: 'promote' }
  /** Back to the last revision that was whole. `words`: why, as whoever asks says it. */
  | { readonly type: 'revert'; readonly words?: string; readonly by?: string | null }
  /** `why`: null when the operator asked for it. `keep`: another rollout takes these over as they are. */
  | {
      readonly type: 'abort';
      readonly why: string | null;
      readonly keep?: ReadonlySet<InstanceId>;
      readonly by?: string | null;
      readonly words?: string;
    }
  /** The answer to `judge`. */
  | { readonly type: 'judged'; readonly attempt: number; readonly ok: boolean; readonly detail: string };

export type RolloutEffect =
  | {
      readonly type: 'replace';
      readonly id: InstanceId;
      readonly because: `rollout ${number}`;
      readonly program: ProgramPlan;
      readonly generation: number;
      readonly onTimeout: OnTimeout;
    }
  | { readonly type: 'grant'; readonly id: InstanceId }
  /** An extra instance, with the target. */
  | {
      readonly type: 'add';
      readonly id: InstanceId;
      readonly because: `rollout ${number}`;
      readonly program: ProgramPlan;
      readonly generation: number;
    }
  /** An extra instance has done its service. */
  | {
      readonly type: 'leave';
      readonly id: InstanceId;
      readonly because: `rollout ${number}`;
      readonly onTimeout: OnTimeout;
    }
  | {
      readonly type: 'judge';
      readonly id: InstanceId;
      readonly attempt: number;
      readonly plan: RolloutCheckPlan;
    }
  | { readonly type: 'unjudge'; readonly attempt: number }
  | {
      readonly type: 'turn';
      readonly rollout: RolloutId;
      readonly id: InstanceId;
      readonly step: TurnStep['kind'];
      readonly why?: string;
      /** On the way back. */
      readonly back?: true;
    };

export interface RolloutStep {
  readonly rollout: Rollout;
  readonly effects: readonly RolloutEffect[];
}
