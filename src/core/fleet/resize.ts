/** How many there are of a program, and which programs there are: the delta alone is touched. */
import { type InstanceId, instanceId, type ProgramName } from '../../base/ids.ts';
import { isSamePlan, needsNewRun, withLiveKeys } from '../change.ts';
import type { Because } from '../instance/because.ts';
import { type Instance, newInstance, type Wish } from '../instance/instance.ts';
import type { ProgramPlan } from '../plan.ts';
import type { Rollout, Turn } from '../rollout/rollout.ts';
import type { Changes } from './changes.ts';
import type { FleetEvent } from './event.ts';
import { rolloutUnderWay, seatsOf, stayingOf } from './fleet.ts';
import { forget } from './remember.ts';
import { adoptProgram, each, start, stop } from './requests.ts';
import { planBefore } from './view.ts';

type Request<T extends FleetEvent['type']> = Extract<FleetEvent, { type: T }>;

export function scale(changes: Changes, { program, instances }: Request<'scale'>): void {
  const { fleet } = changes;
  const plan = fleet.programs.get(program);
  if (plan === undefined || fleet.mode.kind !== 'running') return;
  setCount(changes, program, instances === plan.instances ? null : instances);
  const seats = stayingOf(fleet, program);
  const isUp = seats.length === 0 || seats.some(({ wish }) => wish.want === 'up');
  const added = resize(changes, plan, instances, 'scale');
  giveTurns(changes, program, added);
  if (isUp) start(changes, { type: 'start', ids: added, because: 'operator' });
}

export function reload(changes: Changes, { programs, shutdownTimeoutMs }: Request<'reload'>): void {
  const { fleet } = changes;
  if (fleet.mode.kind !== 'running') return;
  fleet.shutdownTimeoutMs = shutdownTimeoutMs;
  const fresh = new Set(programs.map(({ name }) => name));
  const removed = [...fleet.programs.keys()].filter((name) => !fresh.has(name));
  dropPrograms(changes, removed);
  const toStart = programs.flatMap((program) => {
    const before = fleet.programs.get(program.name);
    adoptProgram(changes, program);
    fleet.programs.delete(program.name); // it comes after those before it in the file
    fleet.programs.set(program.name, program);
    return before === undefined ? add(changes, program) : change(changes, before, program);
  });
  start(changes, { type: 'start', ids: toStart, because: 'start' });
  // What they need may be another program now.
  each(changes, [...fleet.instances.keys()], ({ phase }) =>
    phase.kind === 'waiting' ? { type: 'proceed' } : null,
  );
}

function dropPrograms(changes: Changes, names: readonly ProgramName[]): void {
  const { fleet } = changes;
  const seats = names.flatMap((name) => [...seatsOf(fleet, name).values()]);
  for (const name of names) {
    fleet.programs.delete(name);
    forget(changes, name);
    setCount(changes, name, null);
  }
  leave(changes, seats, 'reload');
}

const add = (changes: Changes, program: ProgramPlan): InstanceId[] => {
  const added = resize(changes, program, program.instances, 'reload');
  return program.autostart ? added : [];
};

/** What an operator has scaled keeps its number until the config says another. */
function change(changes: Changes, before: ProgramPlan, program: ProgramPlan): InstanceId[] {
  const { fleet } = changes;
  const seats = stayingOf(fleet, program.name);
  changeTarget(changes, program);
  // Without `each`: a seat that is not wanted takes all of the plan at once.
  for (const { id, wish, program: has } of seatsOf(fleet, program.name).values()) {
    const given = wish.want === 'up' && needsNewRun(has, program) ? withLiveKeys(has, program) : program;
    changes.toInstance(id, { type: 'adjust', program: given });
  }
  if (before.instances === program.instances) return [];
  setCount(changes, program.name, null);
  const isUp = seats.length === 0 ? program.autostart : seats.some(({ wish }) => wish.want === 'up');
  const added = resize(changes, program, program.instances, 'reload');
  return isUp ? added : [];
}

/** What takes effect at once, or at the next start, is not to be undone by the turns that are to come. */
function changeTarget(changes: Changes, program: ProgramPlan): void {
  const rollout = rolloutUnderWay(changes.fleet, program.name);
  if (rollout === undefined) return;
  const { target: old } = rollout;
  const target = needsNewRun(old, program) ? withLiveKeys(old, program) : program;
  const turns = rollout.turns.map((turn) => {
    const given = withLiveKeys(turn.before.program, program);
    return isSamePlan(given, turn.before.program)
      ? turn
      : { ...turn, before: { ...turn.before, program: given } };
  });
  // It may have been begun with the very plan that the others get now.
  if (isSamePlan(target, old) && turns.every((turn, i) => turn === rollout.turns[i])) return;
  changes.keepRollout({ ...rollout, target, turns }, rollout);
}

/** Says which seats are new, or are to stay although they were on their way out. */
function resize(changes: Changes, plan: ProgramPlan, count: number, because: Because): InstanceId[] {
  const { fleet } = changes;
  const seats = seatsOf(fleet, plan.name);
  const added: InstanceId[] = [];
  const wish = restingWish(stayingOf(fleet, plan.name));
  const rollout = rolloutUnderWay(fleet, plan.name);
  for (let index = 0; index < count; index++) {
    const id = instanceId(plan.name, index);
    const seat = seats.get(id);
    if (seat?.leaving === false) continue;
    changes.place(
      seat === undefined
        ? newSeat(changes, rollout, plan, id, index, wish)
        : {
            ...seat,
            leaving: false,
            program: nextPlan(seat, rollout, plan),
            wish: seat.wish.want === 'up' ? seat.wish : wish,
          },
    );
    changes.toInstance(id, { type: 'proceed' }); // an extra run may have waited for what is needed no more
    added.push(id);
  }
  const surplus = [...seats.values()]
    .filter(({ index, leaving }) => index >= count && !leaving)
    .sort((a, b) => a.index - b.index);
  leave(changes, surplus, because); // which takes the last one first
  const removed = surplus.map(({ id }) => id);
  if (added.length + removed.length > 0) {
    changes.announce({ type: 'scaled', program: plan.name, added, removed });
  }
  return added;
}

/** Until somebody starts it, a new one is as the others are: where the operator has stopped all of them, so it is. */
const restingWish = (others: readonly Instance[]): Wish => {
  const isStopped = ({ wish }: Instance): boolean => wish.want === 'down' && wish.because === 'operator';
  return { want: 'down', because: others.length > 0 && others.every(isStopped) ? 'operator' : 'start' };
};

/** In the middle of a rollout it is as those whose turn has not come, and has a turn itself. */
function newSeat(
  changes: Changes,
  rollout: Rollout | undefined,
  plan: ProgramPlan,
  id: InstanceId,
  index: number,
  wish: Wish,
): Instance {
  const { fleet } = changes;
  const old = rollout === undefined ? null : oldest(rollout);
  const generation = old?.generation ?? fleet.generations.get(plan.name) ?? 0;
  return { ...newInstance(id, index, old?.program ?? plan, wish), generation };
}

/** Who stays after all, and has had its turn, keeps what it has. */
function nextPlan(seat: Instance, rollout: Rollout | undefined, plan: ProgramPlan): ProgramPlan {
  if (rollout === undefined || seat.generation === rollout.generation) return plan;
  return oldest(rollout)?.program ?? plan;
}

/** On the way back the target is what is to be gone back to: whoever comes has that at once. */
function oldest(rollout: Rollout): Turn['before'] | null {
  if (rollout.reverting !== null) return null;
  const program = planBefore(rollout);
  const generations = rollout.turns.filter(({ extra }) => !extra).map(({ before }) => before.generation);
  return program === null ? null : { program, generation: Math.min(...generations) };
}

/** Those who came while a rollout was under way have their turns at its end. */
function giveTurns(changes: Changes, program: ProgramName, ids: readonly InstanceId[]): void {
  const { fleet } = changes;
  const rollout = rolloutUnderWay(fleet, program);
  if (rollout === undefined || rollout.reverting !== null) return;
  const known = new Set(rollout.turns.map(({ id }) => id));
  const fresh = ids.flatMap((id): Turn[] => {
    const seat = fleet.instances.get(id);
    if (seat === undefined || seat.generation === rollout.generation) return [];
    const { program: plan, generation } = seat;
    return [{ id, extra: false, before: { program: plan, generation }, step: { kind: 'pending' } }];
  });
  // Who had left and is to stay after all has a turn that is over: that one does not count any more.
  const kept = rollout.turns.filter(({ id }) => !fresh.some((turn) => turn.id === id) || !known.has(id));
  if (fresh.length > 0) changes.keepRollout({ ...rollout, turns: [...kept, ...fresh] }, rollout);
}

function leave(changes: Changes, seats: readonly Instance[], because: Because): void {
  for (const seat of seats) changes.place({ ...seat, leaving: true });
  stop(
    changes,
    seats.map(({ id }) => id),
    'drain',
    because,
  );
}

function setCount(changes: Changes, program: ProgramName, instances: number | null): void {
  const { counts } = changes.fleet;
  if ((counts.get(program) ?? null) === instances) return;
  if (instances === null) counts.delete(program);
  else counts.set(program, instances);
  changes.effects.push({ type: 'record', what: { kind: 'count', program, instances } });
}
