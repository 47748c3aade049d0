/** A rolling restart as it stands: a turn for each instance, in the order in which they are taken. */
import type { Moment, Mono } from '../../base/clock.ts';
import type { InstanceId, ProgramName, Revision, RolloutId, Run } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import type { Waiting } from '../instance/phase.ts';
import type { ProgramPlan } from '../plan.ts';

/** It is written down as a whole, and goes on after the daemon's death: each date in it is kept as an absolute one. */
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
  readonly canary: Canary;
  /** Nobody is touched before that: a drain has ended in a kill, or a replacement has crashed. */
  readonly notBefore: { readonly at: Mono; readonly why: string } | null;
  /** How many times the user's own check was asked. */
  readonly checks: number;
  /** How long each has drained that it has taken, in milliseconds, as they came to their ends. */
  readonly drains: readonly number[];
  /** Those that were killed in their turns, before they had drained. */
  readonly killed: readonly InstanceId[];
  /** Its first turn comes when this one has succeeded. */
  readonly after: RolloutId | null;
  readonly cause: Cause;
  /** It goes back: `target` is what it goes back to. */
  readonly reverting: Reverting | null;
  readonly startedAt: Moment;
  readonly endedAt: Moment | null;
  readonly turns: readonly Turn[];
}

/** Who wanted it, and why. */
export interface Cause {
  readonly kind: 'operator' | 'reload' | 'revert';
  /** The user who asked, as far as the system tells; null: it does not. */
  readonly by: string | null;
  /** In the words of whoever asked. */
  readonly words: string | null;
  /** Of a revert: what it takes back. */
  readonly of: RolloutId | null;
}

export interface Reverting {
  /** What made it. */
  readonly why: string;
  /** The generation that goes. */
  readonly from: number;
  /** The revision that goes. */
  readonly revision: Revision;
}

/** So many first, and then a hold. */
export type Canary =
  /** There is none. */
  | { readonly kind: 'none' }
  /** They are under way. */
  | { readonly kind: 'first'; readonly count: number }
  /** They are done. `until` null: until somebody promotes it. */
  | { readonly kind: 'held'; readonly count: number; readonly since: Moment; readonly until: Mono | null }
  | { readonly kind: 'promoted'; readonly count: number };

export interface Blocker {
  /** An instance or, where it is needed, a program. */
  readonly name: string;
  readonly is: 'failed' | 'draining' | 'needed';
}

export type RolloutStateName = 'running' | 'paused' | 'succeeded' | 'failed' | 'aborted' | 'reverted';

export interface Turn {
  readonly id: InstanceId;
  /** It is there for the length of the rollout alone, so that capacity never drops. */
  readonly extra: boolean;
  /** What the instance goes back to when the rollout is aborted in its turn. */
  readonly before: { readonly program: ProgramPlan; readonly generation: number };
  readonly step: TurnStep;
}

/** What is known of a turn once the old run is gone. */
interface Begun {
  readonly since: Moment;
  /** Of the turn. */
  readonly began: Moment;
  /** How long the old run has drained, in milliseconds; null: there was none. */
  readonly drainMs: number | null;
  readonly newRun: Run;
}

export type TurnStep =
  | { readonly kind: 'pending' }
  /** The old run drains. Null: there was none. `late`: it has taken too long, and the others go on meanwhile. */
  | { readonly kind: 'draining'; readonly since: Moment; readonly oldRun: Run | null; readonly late?: true }
  /** The old run is gone; its replacement is not ready yet. */
  | (Begun & { readonly kind: 'starting'; readonly deadline: Mono | null })
  /** Ready; has to stay so until `healthyAt`. Null: it ends as its policy has it, and its end is waited for. */
  | (Begun & { readonly kind: 'settling'; readonly healthyAt: Mono | null; readonly deadline: Mono | null })
  /** Healthy for long enough; the user's own check is asked. `attempt` tells its answer from a late one; null: not asked yet. */
  | (Begun & { readonly kind: 'checking'; readonly attempt: number | null })
  /** An extra one works, until the others have had their turns. */
  | (Begun & { readonly kind: 'serving' })
  /** An extra one drains, and goes. */
  | { readonly kind: 'leaving'; readonly since: Moment; readonly began: Moment }
  | {
      readonly kind: 'done';
      readonly tookMs: number;
      readonly drainMs: number | null;
      readonly newRun: Run | null;
    }
  | {
      readonly kind: 'failed';
      readonly why: string;
      readonly tookMs: number;
      readonly drainMs: number | null;
      /** The user's own check has said no: it may work and is not wanted all the same. */
      readonly refused?: true;
    }
  | { readonly kind: 'skipped'; readonly why: string };

/** Its instance is away, or has not proved itself yet, and the next one waits for that. */
export const isActive = ({ step }: Pick<Turn, 'step'>): boolean =>
  (step.kind === 'draining' && step.late !== true) ||
  step.kind === 'starting' ||
  step.kind === 'settling' ||
  step.kind === 'checking';

/** It drains for longer than it may, and the others do not wait for it. */
export const isLate = ({ step }: Pick<Turn, 'step'>): boolean =>
  step.kind === 'draining' && step.late === true;

/** It has what the rollout rolls to, or what is to be taken back. */
export const isTouched = ({ generation, reverting }: Rollout, seat: Instance): boolean =>
  seat.generation === generation || seat.generation === reverting?.from;

/** Nothing more will come of it. */
export const isOver = (rollout: Rollout): boolean =>
  rollout.state !== 'running' && rollout.state !== 'paused';

/** The instances of the program itself, which are there to stay. */
export const ordinary = (rollout: Rollout): Turn[] => rollout.turns.filter(({ extra }) => !extra);

export const withStep = (rollout: Rollout, id: InstanceId, step: TurnStep): Rollout => ({
  ...rollout,
  turns: rollout.turns.map((turn) => (turn.id === id ? { ...turn, step } : turn)),
});

/** The program's instances by id, all of them, those outside the rollout too. */
export type Seats = ReadonlyMap<InstanceId, Instance>;

/** What a rollout can see beside itself. */
export interface View {
  readonly seats: Seats;
  readonly now: Moment;
  /** What keeps a run of this plan from being begun now; null: nothing does. */
  readonly unmet: Unmet;
  /** The one that comes before it; null: none, or nobody remembers it. */
  readonly ahead: Rollout | null;
  /** What a revert goes back to; null: nothing else is known to have been whole. */
  readonly back: () => ProgramPlan | null;
  /** The number of a generation that has not been yet. */
  readonly nextGeneration: number;
}

export type Unmet = (program: ProgramPlan) => Need | null;
export type Need = Extract<Waiting, { kind: 'dependency' }>;
