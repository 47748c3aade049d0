/** Rolling restarts on the wire: begun, looked at, steered. */
import type { InstanceId, ProgramName } from '../base/ids.ts';
import { rolloutUnderWay, stayingOf } from '../core/fleet/fleet.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { ProgramPlan } from '../core/plan.ts';
import { inOrder } from '../core/rollout/order.ts';
import type {
  RefusedProgram,
  RolloutReply,
  RolloutsCreatedReply,
  RolloutsReply,
} from '../protocol/replies.ts';
import type { Checked } from '../protocol/requests.ts';
import type { PlannedRollout, RolloutStatus } from '../protocol/status.ts';
import { PROTOCOL_VERSION as version } from '../protocol/version.ts';
import {
  type ApiParts,
  inTheWay,
  programsOf,
  refuseConflicts,
  refuseWhenEnding,
  selectStaying,
} from './api-parts.ts';
import { describeRollout } from './describe.ts';
import { Refused } from './refuse.ts';
import { keepConfig, takeConfig } from './reload.ts';
import { dryRun, resolveParallel } from './rolling.ts';

export function createRollouts(parts: ApiParts, body: Checked<'createRollouts'>): RolloutsCreatedReply {
  refuseWhenEnding(parts);
  const { news, adopt, plan, world } = parts;
  const ids = selectStaying(parts, body.selectors);
  const names = programsOf(parts, ids);
  if (!body.dry_run) refuseConflicts(parts, names);
  const { programs, changes } = body.keep_config
    ? keepConfig(plan(), names)
    : takeConfig(plan(), names, world);
  const { seq } = news;
  const skipped = programs.flatMap((program) => nothingToRoll(parts, program, ids));
  if (!body.dry_run) adopt(programs);
  const rollouts = programs.flatMap((program) => beginRollout(parts, program, ids, body));
  const refused = body.dry_run ? names.flatMap((name) => conflictsWith(parts, name)) : [];
  return { version, changes, rollouts, skipped, refused, seq };
}

function conflictsWith({ fleet }: ApiParts, name: ProgramName): RefusedProgram[] {
  const rollout = rolloutUnderWay(fleet, name);
  return rollout === undefined ? [] : [inTheWay(rollout)];
}

export function listRollouts({ history, fleet, clock }: ApiParts): RolloutsReply {
  return { version, rollouts: history.all(fleet, clock.now()) };
}

/** By number, or the last one of a program. */
export function findRollout({ history, fleet, clock }: ApiParts, key: string): RolloutReply {
  const found = history.find(fleet, key, clock.now());
  if (found !== undefined) return { version, rollout: found };
  throw new Refused('not_found', `there is no rollout ${key}`, 'see "tsup-visor rollout status"');
}

export function steerRollout(
  parts: ApiParts,
  key: string,
  command: 'pause' | 'resume' | 'abort',
): RolloutReply {
  const { rollout } = findRollout(parts, key);
  const { fleet, post, adopt } = parts;
  const own = [...fleet.rollouts.values()].find(({ id }) => id === rollout.id);
  if (own === undefined || (rollout.state !== 'running' && rollout.state !== 'paused')) {
    throw new Refused('conflict', `rollout ${rollout.id} of ${rollout.program} is over: ${rollout.state}`);
  }
  const already = { pause: 'paused', resume: 'running', abort: null }[command] === rollout.state;
  if (!already) post({ type: 'steer_rollout', id: own.id, command });
  // What was aborted is not what runs: the next one to ask is told what the file changes, all of it.
  const before = command === 'abort' ? own.turns[0]?.before.program : undefined;
  if (before !== undefined) adopt([before]);
  return findRollout(parts, String(rollout.id));
}

export function beginRollout(
  parts: ApiParts,
  program: ProgramPlan,
  ids: readonly InstanceId[],
  how: { readonly dry_run: boolean; readonly max_parallel?: string | undefined },
): (RolloutStatus | PlannedRollout)[] {
  const { fleet, post, clock } = parts;
  const all = stayingOf(fleet, program.name);
  const seats = all.filter(({ id }) => ids.includes(id));
  const ordered = inOrder(seats, program.rollout.order);
  if (!seats.some(isWanted)) {
    if (!how.dry_run) post({ type: 'take_plan', program, ids });
    return [];
  }
  if (how.dry_run) return [dryRun(program, ordered)];
  const id = fleet.nextRollout;
  const maxParallel = resolveParallel(how.max_parallel, program, all.length);
  post({ type: 'begin_rollout', program, ids: ordered.map((seat) => seat.id), maxParallel });
  const rollout = fleet.rollouts.get(id);
  return rollout === undefined ? [] : [describeRollout(rollout, clock.now())];
}

function nothingToRoll(
  { fleet }: ApiParts,
  { name }: ProgramPlan,
  ids: readonly InstanceId[],
): { program: string; reason: string }[] {
  const seats = stayingOf(fleet, name).filter(({ id }) => ids.includes(id));
  if (seats.some(isWanted)) return [];
  return [{ program: name, reason: STOPPED }];
}

export const STOPPED = 'it is stopped, and takes the config at its next start';

export const isWanted = ({ wish }: Instance): boolean => wish.want === 'up';
