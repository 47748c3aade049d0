/** Finds what an earlier daemon has left running, so that no second copy of anything is started. */
import { type Moment, wall } from '../base/clock.ts';
import type { InstanceId, Pid, ProgramName, Run } from '../base/ids.ts';
import { withLiveKeys } from '../core/change.ts';
import type { FleetEvent } from '../core/fleet/event.ts';
import type { Fleet, Memory } from '../core/fleet/fleet.ts';
import { extrasOf } from '../core/fleet/resume.ts';
import { type Instance, newInstance } from '../core/instance/instance.ts';
import { type Life, lifeOf, newlyRunning, type Phase, silent } from '../core/instance/phase.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Processes, Unrecorded } from '../ports/processes.ts';
import { momentOf } from './record.ts';

/** The plan of that revision, where it was written down. */
export type PlanOf = (program: ProgramName, revision: string) => ProgramPlan | null;

/** What an earlier daemon knew, and what it was about to do. */
export interface Known {
  readonly memory: Memory;
  /** Gets the leaders that are found. */
  readonly identities: Map<Run, string>;
  readonly begun: ReadonlyMap<Run, Instance>;
  readonly planOf: PlanOf;
}

export interface Recalled {
  readonly memory: Memory;
  /** Runs that the last daemon was about to begin, and did. */
  readonly begun: readonly { readonly run: Run; readonly pid: Pid }[];
  /** Of which nothing was written down, or nothing that can be read. */
  readonly unwritten: readonly Stray[];
  /** Likewise, and nobody knows what program it is. */
  readonly nobodys: readonly Stray[];
}

interface Stray {
  readonly id: string;
  readonly pid: Pid;
}

/** Adds to the memory the runs that were begun just before the last daemon died, and whose leaders nobody had written down. */
export function recall(
  { memory, identities, begun, planOf }: Known,
  plan: Plan,
  processes: Pick<Processes, 'unrecorded'>,
  now: Moment,
): Recalled {
  const alive = new Map(memory.alive);
  const found = new Map<Run, Pid>();
  const unwritten: Stray[] = [];
  const nobodys: Stray[] = [];
  for (const one of processes.unrecorded(new Set(identities.keys()))) {
    const known = begun.get(one.run);
    const instance = known ?? instanceOf(one, plan, memory, planOf, now);
    if (known === undefined)
      (instance === null ? nobodys : unwritten).push({ id: one.instance, pid: one.pid });
    if (instance === null) continue;
    // A slot has one run at a time, and the next begins when nothing is left of the last: so the newer one is alive.
    if (one.run < (alive.get(instance.id)?.lastRun ?? 0)) continue;
    alive.set(instance.id, instance);
    identities.set(one.run, one.identity);
    if (known !== undefined) found.set(one.run, one.pid);
  }
  const counts = countsWith(unwritten, plan, memory.counts);
  for (const [id, instance] of alive) {
    const fresh = freshFor(instance, plan, memory.rollouts);
    if (fresh !== null) alive.set(id, upToDate(instance, fresh));
  }
  const still = [...found].filter(([run]) => [...alive.values()].some(({ lastRun }) => lastRun === run));
  const taken = still.map(([run, pid]) => ({ run, pid }));
  return { memory: { ...memory, alive, counts }, begun: taken, unwritten, nobodys };
}

/**
 * Somebody may have scaled it, and that may be what could not be written down or read: where nothing is known of how
 * many there are to be, none that works is too many.
 */
function countsWith(unwritten: readonly Stray[], plan: Plan, known: Memory['counts']): Memory['counts'] {
  const counts = new Map(known);
  for (const { id } of unwritten) {
    const program = plan.programs.find(({ name }) => name === id.slice(0, id.lastIndexOf(':')));
    if (program === undefined || known.has(program.name)) continue;
    const count = Number(id.slice(id.lastIndexOf(':') + 1)) + 1;
    if (count > (counts.get(program.name) ?? program.instances)) counts.set(program.name, count);
  }
  return counts;
}

/**
 * Where a run has what takes effect at once from: what the config says now, also where it has changed while no daemon
 * ran; with a rollout under way, what its turn says. Null: what was written down of it.
 */
function freshFor(
  { id, program, phase }: Instance,
  plan: Plan,
  rollouts: readonly Rollout[],
): ProgramPlan | null {
  const rollout = rollouts.find((one) => one.program === program.name);
  if (rollout === undefined) return plan.programs.find(({ name }) => name === program.name) ?? null;
  const generation = lifeOf(phase)?.generation;
  if (generation === rollout.generation) return rollout.target;
  const before = rollout.turns.find((turn) => turn.id === id)?.before;
  return before?.generation === generation ? (before?.program ?? null) : null;
}

function upToDate(instance: Instance, fresh: ProgramPlan): Instance {
  const { phase } = instance;
  if (!('body' in phase)) return instance;
  const life = { ...phase.body.life, program: withLiveKeys(phase.body.life.program, fresh) };
  return { ...instance, phase: { ...phase, body: { ...phase.body, life } } };
}

/** Taken for a working one: it was started to work, and nothing is known that says otherwise. */
function instanceOf(
  { run, pid, instance, ageMs, revision, generation: bears }: Unrecorded,
  plan: Plan,
  { generations }: Memory,
  planOf: PlanOf,
  now: Moment,
): Instance | null {
  const [name, index] = [instance.slice(0, instance.lastIndexOf(':')), Number(instance.split(':').at(-1))];
  // What it was begun with, as far as anybody knows; what comes next has what the config says.
  const own = revision === null || name === undefined ? null : planOf(name as ProgramName, revision);
  const program = plan.programs.find((candidate) => candidate.name === name) ?? own;
  if (program === null || !Number.isSafeInteger(index)) return null;
  const generation = generations.get(program.name) ?? 0;
  const life: Life = {
    run,
    program: own ?? program,
    generation: own === null || bears === null ? generation : bears,
    because: 'start',
    startedAt: momentOf(wall(now.wall - ageMs), now),
  };
  return {
    ...newInstance(instance as InstanceId, index, program, { want: 'up', because: 'start' }), // from its environment
    generation,
    phase: newlyRunning({ life, pid, readyAt: now, said: silent(life.program) }, now),
    lastRun: run,
  };
}

/**
 * What still works although nobody wants it: the config does not have it any more, or it was to end after others when
 * the last daemon died. It may finish its jobs.
 */
export function unwanted(fleet: Fleet): FleetEvent[] {
  const ids = new Map<Stopped, InstanceId[]>();
  const led = extrasOf([...fleet.rollouts.values()]);
  for (const { id, wish, phase } of fleet.instances.values()) {
    // One that its rollout has asked to go is that rollout's to wait for.
    const isLed = led.has(id) && phase.kind === 'draining';
    if (wish.want === 'up' || isLed || !isToEnd(phase)) continue;
    const because = STOPPED.find((reason) => reason === wish.because) ?? 'reload';
    ids.set(because, [...(ids.get(because) ?? []), id]);
  }
  return [...ids].map(([because, some]) => ({ type: 'stop', ids: some, how: 'drain', because }));
}

/** Whose drain is over its time already: whoever was still to be asked is, before anything is heard of it. */
export function toAsk(fleet: Fleet): FleetEvent[] {
  const drains = [...fleet.instances.values()].filter(
    ({ phase }) => phase.kind === 'draining' && phase.asked === 'perhaps' && phase.deadline !== null,
  );
  return drains.map(({ id }) => ({ type: 'due', timer: { of: 'instance', id } }));
}

/** Nobody has asked it to end yet, or a rollout has that does not lead it any more. */
const isToEnd = (phase: Phase): boolean =>
  (phase.kind === 'spawning' && phase.end === null) ||
  phase.kind === 'starting' ||
  phase.kind === 'running' ||
  // `skip` drains on by itself.
  (phase.kind === 'draining' && (phase.onTimeout === 'pause' || phase.onTimeout === 'kill'));

const STOPPED = ['operator', 'shutdown', 'reload'] as const;
type Stopped = (typeof STOPPED)[number];

/** As the rollouts that are not over have it: what the file says meanwhile is for the next request. */
export function underWay(plan: Plan, rollouts: readonly Rollout[]): Plan {
  const targets = new Map(rollouts.map(({ target }) => [target.name, target]));
  const programs = plan.programs.map((program) => {
    const { name, instances, autostart } = program;
    const target = targets.get(name);
    return target === undefined ? program : { ...target, instances, autostart };
  });
  return { ...plan, programs };
}

/**
 * What was to be up when the last daemon died and has no run now, because it was about to be started, say: wanted
 * again, whoever starts this daemon. What has completed, or has been stopped, stays so.
 */
export function wantedAgain({ instances }: Fleet, wanted: readonly InstanceId[]): FleetEvent[] {
  const ids = wanted.filter((id) => {
    const seat = instances.get(id);
    return seat !== undefined && seat.phase.kind === 'stopped' && seat.wish.because !== 'operator';
  });
  return ids.length === 0 ? [] : [{ type: 'start', ids, because: 'start' }];
}
