/** A rollout as the journal has it: its plans by reference, its moments as dates that outlive the stopwatch of a daemon. */
import { dateOf, deadlineOf, type Moment, type Mono, mono, type Wall, wall } from '../base/clock.ts';
import type { InstanceId } from '../base/ids.ts';
import type { ProgramPlan } from '../core/plan.ts';
import type { Blocker, Canary, Cause, Reverting, Rollout, Turn, TurnStep } from '../core/rollout/rollout.ts';
import { fieldsOf, type PlanRef } from './plan-shelf.ts';
import { momentOf } from './record.ts';
import { isRolloutRecord, isTurnRecord } from './rollout-shape.ts';

/** All of it but its turns, which are written one by one: of hundreds, a step moves a few. */
export interface RolloutRecord extends Omit<Dated<Rollout>, 'target' | 'turns'> {
  /** The target. */
  readonly plan: PlanRef;
  /** How many turns there are. */
  readonly count: number;
  readonly format: typeof FORMAT;
}

/** Another one with other fields of a rollout: what an earlier version has written is then not taken for whole. */
const FORMAT = 1;

export interface TurnRecord {
  readonly program: string;
  readonly id: InstanceId;
  readonly extra: boolean;
  /** What the instance had before. */
  readonly plan: PlanRef;
  readonly generation: number;
  readonly step: Dated<TurnStep>;
}

/** The same with dates in the place of moments. */
type Dated<T> = T extends Mono | Moment
  ? Wall
  : T extends readonly unknown[] | string | number | boolean | null
    ? T
    : { readonly [K in keyof T]: Dated<T[K]> };

/** All that has fields within a rollout. */
type Timed = Rollout | Canary | Reverting | Cause | Blocker | TurnStep | NonNullable<Rollout['notBefore']>;
type KeysWith<T, V> = T extends unknown
  ? { [K in keyof T]-?: NonNullable<T[K]> extends V ? K : never }[keyof T]
  : never;

/** Every field that is one has its place here: the compiler finds the one that is forgotten. */
const STOPWATCH: Readonly<Record<KeysWith<Timed, Mono>, true>> = {
  at: true,
  until: true,
  deadline: true,
  healthyAt: true,
};
const MOMENTS: Readonly<Record<KeysWith<Timed, Moment>, true>> = {
  since: true,
  began: true,
  startedAt: true,
  endedAt: true,
};

export function rolloutRecord(rollout: Rollout, plan: PlanRef, now: Moment): RolloutRecord {
  const { target: _, turns, ...rest } = rollout;
  return { ...dated(rest, now), plan, count: turns.length, format: FORMAT };
}

export function turnRecord({ id, extra, before, step }: Turn, plan: PlanRef, now: Moment): TurnRecord {
  const { program, generation } = before;
  return { program: program.name, id, extra, plan, generation, step: dated(step, now) };
}

/** Null: it cannot be read. `planOf`: the plan that a reference names. */
export function restoreRollout(
  value: unknown,
  turns: readonly (Turn | null)[],
  planOf: (name: string, ref: unknown) => ProgramPlan | null,
  now: Moment,
): Rollout | null {
  const { plan, count, format, ...rest } = fieldsOf(value);
  if (format !== FORMAT || !isRolloutRecord(value)) return null;
  const target = planOf(String(rest.program), plan);
  const isWhole = turns.length === count && turns.every((turn) => turn !== null);
  if (target === null || !isWhole) return null;
  // As `rolloutRecord` has written it: the same keys, checked where another version could have others.
  return { ...(timed(rest, now) as Omit<Rollout, 'target' | 'turns'>), target, turns: turns as Turn[] };
}

export function restoreTurn(
  value: unknown,
  planOf: (name: string, ref: unknown) => ProgramPlan | null,
  now: Moment,
): Turn | null {
  if (!isTurnRecord(value)) return null;
  const { program: name, id, extra, plan, generation, step } = fieldsOf(value);
  const program = planOf(String(name), plan);
  if (program === null) return null;
  return {
    id: id as InstanceId, // as `turnRecord` has written it, like the rest
    extra: extra === true,
    before: { program, generation: generation as number },
    step: timed(step, now) as TurnStep,
  };
}

function dated<T extends object>(of: T, now: Moment): Dated<T> {
  const fields = Object.entries(of).map(([key, value]) => {
    if (key in MOMENTS) return [key, (value as Moment | null)?.wall ?? null]; // by its type, see MOMENTS
    if (typeof value === 'number' && key in STOPWATCH) return [key, dateOf(mono(value), now)];
    return [key, isFields(value) ? dated(value, now) : value];
  });
  return Object.fromEntries(fields); // entry by entry what Dated says
}

function timed(value: unknown, now: Moment): unknown {
  if (!isFields(value)) return value;
  const fields = Object.entries(value).map(([key, date]: [string, unknown]) => {
    if (typeof date !== 'number') return [key, timed(date, now)];
    if (key in STOPWATCH) return [key, deadlineOf(wall(date), now)];
    return [key, key in MOMENTS ? momentOf(wall(date), now) : date];
  });
  return Object.fromEntries(fields);
}

const isFields = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
