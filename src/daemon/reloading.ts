/** The config as it stands now, applied to what runs: only what has changed is touched. */
import type { InstanceId, ProgramName, RolloutId } from '../base/ids.ts';
import { comparePlans, compareSupervisor } from '../config/compare.ts';
import { needsNewRun } from '../core/change.ts';
import { rolloutUnderWay, stayingOf } from '../core/fleet/fleet.ts';
import type { Instance } from '../core/instance/instance.ts';
import { lifeOf } from '../core/instance/phase.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import type { Cause } from '../core/rollout/rollout.ts';
import type { PlanChange, RefusedProgram, ReloadReply } from '../protocol/replies.ts';
import type { Checked } from '../protocol/requests.ts';
import type { ProgramCount } from '../protocol/status.ts';
import { PROTOCOL_VERSION as version } from '../protocol/version.ts';
import { type ApiParts, inTheWay, refuseWhenEnding } from './api-parts.ts';
import { countsOf as scaledOf } from './counts.ts';
import { Refused } from './refuse.ts';
import { readConfig } from './reload.ts';
import { rollOf } from './rolling.ts';
import { type Beginning, beginRollouts, inOrderOfNeeds, isWanted, STOPPED } from './rollouts.ts';
import { inOneLine } from './words.ts';

/** `by`: the user who asks. */
export function reload(parts: ApiParts, body: Checked<'reload'>, by: string | null): ReloadReply {
  const { dry_run, parallel, reason } = body;
  refuseWhenEnding(parts);
  const running = parts.plan();
  const fresh = readConfig(running.configFile, parts.world);
  const { added, removed, kept } = difference(running, fresh);
  const changes = kept
    .flatMap(({ before, after }) => comparePlans(before, after))
    .map((change) => withCount(parts, change));
  const refused = conflictsWith(parts, { added, removed, kept });
  if (!dry_run) refuse(refused);
  const renewals = kept.map(({ before, after }) => renewalOf(parts, before, after));
  const counts = countsOf(parts, fresh, added, removed);
  const { seq } = parts.news;
  const scaled = keptCounts(parts, kept);
  if (!dry_run) {
    parts.follow(appliedTo(running, fresh));
    const { programs, shutdownTimeoutMs } = fresh;
    parts.post({ type: 'reload', programs, shutdownTimeoutMs });
  }
  const cause: Cause = { kind: 'reload', by, words: inOneLine(reason), of: null };
  return {
    version,
    dry_run,
    added,
    removed,
    changes: [...compareSupervisor(running, fresh), ...changes],
    counts,
    rollouts: renew(parts, renewals, { dry_run, parallel, replace: false, cause }),
    skipped: renewals.flatMap(reasonToWait),
    kept_counts: scaled,
    refused,
    seq,
  };
}

/**
 * Programs of which a rollout is not over, and that would have to be rolled, or be of another number: these two would
 * undo each other. Whatever takes effect at once, or at the next start, the rollout under way takes along.
 */
function conflictsWith({ fleet }: ApiParts, { removed, kept }: Difference): RefusedProgram[] {
  const clash = (name: ProgramName, what: string): RefusedProgram[] => {
    const rollout = rolloutUnderWay(fleet, name);
    if (rollout === undefined) return [];
    const { reason, ...rest } = inTheWay(rollout);
    return [{ ...rest, reason: `${reason}, and the config ${what}` }];
  };
  return [
    ...removed.flatMap((name) => clash(name, `has ${name} no more`)),
    ...kept.flatMap(({ before, after }) => {
      const keys = clashingKeys(before, after);
      return keys.length === 0 ? [] : clash(after.name, `changes its ${keys.join(', ')}`);
    }),
  ];
}

const clashingKeys = (before: ProgramPlan, after: ProgramPlan): string[] =>
  comparePlans(before, after)
    .filter(({ key, effect }) => key === 'instances' || effect === 'rolling')
    .map(({ key }) => key);

/** @throws Refused, with all that is in the way. */
function refuse(refused: readonly RefusedProgram[]): void {
  if (refused.length === 0) return;
  const reasons = refused.map(({ reason }) => reason).join('; ');
  const hints = refused.map(({ hint }) => hint).join('; ');
  throw new Refused('conflict', `cannot reload: ${reasons}`, `nothing was changed; ${hints}`);
}

/** How many instances come and go with whole programs. */
function countsOf(
  { fleet }: ApiParts,
  fresh: Plan,
  added: readonly ProgramName[],
  removed: readonly ProgramName[],
): Record<string, number> {
  const coming = fresh.programs.filter(({ name }) => added.includes(name));
  return Object.fromEntries([
    ...coming.map(({ name, instances }) => [name, instances] as const),
    ...removed.map((name) => [name, stayingOf(fleet, name).length] as const),
  ]);
}

interface Difference {
  readonly added: readonly ProgramName[];
  readonly removed: readonly ProgramName[];
  readonly kept: readonly { readonly before: ProgramPlan; readonly after: ProgramPlan }[];
}

function difference(running: Plan, fresh: Plan): Difference {
  const before = new Map(running.programs.map((program) => [program.name, program]));
  const after = new Set(fresh.programs.map(({ name }) => name));
  return {
    added: [...after].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    kept: fresh.programs.flatMap((program) => {
      const old = before.get(program.name);
      return old === undefined ? [] : [{ before: old, after: program }];
    }),
  };
}

/** An operator's number holds until the config has another one than before. */
const keptCounts = (parts: ApiParts, kept: Difference['kept']): ProgramCount[] =>
  kept
    .filter(({ before, after }) => before.instances === after.instances)
    .flatMap(({ before }) => scaledOf(parts, [before.name]))
    .filter(({ instances, configured }) => instances !== configured);

function withCount({ fleet }: ApiParts, change: PlanChange): PlanChange {
  const count = change.key === 'instances' ? fleet.counts.get(change.program as ProgramName) : undefined; // a program's name
  return count === undefined ? change : { ...change, note: `the ${count} of an operator gives way` };
}

/** Which instances of a program need a new run for what has changed, and how they come by it. */
interface Renewal {
  readonly program: ProgramPlan;
  /** One after the other. */
  readonly rolling: readonly InstanceId[];
  /** They ran all the time, and are to run at times from now on: nobody waits for their replacement. */
  readonly ending: readonly InstanceId[];
  /** At their next start. */
  readonly stopped: readonly InstanceId[];
  /** At the next time of their schedule: a run of theirs is not interrupted. */
  readonly scheduled: readonly InstanceId[];
  /** Not now: this rollout is under way, and they have no turn in it. */
  readonly heldBy: RolloutId | null;
}

function renewalOf(parts: ApiParts, before: ProgramPlan, program: ProgramPlan): Renewal {
  const rollout = rolloutUnderWay(parts.fleet, program.name);
  if (rollout === undefined || clashingKeys(before, program).length > 0) {
    return ownRenewal(parts, before, program);
  }
  const turns = new Set(rollout.turns.map(({ id }) => id));
  const rest = ownRenewal(parts, before, program).rolling.filter((id) => !turns.has(id));
  const none = { rolling: [], ending: [], stopped: [], scheduled: [] };
  return { program, ...none, heldBy: rest.length > 0 ? rollout.id : null };
}

/** By what each instance runs with: not all of them need have the same plan. */
function ownRenewal({ fleet }: ApiParts, before: ProgramPlan, program: ProgramPlan): Renewal {
  // Only another number in the config takes any away: an operator's holds until then.
  const isSurplus = ({ index }: Instance): boolean =>
    before.instances !== program.instances && index >= program.instances;
  const old = stayingOf(fleet, program.name).filter(
    (seat) => !isSurplus(seat) && needsNewRun(planOf(seat), program),
  );
  const idsOf = (way: ReturnType<typeof wayTo>): InstanceId[] =>
    old.filter((seat) => wayTo(seat, program) === way).map(({ id }) => id);
  return {
    program,
    rolling: idsOf('rolling'),
    ending: idsOf('ending'),
    stopped: idsOf('stopped'),
    scheduled: idsOf('scheduled'),
    heldBy: null,
  };
}

const planOf = ({ phase, program }: Instance): ProgramPlan => lifeOf(phase)?.program ?? program;

function wayTo(seat: Instance, fresh: ProgramPlan): 'rolling' | 'ending' | 'stopped' | 'scheduled' {
  if (!isWanted(seat)) return 'stopped';
  if (planOf(seat).schedule !== null) return fresh.schedule === null ? 'rolling' : 'scheduled';
  return fresh.schedule === null ? 'rolling' : 'ending';
}

/** What others depend on is rolled first. */
function renew(parts: ApiParts, renewals: readonly Renewal[], how: Beginning): ReloadReply['rollouts'] {
  const rolling = renewals.flatMap((renewal) => renewal.rolling);
  const programs = renewals.map(({ program }) => program);
  const rolls = inOrderOfNeeds(parts, programs, rolling).map((program) => rollOf(parts, program, rolling));
  const begun = beginRollouts(parts, rolls, how);
  if (how.dry_run) return begun;
  for (const { program, ending, stopped, scheduled } of renewals) {
    if (ending.length > 0) parts.post({ type: 'restart', ids: ending, programs: [program] });
    const waiting = [...stopped, ...scheduled];
    if (waiting.length > 0) parts.post({ type: 'take_plan', program, ids: waiting });
  }
  return begun;
}

function reasonToWait(renewal: Renewal): ReloadReply['skipped'] {
  const { program, rolling, ending, stopped, scheduled, heldBy } = renewal;
  if (heldBy !== null) {
    const reason = `rollout ${heldBy} of it is not over, and does not reach all that run an older config; when it is, "tsup-visor reload" once more`;
    return [{ program: program.name, reason }];
  }
  if (rolling.length + ending.length > 0) return [];
  if (scheduled.length > 0) {
    return [{ program: program.name, reason: 'it has a schedule, and takes the config at its next run' }];
  }
  return stopped.length > 0 ? [{ program: program.name, reason: STOPPED }] : [];
}

/** The fresh plan, with what a running daemon cannot change left as it is. */
function appliedTo(running: Plan, fresh: Plan): Plan {
  const { name, runDir, stateDir, logDir, socketMode, configFile } = running;
  return { ...fresh, name, runDir, stateDir, logDir, socketMode, configFile };
}
