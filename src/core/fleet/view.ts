/** What one part of the fleet can see of the others: a rollout of its program, a program of what it needs. */
import type { Moment } from '../../base/clock.ts';
import type { ProgramName } from '../../base/ids.ts';
import type { ProgramPlan } from '../plan.ts';
import { isActive, isLate, type Rollout, type View } from '../rollout/rollout.ts';
import { type Fleet, rolloutUnderWay, seatsOf, stayingOf } from './fleet.ts';
import { firstUnmet, type Needed } from './needs.ts';
import { lastWhole } from './revisions.ts';

export const viewOf = (fleet: Fleet, rollout: Rollout, now: Moment): View => ({
  seats: seatsOf(fleet, rollout.program),
  now,
  unmet: (program) => unmetOf(fleet, program),
  ahead: rollout.after === null ? null : (fleet.rollouts.get(rollout.after) ?? null),
  back: () => backOf(fleet, rollout),
  nextGeneration: (fleet.generations.get(rollout.program) ?? 0) + 1,
});

/** What a revert of this rollout goes back to; null: nothing else is known to have been whole. */
export function backOf(fleet: Fleet, rollout: Rollout): ProgramPlan | null {
  const before = planBefore(rollout);
  // The same config as before: what has changed is not ours, and an older config would not bring it back.
  if (before === null || before.revision === rollout.target.revision) return null;
  const past = fleet.revisions.get(rollout.program) ?? [];
  const wasWhole = past.some(({ plan, whole }) => whole && plan.revision === before.revision);
  return wasWhole ? before : lastWhole(past, rollout.target.revision);
}

/** What its instances had, or most of them where they differed. */
export function planBefore({ turns }: Rollout): ProgramPlan | null {
  const plans = turns.filter(({ extra }) => !extra).map(({ before }) => before.program);
  const count = (plan: ProgramPlan): number =>
    plans.filter(({ revision }) => revision === plan.revision).length;
  return plans.reduce<ProgramPlan | null>(
    (most, plan) => (most === null || count(plan) > count(most) ? plan : most),
    null,
  );
}

/** What the program has once a rollout of it has ended otherwise than well. */
export const planAfter = (rollout: Rollout): ProgramPlan | null =>
  rollout.reverting === null ? planBefore(rollout) : rollout.target;

/** What others may need to know of a program. */
export function neededOf(fleet: Fleet, name: ProgramName): Needed {
  const turns = rolloutUnderWay(fleet, name)?.turns.filter((turn) => isActive(turn) || isLate(turn)) ?? [];
  return { name, seats: stayingOf(fleet, name), turning: new Set(turns.map(({ id }) => id)) };
}

/** What a program waits for now, in words that are true now; null: for nothing. */
export const unmetOf = (fleet: Fleet, program: ProgramPlan): ReturnType<typeof firstUnmet> =>
  firstUnmet(program, (name) => fleet.needs.verdictsOf(name, () => neededOf(fleet, name)));
