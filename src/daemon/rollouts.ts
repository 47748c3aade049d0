/** Rolling restarts on the wire: begun and looked at. */
import type { InstanceId, RolloutId } from '../base/ids.ts';
import { isSamePlan } from '../core/change.ts';
import { rolloutUnderWay } from '../core/fleet/fleet.ts';
import { inOrder as inNeedOrder } from '../core/fleet/requests.ts';
import type { Instance } from '../core/instance/instance.ts';
import type { ProgramPlan } from '../core/plan.ts';
import type { Cause, Rollout } from '../core/rollout/rollout.ts';
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
  instancesOf,
  inTheWay,
  programsOf,
  refuseWhenEnding,
  selectStaying,
} from './api-parts.ts';
import { Refused } from './refuse.ts';
import { keepConfig, takeConfig } from './reload.ts';
import { dryRun, numberFilter, type Roll, rollOf } from './rolling.ts';
import { inOneLine } from './words.ts';

/** `by`: the user who asks. */
export function createRollouts(
  parts: ApiParts,
  body: Checked<'createRollouts'>,
  by: string | null,
): RolloutsCreatedReply {
  refuseWhenEnding(parts);
  const { news, adopt, plan, world } = parts;
  const ids = selectNumbers(parts, body);
  const names = programsOf(parts, ids);
  const { programs, changes } = body.keep_config
    ? keepConfig(plan(), names)
    : takeConfig(plan(), names, world);
  const rolls = inOrderOfNeeds(parts, programs, ids).map((program) => rollOf(parts, program, ids, body));
  if (body.canary !== undefined) refuseWholeCanary(body.canary, rolls);
  const joined = body.replace ? [] : rolls.flatMap((roll) => sameUnderWay(parts, roll) ?? []);
  const inWay = body.replace ? [] : rolls.flatMap((roll) => conflictWith(parts, roll, joined) ?? []);
  const [first] = inWay;
  if (!body.dry_run && first !== undefined) throw new Refused('conflict', first.reason, first.hint);
  const { seq } = news;
  const skipped = rolls.filter(({ seats }) => !seats.some(isWanted)).map(nothingToRoll);
  if (!body.dry_run && !body.keep_config) adopt(programs);
  const cause: Cause = { kind: 'operator', by, words: inOneLine(body.reason), of: null };
  const rollouts = beginRollouts(parts, rolls, { ...body, cause, joined });
  const refused = body.dry_run ? inWay : [];
  return { version, changes, rollouts, skipped, refused, joined: joined.map(({ id }) => id), seq };
}

function selectNumbers(parts: ApiParts, { selectors, instances }: Checked<'createRollouts'>): InstanceId[] {
  const ids = selectStaying(parts, selectors);
  if (instances === undefined) return ids;
  const isMeant = numberFilter(instances);
  const chosen = instancesOf(parts, ids).filter(({ index }) => isMeant(index));
  if (chosen.length > 0 || ids.length === 0) return chosen.map(({ id }) => id);
  throw new Refused(
    'no_match',
    `no instance of ${programsOf(parts, ids).join(', ')} has a number in ${instances}`,
    `the instances are: ${ids[0]} to ${ids.at(-1)}`,
  );
}

/** Who asks for a canary wants something to be held after it. */
function refuseWholeCanary(asked: string, rolls: readonly Roll[]): void {
  const whole = rolls.find(({ seats, canary }) => canary === 0 && seats.length > 0);
  if (whole === undefined || /^0+%?$/.test(asked)) return;
  const { program, seats } = whole;
  const all = seats.length === 1 ? 'the only instance' : `all ${seats.length} instances`;
  throw new Refused(
    'bad_request',
    `a canary of ${asked} is ${all} of ${program.name}: nothing is left to come after it`,
    'name a smaller one, or none',
  );
}

/** What others among them depend on comes first. */
export function inOrderOfNeeds(
  { fleet }: ApiParts,
  programs: readonly ProgramPlan[],
  ids: readonly InstanceId[],
): ProgramPlan[] {
  const fresh = new Map(programs.map((program) => [program.name, program]));
  const seats = inNeedOrder(fleet, ids, ({ program }) => fresh.get(program.name) ?? program);
  const names = new Set(seats.map(({ program }) => program.name));
  return [...names].flatMap((name) => fresh.get(name) ?? []);
}

/** The rollout under way that does the very same. */
function sameUnderWay({ fleet }: ApiParts, roll: Roll): Rollout | null {
  const rollout = rolloutUnderWay(fleet, roll.program.name);
  return rollout !== undefined && difference(rollout, roll) === null ? rollout : null;
}

/** What another one than that under way is asked for; null: the very same. */
function difference({ target, turns, maxParallel, canary, reverting }: Rollout, roll: Roll): string | null {
  if (reverting !== null) return 'goes back';
  if (!isSamePlan(target, roll.program)) return 'has another config';
  const own = new Set(turns.filter(({ extra }) => !extra).map(({ id }) => id));
  const isSame = own.size === roll.seats.length && roll.seats.every(({ id }) => own.has(id));
  if (!isSame) return 'has other instances';
  if (maxParallel !== roll.maxParallel) return `has a max_parallel of ${maxParallel}`;
  const first = canary.kind === 'none' ? 0 : canary.count;
  return first === roll.canary ? null : `has ${first === 0 ? 'no canary' : `a canary of ${first}`}`;
}

function conflictWith({ fleet }: ApiParts, roll: Roll, joined: readonly Rollout[]): RefusedProgram | null {
  const rollout = rolloutUnderWay(fleet, roll.program.name);
  if (rollout === undefined || joined.includes(rollout)) return null;
  const { program, reason } = inTheWay(rollout);
  const { id, state } = rollout;
  const other =
    state === 'paused'
      ? `go on with "tsup-visor rollout resume ${id}"`
      : `wait for it with "tsup-visor rollout wait ${id}"`;
  const hint = `take its place with --replace, ${other}, or end it with "tsup-visor rollout abort ${id}"`;
  return { program, reason: `${reason}, and ${difference(rollout, roll)}`, hint };
}

/** How several rolling restarts are begun. */
export interface Beginning {
  readonly dry_run: boolean;
  /** All at once, rather than one after the other. */
  readonly parallel: boolean;
  /** In the place of what is under way. */
  readonly replace: boolean;
  readonly cause: Cause;
  /** Those under way that do the same already. */
  readonly joined?: readonly Rollout[];
}

/** In this order, one after the other unless they are to come at once. */
export function beginRollouts(
  parts: ApiParts,
  rolls: readonly Roll[],
  how: Beginning,
): (RolloutStatus | PlannedRollout)[] {
  const { history, fleet, clock } = parts;
  let ahead: RolloutId | null = null;
  // What is under way already comes before what is begun now.
  const isJoined = ({ program }: Roll): boolean =>
    how.joined?.some((rollout) => rollout.program === program.name) === true;
  const ordered = [...rolls.filter(isJoined), ...rolls.filter((roll) => !isJoined(roll))];
  return ordered.flatMap((roll): (RolloutStatus | PlannedRollout)[] => {
    if (how.dry_run) {
      const isIdle = !roll.seats.some(isWanted);
      return isIdle ? [] : [dryRun(roll, how.cause, history.pastOf(roll.program.name))];
    }
    const same = how.joined?.find(({ program }) => program === roll.program.name);
    const rollout: Rollout | undefined = same ?? beginRollout(parts, roll, { ...how, after: ahead });
    if (rollout === undefined) return [];
    if (!how.parallel) ahead = rollout.id;
    return [history.describe(rollout, fleet, clock.now())];
  });
}

/** Undefined where there is nothing to roll: what is down takes the plan at its next start. */
export function beginRollout(
  { fleet, post }: ApiParts,
  roll: Roll,
  how: Pick<Beginning, 'cause' | 'replace'> & { readonly after: RolloutId | null },
): Rollout | undefined {
  const { program, seats, maxParallel, surge, canary } = roll;
  const ids = seats.map(({ id }) => id);
  if (!seats.some(isWanted)) {
    post({ type: 'take_plan', program, ids });
    return undefined;
  }
  const id = fleet.nextRollout;
  const { cause, after, replace: replaces } = how;
  post({ type: 'begin_rollout', program, ids, maxParallel, surge, canary, cause, after, replaces });
  return fleet.rollouts.get(id);
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

const nothingToRoll = ({ program }: Roll): { program: string; reason: string } => ({
  program: program.name,
  reason: STOPPED,
});

export const STOPPED = 'it is stopped, and takes the config at its next start';

export const isWanted = ({ wish }: Instance): boolean => wish.want === 'up';
