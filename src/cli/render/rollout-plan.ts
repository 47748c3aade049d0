/** What a rollout would do, and what became of the wish for one. */
import { formatDuration } from '../../base/duration.ts';
import type { RefusedProgram, RolloutsCreatedReply, RolloutsReply } from '../../protocol/replies.ts';
import type { PlannedRollout, RolloutStatus } from '../../protocol/status.ts';
import { hasNotBegun, meantTurns, revisionsOf } from './rollout.ts';
import { printable } from './text.ts';
import { elapsed, idRanges, plural } from './words.ts';

/** What a rollout would do, in which order, how long it would take, and whom it would leave out. */
function planLines(plan: RolloutStatus | PlannedRollout): string[] {
  const { program, turns } = plan;
  const meant = turns.filter(({ step, extra }) => step !== 'skipped' && !extra).map((turn) => turn.instance);
  const order = meant.length < 2 ? `: ${idRanges(meant)}` : `, in this order: ${idRanges(meant)}`;
  const what = meant.length === 0 ? 'nothing' : `${plural(meant.length, 'instance')}${order}`;
  return [
    `${program}: would restart ${what}`,
    ...(meant.length === 0 ? [] : howLines(plan, meant)),
    ...leftLines(plan),
  ];
}

function howLines(plan: RolloutStatus | PlannedRollout, meant: readonly string[]): string[] {
  const pace = meant.length > 1 ? [paceOf(plan.max_parallel, meant.length)] : [];
  const surge = surgeOf(plan);
  const how = [...surge, ...pace].join(', then ');
  return [
    ...(how === '' ? [] : [`  ${how}`]),
    ...canaryLines(plan, meant),
    ...('expected_ms' in plan ? [`  ${lengthOf(plan)}`] : []),
  ];
}

export const paceOf = (atOnce: number, count: number): string =>
  atOnce < count ? `${atOnce} at a time` : `all ${count} at once`;

function surgeOf(plan: RolloutStatus | PlannedRollout): string[] {
  const ids = plan.turns.filter(({ extra }) => extra).map(({ instance }) => instance);
  const count = Math.max(ids.length, 'surge' in plan ? plan.surge : 0);
  const names = ids.length === 0 ? '' : ` (${idRanges(ids)})`;
  return count === 0 ? [] : [`${plural(count, 'extra instance')} first${names}`];
}

/** A hold after the last one is none. */
function canaryLines({ canary }: RolloutStatus | PlannedRollout, meant: readonly string[]): string[] {
  if (canary === null || canary.count >= meant.length) return [];
  const { count, hold_ms } = canary;
  const rest = `the other ${meant.length - count}`;
  const first = idRanges(meant.slice(0, count));
  // Without a hold it is more than an order all the same: max_failures does not count for these.
  if (hold_ms === 0) return [`  canary: ${first}, which must not fail; ${rest} follow without a hold`];
  return [`  canary: ${first}, then ${holdOf(hold_ms)}, then ${rest}`];
}

function holdOf(ms: number | null | undefined): string {
  if (ms === undefined) return 'a hold';
  return ms === null ? 'held until it is promoted' : `held for ${formatDuration(ms)}`;
}

function lengthOf({ expected_ms, expected_from }: PlannedRollout): string {
  if (expected_ms === null) return 'how long is not known: no turn was seen so far';
  const seen = expected_from === 1 ? 'the last turn' : `the last ${expected_from} turns`;
  return `takes about ${elapsed(expected_ms)}, as ${seen} went`;
}

function leftLines({ turns }: Pick<RolloutStatus, 'turns'>): string[] {
  const reasons = new Set(turns.flatMap(({ step, why }) => (step === 'skipped' ? [why ?? ''] : [])));
  return [...reasons].map((reason) => {
    const ids = turns.filter(({ step, why }) => step === 'skipped' && (why ?? '') === reason);
    const which = idRanges(ids.map(({ instance }) => instance));
    return `  leaves ${which} alone${reason === '' ? '' : `: ${printable(reason)}`}`;
  });
}

/** The plan of each, and how they follow one another. */
export function plansLines(plans: readonly (RolloutStatus | PlannedRollout)[], atOnce: boolean): string[] {
  const lines = plans.flatMap(planLines);
  if (plans.length < 2) return lines;
  return [...lines, atOnce ? 'all of these at once' : 'one program after the other, in this order'];
}

/** What a dry run would be refused for, were it none. */
export const refusedLines = (refused: readonly RefusedProgram[]): string[] =>
  refused.map(({ reason, hint }) => `would be refused: ${printable(reason)}; ${printable(hint)}`);

/** `rollout 7 of worker begins: 4 instances, 1 at a time, 77ab01 -> 9f2c1a; deploy 4711`. */
export function firstLine(rollout: RolloutStatus): string {
  const { id, program, turns, done, max_parallel, canary, reason, cause } = rollout;
  const own = meantTurns(rollout).filter(({ step }) => step !== 'skipped').length;
  const extras = turns.filter(({ extra }) => extra).map(({ instance }) => instance);
  const parts = [
    `${plural(own, 'instance')}${done === 0 ? '' : `, ${done} of them done`}`,
    ...(extras.length === 0 ? [] : [`${extras.length} extra (${idRanges(extras)})`]),
    ...(own > 1 ? [paceOf(max_parallel, own)] : []),
    ...(canary === null ? [] : [`canary of ${canary.count}${canary.hold_ms === 0 ? ' without a hold' : ''}`]),
    revisionsOf(rollout),
  ];
  const verb = hasNotBegun(rollout) ? reason : done === 0 ? 'begins' : 'is under way';
  const why = cause.words === null ? '' : `; ${printable(cause.words)}`;
  return `rollout ${id} of ${program} ${verb}: ${parts.join(', ')}${why}`;
}

/** What is under way in the place that each would take. */
export const replacedLines = (
  { rollouts }: Pick<RolloutsCreatedReply, 'rollouts'>,
  known: Pick<RolloutsReply, 'rollouts'>,
): string[] =>
  known.rollouts
    .filter(({ state, program }) => isOpen(state) && rollouts.some((plan) => plan.program === program))
    .map(
      ({ id, program, done, total }) =>
        `would end rollout ${id} of ${program}, which is under way (${done} of ${total} done)`,
    );

const isOpen = (state: RolloutStatus['state']): boolean => state === 'running' || state === 'paused';

/** One that was asked for, where nobody would come after it. */
export const vainCanary = (rollouts: readonly (RolloutStatus | PlannedRollout)[]): string[] =>
  rollouts.flatMap(({ canary, program, total }) =>
    canary === null ? [`${program}: no canary, for it would be all of its ${plural(total, 'instance')}`] : [],
  );

/** Those that were under way already: what they have done counts, and that may not be what was meant. */
export const joinedLines = ({ rollouts, joined }: Pick<RolloutsCreatedReply, 'rollouts' | 'joined'>) =>
  rollouts.flatMap(({ id, program, done, total, state }) =>
    id === null || !joined.includes(id)
      ? []
      : [
          `joins rollout ${id} of ${program}${state === 'paused' ? ', which is paused' : ''} (${done} of ${total} done); --replace begins anew`,
        ],
  );
