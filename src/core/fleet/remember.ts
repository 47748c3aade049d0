/** Keeps the plans that a program has had, and notes which of them was whole. */
import type { Moment } from '../../base/clock.ts';
import type { ProgramName } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import { lifeOf } from '../instance/phase.ts';
import type { ProgramPlan } from '../plan.ts';
import { isWhole } from '../rollout/obstacle.ts';
import type { FleetEffect } from './effect.ts';
import type { Fleet } from './fleet.ts';
import { type PastPlan, REVISIONS_KEPT } from './revisions.ts';

/** An event being taken, as far as it is of interest here. */
interface Changes {
  readonly fleet: Fleet;
  readonly now: Moment;
  readonly effects: FleetEffect[];
}

/** All wanted instances of it work, and with the same plan: that is one to go back to. */
export function noteWhole(changes: Changes, program: ProgramName): void {
  const { fleet } = changes;
  const before = fleet.notWhole.get(program);
  if (before !== undefined && isInTheWay(fleet.instances.get(before))) return; // asked at each change: most end here
  fleet.notWhole.delete(program);
  let plan: ProgramPlan | null = null;
  for (const id of fleet.seats.get(program) ?? []) {
    const seat = fleet.instances.get(id);
    if (seat === undefined || seat.leaving || seat.wish.want === 'down') continue;
    if (!isWhole(seat)) {
      fleet.notWhole.set(program, id);
      return;
    }
    const own: ProgramPlan = lifeOf(seat.phase)?.program ?? seat.program;
    if (plan !== null && plan.revision !== own.revision) return;
    plan = own;
  }
  if (plan !== null) remember(changes, plan, true);
}

const isInTheWay = (seat: Instance | undefined): boolean =>
  seat !== undefined && !seat.leaving && seat.wish.want === 'up' && !isWhole(seat);

/** The newest last. What was whole once stays so. */
export function remember(changes: Changes, plan: ProgramPlan, whole: boolean): void {
  const { fleet, now } = changes;
  const past = fleet.revisions.get(plan.name) ?? [];
  const known = past.find((entry) => entry.plan.revision === plan.revision);
  const isNewest = known !== undefined && past.at(-1) === known;
  if (isNewest && (known.whole || !whole)) return;
  const entry = { plan, at: isNewest ? known.at : now.wall, whole: whole || known?.whole === true };
  const revisions = lastOf([...past.filter((other) => other !== known), entry]);
  fleet.revisions.set(plan.name, revisions);
  changes.effects.push({ type: 'record', what: { kind: 'revisions', program: plan.name, revisions } });
}

/** However many builds have been tried since: the last one that was whole is the way back. */
function lastOf(past: readonly PastPlan[]): readonly PastPlan[] {
  const last = past.slice(-REVISIONS_KEPT);
  const whole = past.findLast((entry) => entry.whole);
  return whole === undefined || last.includes(whole) ? last : [whole, ...last.slice(1)];
}

/** The config has it no more. */
export function forget({ fleet, effects }: Changes, program: ProgramName): void {
  if (fleet.revisions.delete(program)) {
    effects.push({ type: 'record', what: { kind: 'revisions', program, revisions: [] } });
  }
  effects.push({ type: 'record', what: { kind: 'program', program, plan: null } });
}
