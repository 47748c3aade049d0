/** A rolling restart on a bench of four: begun, looked at, steered, one turn after another. */
import { revision } from '../../src/base/ids.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { ProgramPlan, RolloutPlan } from '../../src/core/plan.ts';
import type { Rollout } from '../../src/core/rollout/rollout.ts';
import { BEGIN, type Change, Fleets, program } from './rig.ts';

export type Begin = Partial<Extract<FleetEvent, { type: 'begin_rollout' }>>;

export const fresh = (rollout: Partial<RolloutPlan> = {}, change: Change = {}): ProgramPlan =>
  program({ instances: 4, revision: revision('two'), rollout, ...change });
export const begin = (fleets: Fleets, target: ProgramPlan, how: Begin = {}): Fleets =>
  fleets.take({ ...BEGIN, program: target, ids: fleets.ids(), maxParallel: 1, ...how });
export const rolling = (target: ProgramPlan, how: Begin = {}, old: Change = {}): Fleets =>
  begin(new Fleets([program({ instances: 4, ...old })]).allReady(), target, how);
export const rolloutOf = (fleets: Fleets): Rollout => {
  const rollout = [...fleets.fleet.rollouts.values()].at(-1);
  if (rollout === undefined) throw new Error('no rollout');
  return rollout;
};
export const turns = (fleets: Fleets): string =>
  rolloutOf(fleets)
    .turns.map(({ step }) => step.kind)
    .join(' ');
export const steer = (fleets: Fleets, command: 'pause' | 'resume' | 'promote' | 'abort' | 'revert'): Fleets =>
  fleets.take({ type: 'steer_rollout', id: rolloutOf(fleets).id, command });
export const look = (fleets: Fleets, ms: number): Fleets => {
  fleets.now += ms;
  return fleets.due({ of: 'rollout', id: rolloutOf(fleets).id });
};
export const healthy = (fleets: Fleets, index: number): Fleets => look(fleets.ready(index), 500);
export const turn = (fleets: Fleets, index: number): Fleets => healthy(fleets.gone(index), index);
/** It ends by itself before it is ready. */
export const crash = (fleets: Fleets, index: number): Fleets => fleets.spawned(index).gone(index, 1);
export const revisions = (fleets: Fleets): string =>
  [...fleets.fleet.instances.values()].map(({ program: { revision: of } }) => of).join(' ');
export const records = (fleets: Fleets, kind: string): unknown[] =>
  fleets.effects.flatMap((effect) =>
    effect.type === 'record' && effect.what.kind === kind ? [effect.what] : [],
  );
