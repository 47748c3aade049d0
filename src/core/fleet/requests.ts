/** What people ask of the fleet: to start, stop and restart instances, and to signal them. */
import { after } from '../../base/clock.ts';
import type { InstanceId, ProgramName } from '../../base/ids.ts';
import { isSamePlan } from '../change.ts';
import type { Because } from '../instance/because.ts';
import type { InstanceEvent } from '../instance/event.ts';
import { type Instance, isAtRest } from '../instance/instance.ts';
import { bodyOf, type How } from '../instance/phase.ts';
import type { ProgramPlan } from '../plan.ts';
import type { RolloutEvent } from '../rollout/event.ts';
import { isOver, type Rollout } from '../rollout/rollout.ts';
import type { Changes } from './changes.ts';
import type { FleetEvent } from './event.ts';
import { type Fleet, rolloutUnderWay, stayingOf } from './fleet.ts';
import { remember } from './remember.ts';

type Request<T extends FleetEvent['type']> = Extract<FleetEvent, { type: T }>;

export function start(changes: Changes, { ids, because }: Request<'start'>): void {
  const { fleet } = changes;
  if (fleet.mode.kind !== 'running') return; // going down: nothing is begun any more
  const chosen = new Set(ids.filter((id) => fleet.instances.get(id)?.leaving === false));
  const needed = neededBy(fleet, chosen);
  for (const { id } of inOrder(fleet, [...needed, ...chosen])) {
    changes.toInstance(id, { type: 'start', because: chosen.has(id) ? because : 'dependency' });
  }
}

/** What these need, and what that needs, as far as it is down and nobody has wanted it so. */
function neededBy(fleet: Fleet, ids: ReadonlySet<InstanceId>, planFor: PlanFor = ownPlan): InstanceId[] {
  const found = new Set<ProgramName>();
  const queue = instancesOf(fleet, ids).map(planFor);
  for (let program = queue.pop(); program !== undefined; program = queue.pop()) {
    // The keys of a plan's dependencies are names of programs.
    for (const name of Object.keys(program.dependsOn) as ProgramName[]) {
      if (found.has(name)) continue;
      found.add(name);
      const needed = fleet.programs.get(name);
      if (needed !== undefined) queue.push(needed);
    }
  }
  const isFree = ({ id, wish }: Instance): boolean =>
    wish.want === 'down' && !ids.has(id) && wish.because !== 'operator' && wish.because !== 'reload';
  return [...found].flatMap((name) => stayingOf(fleet, name).filter(isFree)).map(({ id }) => id);
}

/** The plan that counts of an instance. */
type PlanFor = (instance: Instance) => ProgramPlan;

const ownPlan: PlanFor = ({ program }) => program;

const instancesOf = (fleet: Fleet, ids: Iterable<InstanceId>): Instance[] =>
  [...ids].flatMap((id) => fleet.instances.get(id) ?? []);

/** What others among these need comes first, so that they wait for all of it; otherwise the lowest priority does. */
export function inOrder(fleet: Fleet, ids: readonly InstanceId[], planFor: PlanFor = ownPlan): Instance[] {
  const instances = instancesOf(fleet, ids);
  const seats = new Map<ProgramName, Instance[]>();
  for (const instance of instances.toSorted((a, b) => a.program.priority - b.program.priority)) {
    const own = seats.get(instance.program.name);
    if (own === undefined) seats.set(instance.program.name, [instance]);
    else own.push(instance);
  }
  const ordered: Instance[] = [];
  const placed = new Set<ProgramName>();
  const place = (name: ProgramName): void => {
    if (placed.has(name)) return;
    placed.add(name);
    const own = seats.get(name) ?? [];
    // The keys of a plan's dependencies are names of programs.
    for (const seat of own) for (const on of Object.keys(planFor(seat).dependsOn)) place(on as ProgramName);
    ordered.push(...own);
  };
  for (const name of seats.keys()) place(name);
  return ordered;
}

/** Who is needed by others that end as well is only wished down; their rest sets it free. */
export function stop(changes: Changes, ids: readonly InstanceId[], how: How, because: Because): void {
  const { fleet } = changes;
  const instances = inOrder(fleet, ids).reverse();
  const alive = instances.filter((instance) => !isAtRest(instance));
  const free = how === 'kill' ? null : fleet.stopOrder.begin(alive, endingAlready(fleet, how), how, because);
  for (const instance of instances) {
    const isHeld = free !== null && !free.has(instance.id) && !isAtRest(instance);
    changes.toInstance(instance.id, { type: 'stop', because, how: isHeld ? 'later' : how });
  }
}

/** Whoever drains may need what is to be stopped now; who insists does not wait for that. */
function endingAlready(fleet: Fleet, how: How): Instance[] {
  if (how !== 'drain') return [];
  return [...fleet.instances.values()].filter(
    (instance) => instance.wish.want === 'down' && !isAtRest(instance),
  );
}

export function restart(changes: Changes, { ids, programs }: Request<'restart'>): void {
  const { fleet } = changes;
  if (fleet.mode.kind !== 'running') return;
  const plans = new Map(programs.map((program) => [program.name, program]));
  const chosen = new Set(ids.filter((id) => fleet.instances.get(id)?.leaving === false)); // the others go by themselves
  const down = new Set([...chosen].filter((id) => fleet.instances.get(id)?.wish.want === 'down'));
  // A rollout's target is not changed under it.
  const givenTo = ({ program }: Instance): ProgramPlan | undefined =>
    rolloutUnderWay(fleet, program.name) === undefined ? plans.get(program.name) : undefined;
  // All first: who needs whom from now on decides what is taken along, and in which order.
  for (const instance of instancesOf(fleet, chosen)) {
    const given = givenTo(instance);
    if (given !== undefined) adoptProgram(changes, given);
  }
  const planFor: PlanFor = (instance) =>
    (chosen.has(instance.id) ? givenTo(instance) : undefined) ?? instance.program;
  const needed = neededBy(fleet, down, planFor).filter((id) => !chosen.has(id));
  for (const instance of inOrder(fleet, [...needed, ...chosen], planFor)) {
    const { id } = instance;
    if (chosen.has(id)) restartOne(changes, instance, planFor(instance));
    else changes.toInstance(id, { type: 'start', because: 'dependency' });
  }
}

function restartOne(changes: Changes, instance: Instance, program: ProgramPlan): void {
  const { id, wish, generation, phase } = instance;
  if (wish.want === 'down') {
    changes.toInstance(id, { type: 'start', because: 'operator', program });
    if (!isUntouched(phase)) return;
  }
  changes.toInstance(id, { type: 'replace', because: 'operator', program, generation, onTimeout: 'stop' });
}

/** It works, or is about to, although nobody wants it: others are to end before it. */
const isUntouched = (phase: Instance['phase']): boolean =>
  phase.kind === 'starting' || phase.kind === 'running' || ('end' in phase && phase.end === null);

/** Who is down, or waits for its time, takes on the plan for its next start. */
export function takePlan(changes: Changes, { program, ids }: Request<'take_plan'>): void {
  adoptProgram(changes, program);
  adoptPlan(changes, ids, program, changes.fleet.generations.get(program.name) ?? 0);
}

/** As the config has it: what an earlier rollout went back to counts no more. */
export function adoptProgram(changes: Changes, plan: ProgramPlan): void {
  const { fleet, effects } = changes;
  const before = fleet.programs.get(plan.name);
  fleet.programs.set(plan.name, plan);
  if (before === undefined || isSamePlan(before, plan)) return;
  remember(changes, plan, false);
  effects.push({ type: 'record', what: { kind: 'program', program: plan.name, plan: null } });
}

export function adoptPlan(
  changes: Changes,
  ids: readonly InstanceId[],
  program: Rollout['target'],
  generation: number,
): void {
  each(changes, ids, (instance) => {
    const scheduled = program.schedule !== null && instance.program.schedule !== null;
    if (instance.wish.want === 'down') {
      return { type: 'replace', because: 'operator', program, generation, onTimeout: 'stop' };
    }
    return scheduled ? { type: 'adjust', program } : null;
  });
}

export function signal(changes: Changes, { ids, signal, tree }: Request<'signal'>): void {
  for (const id of ids) {
    const instance = changes.fleet.instances.get(id);
    const run = instance === undefined ? undefined : bodyOf(instance.phase)?.life.run;
    if (instance === undefined || run === undefined) continue;
    if (!tree && 'ending' in instance.phase && instance.phase.ending.exit !== null) continue; // it has no leader any more
    const to = tree ? 'tree' : 'leader';
    changes.effects.push({ type: tree ? 'signal_tree' : 'signal', run, signal, instance });
    changes.announce({ type: 'signalled', run, signal, to, id, program: instance.program.name });
  }
}

/** `fault`: what made it, other than the operator. */
export function shutDown(
  changes: Changes,
  { how, timeoutMs }: Omit<Request<'shutdown'>, 'type'>,
  fault: string | null,
): void {
  const { fleet, now } = changes;
  const { mode } = fleet;
  if (mode.kind === 'down') return;
  const first = mode.kind === 'running';
  const before = first ? null : mode.deadline;
  const deadline = timeoutMs === null ? before : after(now.mono, timeoutMs);
  fleet.mode = {
    kind: 'shutting_down',
    since: first ? now : mode.since,
    deadline,
    fault: first ? fault : mode.fault,
  };
  if (first) changes.announce({ type: 'shutting_down', fault });
  changes.rearm({ of: 'shutdown' }, deadline);
  const alive = [...fleet.instances.values()].filter(
    (instance) => instance.wish.want === 'up' || !isAtRest(instance),
  );
  stop(
    changes,
    alive.map(({ id }) => id),
    how,
    'shutdown',
  );
  // After the stops: an abort starts again what it finds down although it is wanted.
  for (const rollout of fleet.rollouts.values()) {
    if (!isOver(rollout)) changes.toRollout(rollout.id, SHUT_DOWN);
  }
}

const SHUT_DOWN: RolloutEvent = { type: 'abort', why: 'the daemon was shut down' };

/** The shutdown as a whole has taken too long: no drain is waited for any more. */
export function shutdownDue(changes: Changes): void {
  const { mode, instances } = changes.fleet;
  if (mode.kind !== 'shutting_down' || mode.deadline === null || changes.now.mono < mode.deadline) return;
  changes.fleet.mode = { ...mode, deadline: null };
  stop(changes, [...instances.keys()], 'now', 'shutdown');
}

export function each(
  changes: Changes,
  ids: readonly InstanceId[],
  event: (instance: Instance) => InstanceEvent | null,
): void {
  for (const id of ids) {
    const instance = changes.fleet.instances.get(id);
    const what = instance === undefined ? null : event(instance);
    if (what !== null) changes.toInstance(id, what);
  }
}
