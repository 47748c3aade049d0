/** What the routes of the wire work with, and what many of them do first. */

import type { Wall } from '../base/clock.ts';
import type { InstanceId, ProgramName } from '../base/ids.ts';
import type { World } from '../config/where.ts';
import { conflictWith } from '../core/fleet/conflict.ts';
import type { FleetEvent } from '../core/fleet/event.ts';
import type { Fleet } from '../core/fleet/fleet.ts';
import { whatThereIs } from '../core/fleet/hint.ts';
import { select } from '../core/fleet/select.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogPath, Processes } from '../ports/processes.ts';
import type { ActionReply, RefusedProgram } from '../protocol/replies.ts';
import type { DaemonStatus } from '../protocol/status.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { refuseEmpty } from './counts.ts';
import type { RolloutHistory } from './history.ts';
import type { NewsDesk } from './news.ts';
import { asOfNow, type Outlook, undecided } from './outcome.ts';
import type { InstanceOutput } from './output.ts';
import type { OwnLog } from './own-log.ts';
import { Refused } from './refuse.ts';
import type { Farewell, Judge, Waiters } from './waiters.ts';

export interface ApiParts {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly news: NewsDesk;
  readonly waiters: Waiters;
  readonly history: RolloutHistory;
  readonly processes: Processes;
  readonly world: World;
  readonly output: Pick<InstanceOutput, 'drain' | 'droppedBytes' | 'rotate' | 'reopen'>;
  readonly ownLog: Pick<OwnLog, 'path' | 'format' | 'flush' | 'rotate' | 'reopen' | 'trouble'>;
  readonly logPath: LogPath;
  /** As the config was last read. */
  plan(): Plan;
  /** These programs have these plans from now on, as the config file says. */
  adopt(programs: readonly ProgramPlan[]): void;
  /** This is its plan from now on, whatever the config file says, and also for the next daemon as long as that says no other. */
  goBackTo(program: ProgramPlan): void;
  /** This is the plan from now on, as the config file says. */
  follow(plan: Plan): void;
  /** When a program with a schedule is due. */
  nextRun(program: ProgramName): Wall | null;
  post(event: FleetEvent): void;
  describeDaemon(): DaemonStatus;
  /** What is not written down, for people; null: all is. */
  unwritten(): string | null;
}

export const outlookOf = ({ clock, nextRun }: ApiParts): Outlook => ({ now: () => clock.now(), nextRun });

/** @throws Refused where a selector matches nothing. */
export function selectIds(
  { fleet, plan }: ApiParts,
  selectors: readonly string[],
  none: 'none' | 'all' = 'none',
): InstanceId[] {
  if (selectors.length === 0 && none === 'all') return [...fleet.instances.keys()];
  const chosen = select(selectors, fleet.instances.values(), plan().groups);
  if (chosen.ok) return chosen.value;
  refuseEmpty({ fleet, plan }, chosen.error);
  const hint = whatThereIs(chosen.error, fleet.programs.keys(), fleet.instances.values(), plan().groups);
  throw new Refused('no_match', `no instance matches "${chosen.error}"`, hint);
}

/** Program by program as the config has them, and by number: what was added later is not told last. */
export function inPlanOrder(parts: ApiParts, ids: readonly InstanceId[]): InstanceId[] {
  const places = new Map(parts.plan().programs.map(({ name }, place) => [name, place]));
  const placeOf = ({ program }: Instance): number => places.get(program.name) ?? places.size;
  return instancesOf(parts, ids)
    .sort((a, b) => placeOf(a) - placeOf(b) || a.index - b.index)
    .map(({ id }) => id);
}

/**
 * Those that are there to stay: what goes when it is at rest is not started again.
 * @throws Refused where nothing else was named.
 */
export function selectStaying(parts: ApiParts, selectors: readonly string[]): InstanceId[] {
  const chosen = instancesOf(parts, selectIds(parts, selectors));
  const staying = chosen.filter(({ leaving }) => !leaving).map(({ id }) => id);
  if (staying.length > 0 || chosen.length === 0) return staying;
  throw new Refused(
    'conflict',
    `${chosen[0]?.id} is on its way out, and gone when it has ended`,
    'to have more instances: "tsup-visor scale"',
  );
}

export function programsOf({ fleet }: ApiParts, ids: readonly InstanceId[]): ProgramName[] {
  return [...new Set(ids.flatMap((id) => fleet.instances.get(id)?.program.name ?? []))];
}

export const instancesOf = ({ fleet }: ApiParts, ids: readonly InstanceId[]): Instance[] =>
  ids.flatMap((id) => fleet.instances.get(id) ?? []);

/** @throws Refused where a rollout of one of these programs is not over. */
export function refuseConflicts({ fleet }: ApiParts, names: readonly ProgramName[]): void {
  const conflict = conflictWith(fleet, names);
  if (conflict === null) return;
  const { reason, hint } = inTheWay(conflict);
  throw new Refused('conflict', reason, hint);
}

/** A rollout that is not over, and what ends it. */
export function inTheWay({ id, program, state }: Rollout): RefusedProgram {
  const next =
    state === 'paused' ? `rollout resume ${id}" or "tsup-visor rollout abort ${id}` : `rollout abort ${id}`;
  return {
    program,
    reason: `rollout ${id} of ${program} is ${state === 'paused' ? 'paused' : 'under way'}`,
    hint: `end it first: "tsup-visor ${next}"`,
  };
}

/** @throws Refused where the daemon is on its way out. */
export function refuseWhenEnding({ fleet }: ApiParts): void {
  if (fleet.mode.kind === 'running') return;
  throw new Refused(
    'shutting_down',
    'the daemon is shutting down',
    'wait until it has ended, then start it again',
  );
}

/** How an answer to start, stop, restart, scale and signal comes about. */
export interface Answering {
  /** Null: it is not waited for. */
  readonly judge: Judge | null;
  /** Fires when whoever asked has gone. */
  readonly left: AbortSignal;
  readonly removed?: Farewell;
  readonly more?: Partial<Pick<ActionReply, 'changes' | 'left_stopped'>>;
}

export async function answerFor(
  { fleet, waiters }: ApiParts,
  instances: readonly Instance[],
  { judge, left, removed, more }: Answering,
): Promise<ActionReply> {
  if (judge === null) return actionReply(instances.map(undecided), more);
  const told = await waiters.wait(instances, judge, left, removed);
  // Their ids were taken from instances.
  const outcomes = told.map((outcome) => asOfNow(outcome, fleet.instances.get(outcome.id as InstanceId)));
  return actionReply(outcomes, more);
}

export const actionReply = (
  instances: ActionReply['instances'],
  more: Answering['more'] = {},
): ActionReply => ({ version: PROTOCOL_VERSION, changes: [], left_stopped: [], ...more, instances });
