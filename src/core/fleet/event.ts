/** Everything that can reach the fleet: what people ask for, what the system reports, what the clock says. */
import type { InstanceId, RolloutId } from '../../base/ids.ts';
import type { Happened } from '../instance/event.ts';
import type { How } from '../instance/phase.ts';
import type { ProgramPlan } from '../plan.ts';

export type FleetEvent =
  | Exclude<Happened, { type: 'due' }>
  | { readonly type: 'start'; readonly ids: readonly InstanceId[]; readonly because: 'start' | 'operator' }
  | {
      readonly type: 'stop';
      readonly ids: readonly InstanceId[];
      readonly how: How;
      /** `reload`: the config does not have them any more. Without: the operator's. */
      readonly because?: 'operator' | 'reload';
    }
  | {
      readonly type: 'restart';
      readonly ids: readonly InstanceId[];
      readonly programs: readonly ProgramPlan[];
    }
  | {
      readonly type: 'begin_rollout';
      readonly program: ProgramPlan;
      /** Which of its instances; the others stay as they are. */
      readonly ids: readonly InstanceId[];
      readonly maxParallel: number;
    }
  /** These instances, which are down, start with this plan the next time. */
  | { readonly type: 'take_plan'; readonly program: ProgramPlan; readonly ids: readonly InstanceId[] }
  | {
      readonly type: 'steer_rollout';
      readonly id: RolloutId;
      readonly command: 'pause' | 'resume' | 'abort';
    }
  | { readonly type: 'shutdown'; readonly how: How; readonly timeoutMs: number | null }
  | { readonly type: 'due'; readonly timer: TimerName };

/** One timer for each thing that can wait. */
export type TimerName =
  | { readonly of: 'instance'; readonly id: InstanceId }
  | { readonly of: 'rollout'; readonly id: RolloutId }
  | { readonly of: 'shutdown' };
