/** A rolling restart as it stands: a turn for each instance, in the order in which they are taken. */
import type { Moment, Mono } from '../../base/clock.ts';
import type { InstanceId, ProgramName, RolloutId, Run } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import type { ProgramPlan } from '../plan.ts';

export interface Rollout {
  readonly id: RolloutId;
  readonly program: ProgramName;
  readonly state: RolloutStateName;
  /** Why it is paused or has ended badly, or what it waits for before the next turn. */
  readonly reason: string | null;
  /** Whom somebody has to see to before it can go on; null: nobody, or it is not paused. */
  readonly blocker: Blocker | null;
  readonly target: ProgramPlan;
  readonly generation: number;
  readonly maxParallel: number;
  readonly startedAt: Moment;
  readonly endedAt: Moment | null;
  readonly turns: readonly Turn[];
}

export interface Blocker {
  /** An instance or, where it is needed, a program. */
  readonly name: string;
  readonly is: 'failed' | 'draining' | 'needed';
}

export type RolloutStateName = 'running' | 'paused' | 'succeeded' | 'failed' | 'aborted' | 'reverted';

export interface Turn {
  readonly id: InstanceId;
  /** What the instance goes back to when the rollout is aborted in its turn. */
  readonly before: { readonly program: ProgramPlan; readonly generation: number };
  readonly step: TurnStep;
}

export type TurnStep =
  | { readonly kind: 'pending' }
  /** The old run drains. Null: there was none. */
  | { readonly kind: 'draining'; readonly since: Moment; readonly oldRun: Run | null }
  /** The old run is gone; its replacement is not ready yet. */
  | {
      readonly kind: 'starting';
      readonly since: Moment;
      readonly began: Moment;
      readonly newRun: Run;
      readonly deadline: Mono | null;
    }
  /** Ready; has to stay so until `healthyAt`. Null: it ends as its policy has it, and its end is waited for. */
  | {
      readonly kind: 'settling';
      readonly since: Moment;
      readonly began: Moment;
      readonly newRun: Run;
      readonly healthyAt: Mono | null;
      readonly deadline: Mono | null;
    }
  | { readonly kind: 'done'; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly why: string; readonly tookMs: number }
  | { readonly kind: 'skipped'; readonly why: string };

export const isActive = (turn: Turn): boolean =>
  turn.step.kind === 'draining' || turn.step.kind === 'starting' || turn.step.kind === 'settling';

/** Nothing more will come of it. */
export const isOver = (rollout: Rollout): boolean =>
  rollout.state !== 'running' && rollout.state !== 'paused';

/** The program's instances by id, all of them, those outside the rollout too. */
export type Seats = ReadonlyMap<InstanceId, Instance>;
