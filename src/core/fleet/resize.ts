/** How many there are of a program, and which programs there are: the delta alone is touched. */
import { type InstanceId, instanceId, type ProgramName } from '../../base/ids.ts';
import { isSamePlan, needsNewRun, withLiveKeys } from '../change.ts';
import type { Because } from '../instance/because.ts';
import { type Instance, newInstance, type Wish } from '../instance/instance.ts';
import type { ProgramPlan } from '../plan.ts';
import type { Changes } from './changes.ts';
import type { FleetEvent } from './event.ts';
import { rolloutUnderWay, seatsOf, stayingOf } from './fleet.ts';
import { each, start, stop } from './requests.ts';

type Request<T extends FleetEvent['type']> = Extract<FleetEvent, { type: T }>;

export function scale(changes: Changes, { program, instances }: Request<'scale'>): void {
  const { fleet } = changes;
  const plan = fleet.programs.get(program);
  if (plan === undefined || fleet.mode.kind !== 'running') return;
  if (rolloutUnderWay(fleet, program) !== undefined) return; // its turns are given out
  setCount(changes, program, instances === plan.instances ? null : instances);
  const seats = stayingOf(fleet, program);
  const isUp = seats.length === 0 || seats.some(({ wish }) => wish.want === 'up');
  const added = resize(changes, plan, instances, 'scale');
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
  if (isSamePlan(target, old)) return;
  const turns = rollout.turns.map((turn) => ({
    ...turn,
    before: { ...turn.before, program: withLiveKeys(turn.before.program, program) },
  }));
  changes.keepRollout({ ...rollout, target, turns }, rollout);
}

/** Says which seats are new, or are to stay although they were on their way out. */
function resize(changes: Changes, plan: ProgramPlan, count: number, because: Because): InstanceId[] {
  const { fleet } = changes;
  const seats = seatsOf(fleet, plan.name);
  const added: InstanceId[] = [];
  const wish = restingWish(stayingOf(fleet, plan.name));
  for (let index = 0; index < count; index++) {
    const id = instanceId(plan.name, index);
    const seat = seats.get(id);
    if (seat?.leaving === false) continue;
    changes.place(
      seat === undefined
        ? newSeat(changes, plan, id, index, wish)
        : { ...seat, leaving: false, program: plan, wish: seat.wish.want === 'up' ? seat.wish : wish },
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

function newSeat({ fleet }: Changes, plan: ProgramPlan, id: InstanceId, index: number, wish: Wish): Instance {
  const generation = fleet.generations.get(plan.name) ?? 0;
  return { ...newInstance(id, index, plan, wish), generation };
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
