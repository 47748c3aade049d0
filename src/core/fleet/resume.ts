/** Rollouts of a daemon that has died: they go on where they were, with the time that their deadlines have left. */
import type { InstanceId, ProgramName, RolloutId } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import { lifeOf } from '../instance/phase.ts';
import type { ProgramPlan } from '../plan.ts';
import { isActive, isOver, type Rollout, type Turn, type TurnStep } from '../rollout/rollout.ts';
import type { FleetEvent } from './event.ts';

interface Halted {
  readonly programs: ReadonlyMap<ProgramName, ProgramPlan>;
  readonly instances: Map<InstanceId, Instance>;
  readonly rollouts: Map<RolloutId, Rollout>;
}

/** Puts them into a fleet whose seats are there already. One whose program the config has no more is given up. */
export function restoreRollouts(fleet: Halted, rollouts: readonly Rollout[]): void {
  for (const rollout of rollouts) {
    if (isOver(rollout) || !fleet.programs.has(rollout.program)) continue;
    for (const turn of rollout.turns) {
      const seat = fleet.instances.get(turn.id);
      if (seat !== undefined) fleet.instances.set(turn.id, withPlan(seat, turn, rollout));
    }
    const turns = rollout.turns.map((turn) => ({
      ...turn,
      step: asFound(turn, fleet.instances.get(turn.id)),
    }));
    keepBefore(fleet, rollout);
    fleet.rollouts.set(rollout.id, { ...rollout, turns });
  }
}

/** Who has no turn, and no process, is started with what those had that have one: nobody has judged the target yet. */
function keepBefore(fleet: Halted, { program, turns, target, generation, reverting }: Rollout): void {
  const known = new Set(turns.map(({ id }) => id));
  const first = turns.find(({ extra }) => !extra);
  for (const seat of fleet.instances.values()) {
    if (seat.program.name !== program || known.has(seat.id) || isAlive(seat) || first === undefined) continue;
    const plan = reverting === null ? first.before : { program: target, generation };
    fleet.instances.set(seat.id, { ...seat, ...plan });
  }
}

/** Whose turn has not come is started again with what it had, whatever the config says meanwhile. */
function withPlan(seat: Instance, turn: Turn, { target, generation, reverting }: Rollout): Instance {
  // It is still to be taken back, known by its generation, and until then what it was.
  if (isAlive(seat) && seat.generation === reverting?.from) return asItRuns(seat);
  const isTouched = isAlive(seat)
    ? seat.generation === generation
    : turn.extra || turn.step.kind !== 'pending';
  return { ...seat, ...(isTouched ? { program: target, generation } : turn.before) };
}

function asItRuns(seat: Instance): Instance {
  const life = lifeOf(seat.phase);
  return life?.generation === seat.generation ? { ...seat, program: life.program } : seat;
}

const isAlive = ({ phase }: Instance): boolean => lifeOf(phase) !== null;

function asFound({ step, extra }: Turn, seat: Instance | undefined): TurnStep {
  const run = seat === undefined ? null : (lifeOf(seat.phase)?.run ?? null);
  if (extra && run === null) return isNeeded(step) ? { kind: 'pending' } : step;
  switch (step.kind) {
    case 'checking':
    case 'starting':
    case 'settling':
      // Nobody knows whether it was ever begun: another one is tried, and counts.
      if (run !== step.newRun) return { kind: 'draining', since: step.began, oldRun: step.newRun };
      // The answer is lost: it is asked anew.
      return step.kind === 'checking'
        ? { ...step, kind: 'settling', healthyAt: step.since.mono, deadline: null }
        : step;
    default:
      return step;
  }
}

/** An extra one that is to be begun anew. */
const isNeeded = (step: TurnStep): boolean =>
  step.kind === 'serving' || isActive({ step }) || step.kind === 'pending';

/** What makes them go on: all that had or will have a turn is wanted, and each is looked at. */
export function resumeRollouts(fleet: Halted): FleetEvent[] {
  const open = [...fleet.rollouts.values()].filter((rollout) => !isOver(rollout));
  const ids = open.flatMap(({ turns }) =>
    turns
      .filter(({ id, step }) => step.kind !== 'skipped' && isForgotten(fleet.instances.get(id)))
      .map(({ id }) => id),
  );
  const start: FleetEvent[] = ids.length === 0 ? [] : [{ type: 'start', ids, because: 'start' }];
  return [...start, ...open.map(({ id }) => ({ type: 'due', timer: { of: 'rollout', id } }) as const)];
}

/** Down, because nobody has wanted anything of this daemon yet. */
const isForgotten = (seat: Instance | undefined): boolean =>
  seat?.wish.want === 'down' && seat.wish.because === 'start' && !seat.leaving;

/** Extra instances of theirs, which stay although the config does not have them. */
export const extrasOf = (rollouts: readonly Rollout[]): Set<InstanceId> =>
  new Set(
    rollouts
      .filter((rollout) => !isOver(rollout))
      .flatMap(({ turns }) => turns.filter(({ extra }) => extra).map(({ id }) => id)),
  );
