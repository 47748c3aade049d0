/** A rolling restart is asked for: whom it turns, with how many extra ones, and what it takes over. */
import { type InstanceId, instanceId, type RolloutId, rolloutId } from '../../base/ids.ts';
import type { ProgramPlan } from '../plan.ts';
import { isWorthKeeping } from '../rollout/back.ts';
import { type Canary, isOver, isTouched, type Rollout, type Turn } from '../rollout/rollout.ts';
import type { Changes } from './changes.ts';
import type { FleetEvent } from './event.ts';
import { rolloutUnderWay, seatsOf } from './fleet.ts';
import { noteWhole, remember } from './remember.ts';
import { adoptPlan, adoptProgram } from './requests.ts';

type Begin = Extract<FleetEvent, { type: 'begin_rollout' }>;

export function beginRollout(changes: Changes, event: Begin): void {
  const { fleet, now } = changes;
  const { program, ids, maxParallel, cause } = event;
  if (fleet.mode.kind !== 'running') return;
  const old = rolloutUnderWay(fleet, program.name);
  if (old !== undefined && !event.replaces) return; // one at a time: they would undo each other
  noteWhole(changes, program.name);
  const id = fleet.nextRollout;
  fleet.nextRollout = rolloutId(id + 1);
  const turns = turnsOf(changes, ids, old); // before the old one lets go of them
  if (old !== undefined) replaceOld(changes, old, id, new Set(ids));
  const generation = (fleet.generations.get(program.name) ?? 0) + 1;
  adoptProgram(changes, program);
  remember(changes, program, false);
  const after = event.after !== null && fleet.rollouts.has(event.after) ? event.after : null;
  const rollout: Rollout = {
    id,
    program: program.name,
    state: 'running',
    reason: null,
    blocker: null,
    target: program,
    generation,
    maxParallel,
    canary: canaryOf(event),
    notBefore: null,
    checks: 0,
    drains: [],
    killed: [],
    after,
    cause,
    reverting: null,
    startedAt: now,
    endedAt: null,
    turns: [...extrasOf(changes, program, event.surge, generation), ...turns],
  };
  changes.keepRollout(rollout, undefined);
  adoptPlan(changes, ids, program, generation);
  changes.toRollout(id, { type: 'look' });
}

function turnsOf({ fleet }: Changes, ids: readonly InstanceId[], old: Rollout | undefined): Turn[] {
  return ids.flatMap((id) => {
    const instance = fleet.instances.get(id);
    if (instance === undefined || instance.leaving) return []; // it goes when it has ended
    const turn = old?.turns.find((other) => other.id === id);
    const isProved =
      old === undefined || turn === undefined || !isTouched(old, instance) || isWorthKeeping(turn, instance);
    const before = isProved ? { program: instance.program, generation: instance.generation } : turn.before;
    return [{ id, extra: false, before, step: { kind: 'pending' } as const }];
  });
}

/** What it has in motion is taken over; whoever waited for it waits for the new one. */
function replaceOld(changes: Changes, old: Rollout, by: RolloutId, keep: ReadonlySet<InstanceId>): void {
  const { fleet } = changes;
  for (const other of fleet.rollouts.values()) {
    if (other.after === old.id && !isOver(other)) changes.keepRollout({ ...other, after: by }, other);
  }
  changes.toRollout(old.id, { type: 'abort', why: `replaced by rollout ${by}`, keep });
}

const canaryOf = ({ canary: count, ids }: Begin): Canary =>
  count === 0 || count >= ids.length ? { kind: 'none' } : { kind: 'first', count };

/** A program that runs to completion, or at times, has no capacity that could drop. */
export const takesExtras = ({ schedule, restart }: ProgramPlan): boolean =>
  schedule === null && restart !== 'never';

/** The next numbers. */
function extrasOf({ fleet }: Changes, program: ProgramPlan, surge: number, generation: number): Turn[] {
  if (!takesExtras(program)) return [];
  const seats = [...seatsOf(fleet, program.name).values()];
  const first = seats.reduce((next, { index }) => Math.max(next, index + 1), 0);
  return Array.from({ length: surge }, (_, i) => ({
    id: instanceId(program.name, first + i),
    extra: true,
    before: { program, generation },
    step: { kind: 'pending' },
  }));
}
