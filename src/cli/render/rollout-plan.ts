/** What a rollout would do, and what became of the wish for one. */
import { formatDuration } from '../../base/duration.ts';
import type { RefusedProgram, RolloutsCreatedReply } from '../../protocol/replies.ts';
import type { PlannedRollout, RolloutStatus } from '../../protocol/status.ts';
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
  const pace = meant.length > 1 ? [`${plan.max_parallel} at a time`] : [];
  const surge = surgeOf(plan);
  const how = [...surge, ...pace].join(', then ');
  return [
    ...(how === '' ? [] : [`  ${how}`]),
    ...canaryLines(plan, meant),
    ...('expected_ms' in plan ? [`  ${lengthOf(plan)}`] : []),
  ];
}

function surgeOf(plan: RolloutStatus | PlannedRollout): string[] {
  const ids = plan.turns.filter(({ extra }) => extra).map(({ instance }) => instance);
  const count = Math.max(ids.length, 'surge' in plan ? plan.surge : 0);
  const names = ids.length === 0 ? '' : ` (${idRanges(ids)})`;
  return count === 0 ? [] : [`${plural(count, 'extra instance')} first${names}`];
}

/** A hold after the last one is none. */
function canaryLines({ canary }: RolloutStatus | PlannedRollout, meant: readonly string[]): string[] {
  if (canary === null) return [];
  if (canary.count >= meant.length) return ['  a canary that is all of them: there is nothing to hold'];
  const { count, hold_ms } = canary;
  const rest = `the other ${meant.length - count}`;
  const then =
    hold_ms === 0 ? `${rest} without a hold, as canary_hold is 0s` : `${holdOf(hold_ms)}, then ${rest}`;
  return [`  canary: ${idRanges(meant.slice(0, count))}, then ${then}`];
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

/** Those that were under way already: what they have done counts, and that may not be what was meant. */
export const joinedLines = ({ rollouts, joined }: Pick<RolloutsCreatedReply, 'rollouts' | 'joined'>) =>
  rollouts.flatMap(({ id, program, done, total }) => {
    if (id === null || !joined.includes(id)) return [];
    const anew = done === 0 ? '' : '; what was done before this is not done again: --replace begins anew';
    return [
      `joins rollout ${id} of ${program}, which is under way and does the same (${done} of ${total} done)${anew}`,
    ];
  });
