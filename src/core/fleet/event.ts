/** Everything that can reach the fleet: what people ask for, what the system reports, what the clock says. */
import type { Wall } from '../../base/clock.ts';
import type { InstanceId, ProgramName, RolloutId } from '../../base/ids.ts';
import type { SignalName } from '../../base/signal-name.ts';
import type { Happened } from '../instance/event.ts';
import type { How } from '../instance/phase.ts';
import type { ProgramPlan } from '../plan.ts';
import type { Cause } from '../rollout/rollout.ts';

export type FleetEvent =
  | Exclude<Happened, { type: 'due' }>
  | { readonly type: 'start'; readonly ids: readonly InstanceId[]; readonly because: 'start' | 'operator' }
  | {
      readonly type: 'stop';
      readonly ids: readonly InstanceId[];
      readonly how: How;
      /**
       * `reload`: the config does not have them any more. `shutdown`: one that an earlier daemon did not live to end.
       * Without: the operator's.
       */
      readonly because?: 'operator' | 'reload' | 'shutdown';
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
      /** At least one. */
      readonly maxParallel: number;
      /** Extra instances for its length. */
      readonly surge: number;
      /** So many of `ids` first, and then a hold. */
      readonly canary: number;
      readonly cause: Cause;
      /** It waits until this one has succeeded; null: for none. */
      readonly after: RolloutId | null;
      /** Takes the place of the one of this program that is under way, if there is one. Without: that one stays. */
      readonly replaces: boolean;
    }
  /** These instances, which are down, start with this plan the next time. */
  | { readonly type: 'take_plan'; readonly program: ProgramPlan; readonly ids: readonly InstanceId[] }
  | {
      readonly type: 'steer_rollout';
      readonly id: RolloutId;
      /** `promote` ends a canary's hold; `revert` goes back to the last revision that was whole. */
      readonly command: 'pause' | 'resume' | 'promote' | 'abort' | 'revert';
      /** Of an abort or a revert, why it is asked for, in the words of whoever asks. */
      readonly words?: string;
      /** Who asks, as far as the system tells. */
      readonly by?: string | null;
    }
  /** The answer to `judge`. `detail`: one line for people. */
  | {
      readonly type: 'judged';
      readonly rollout: RolloutId;
      readonly attempt: number;
      readonly ok: boolean;
      readonly detail: string;
    }
  /** How many there are of it from now on. */
  | { readonly type: 'scale'; readonly program: ProgramName; readonly instances: number }
  /** The config as it stands now. Whoever posts it has made sure that no rollout is under way that rolls to another command, say, or number. */
  | {
      readonly type: 'reload';
      readonly programs: readonly ProgramPlan[];
      readonly shutdownTimeoutMs: number | null;
    }
  /** By the operator's own hand. */
  | {
      readonly type: 'signal';
      readonly ids: readonly InstanceId[];
      readonly signal: SignalName;
      readonly tree: boolean;
    }
  /** The time of its schedule has come. `missed`: so many more times that nobody could keep, for which this one stands. */
  | { readonly type: 'scheduled'; readonly program: ProgramName; readonly at: Wall; readonly missed: number }
  | { readonly type: 'shutdown'; readonly how: How; readonly timeoutMs: number | null }
  | { readonly type: 'due'; readonly timer: TimerName };

/** One timer for each thing that can wait. */
export type TimerName =
  | { readonly of: 'instance'; readonly id: InstanceId }
  | { readonly of: 'rollout'; readonly id: RolloutId }
  | { readonly of: 'shutdown' };
