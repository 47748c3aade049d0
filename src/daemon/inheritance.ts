/** What a daemon takes over from the one before it: what that had written down, and what it has left running. */
import type { Moment } from '../base/clock.ts';
import type { InstanceId, Run } from '../base/ids.ts';
import { adoptRuns } from '../core/fleet/adopt.ts';
import type { FleetEffect, Recorded } from '../core/fleet/effect.ts';
import type { FleetEvent } from '../core/fleet/event.ts';
import { createFleet, type Fleet, inOrderOf } from '../core/fleet/fleet.ts';
import { resumeRollouts } from '../core/fleet/resume.ts';
import { bodyOf, lifeOf } from '../core/instance/phase.ts';
import type { LimitsPlan, Plan } from '../core/plan.ts';
import type { Processes } from '../ports/processes.ts';
import { type Recalled, recall, toAsk, underWay, unwanted, wantedAgain } from './adopt.ts';
import type { Journal } from './journal.ts';
import type { KeptPlans } from './kept-plans.ts';
import type { PlanShelf } from './plan-shelf.ts';
import { type Doubts, type Remembered, readMemory } from './remembered.ts';

export interface Inheritance extends Pick<Remembered, 'identities' | 'places' | 'wanted' | 'isAnew'> {
  readonly fleet: Fleet;
  /** The file's, but for what is kept and for what rollouts are on their way to. */
  readonly plan: Plan;
  readonly begun: Recalled['begun'];
  /** Of which nothing was written down so far. */
  readonly unwritten: readonly string[];
}

interface Estate {
  readonly journal: Journal;
  readonly shelf: PlanShelf;
  readonly kept: KeptPlans;
  readonly processes: Pick<Processes, 'unrecorded'>;
  /** Names this start of the machine. */
  readonly boot: string | null;
  readonly doubts: Doubts;
  warn(text: string): void;
}

/** Reads all of it, whatever state it is in, and touches nothing that runs. `filed`: the plan of the config file. */
export function inherit(estate: Estate, filed: Plan, now: Moment): Inheritance {
  const { journal } = estate;
  try {
    return accept(estate, filed, now);
  } catch (error) {
    // What no check has foreseen must not keep the instances without a daemon.
    journal.disown(`it cannot be made sense of (${error instanceof Error ? error.message : error})`);
    return accept(estate, filed, now);
  } finally {
    journal.settle();
  }
}

function accept(
  { journal, shelf, kept, processes, boot, doubts, warn }: Estate,
  filed: Plan,
  now: Moment,
): Inheritance {
  const calm = kept.applyTo(filed);
  const remembered = readMemory(journal, calm, now, { boot, doubts, warn });
  const { identities, places, wanted, isAnew, memory } = remembered;
  const plan = underWay(calm, memory.rollouts);
  for (const rollout of memory.rollouts) kept.resume(rollout);
  const planOf: PlanShelf['find'] = (name, revision) => shelf.find(name, revision);
  const recalled = recall({ ...remembered, planOf }, plan, processes, now);
  const fleet = createFleet(plan, recalled.memory);
  if (recalled.unwritten.length > 0) warn(foundText(recalled.unwritten));
  for (const { id, pid } of recalled.nobodys) warn(nobodysText(id, pid));
  const unwritten = recalled.unwritten.map(({ id }) => id);
  return { fleet, plan, identities, places, wanted, isAnew, begun: recalled.begun, unwritten };
}

/** In one sentence: a fleet of hundreds may have lost its state. */
function foundText(found: Recalled['unwritten']): string {
  const who = found.map(({ id, pid }) => `${id} (pid ${pid})`).join(', ');
  return found.length === 1
    ? `${who} was found at work by the mark in its environment; nothing that can be read was written down of it, so it is taken for one that works as the config has it`
    : `${who} were found at work by the mark in their environment; nothing that can be read was written down of them, so they are taken for ones that work as the config has it`;
}
const nobodysText = (id: string, pid: number): string =>
  `${id} (pid ${pid}) was found at work by the mark in its environment, but the config has no such program, and nothing that can be read was written down of it: it is left alone; put it back into the config, or end it with "kill ${pid}"`;

interface Heir {
  readonly processes: Pick<Processes, 'adopt' | 'identity'>;
  /** Whatever comes of this is dealt with when all of it is done. */
  hold(act: () => void): void;
  post(event: FleetEvent): void;
  perform(effect: FleetEffect): void;
  /** What goes wrong with one run leaves the others as they are. */
  safely(act: () => void): void;
}

/** Takes up whatever runs. Answers with those that are alive; that the others are gone is about to be reported. */
export function takeUp(
  { fleet, begun, identities, wanted, unwritten }: Inheritance,
  heir: Heir,
): InstanceId[] {
  const { processes, post, safely } = heir;
  heir.hold(() => {
    // First: who is wanted is not to be taken for stopped by what the adoption brings to light.
    for (const event of goingOn(fleet, wanted)) post(event);
    for (const effect of adoptRuns(fleet)) safely(() => heir.perform(effect));
    for (const { run, pid } of begun) {
      const limits = limitsOf(fleet, run);
      safely(() => processes.adopt(run, pid, identities.get(run) ?? '', limits));
      post({ type: 'spawned', run, pid });
    }
    for (const what of toWrite(fleet, unwritten)) safely(() => heir.perform({ type: 'record', what }));
  });
  const isAlive = (run: Run | undefined): boolean => run !== undefined && processes.identity(run) !== null;
  return inOrderOf(fleet).flatMap(({ id, phase }) => (isAlive(bodyOf(phase)?.life.run) ? [id] : []));
}

/** What it was begun with. */
function limitsOf({ runs, instances }: Fleet, run: Run): LimitsPlan | undefined {
  const id = runs.get(run);
  const seat = id === undefined ? undefined : instances.get(id);
  return seat === undefined ? undefined : lifeOf(seat.phase)?.program.limits;
}

/** Once they are taken up, they are found by what is written of them. */
function toWrite(fleet: Fleet, unwritten: readonly string[]): Recorded[] {
  const found = [...fleet.instances.values()].filter(({ id }) => unwritten.includes(id));
  const counts = unwritten.length === 0 ? [] : [...fleet.counts];
  return [
    ...counts.map(([program, instances]) => ({ kind: 'count', program, instances }) as const),
    ...found.map((instance) => ({ kind: 'instance', instance }) as const),
  ];
}

/** What the last daemon was at. */
const goingOn = (fleet: Fleet, wanted: readonly InstanceId[]): FleetEvent[] => [
  ...toAsk(fleet),
  ...unwanted(fleet),
  ...resumeRollouts(fleet),
  ...wantedAgain(fleet, wanted),
];
