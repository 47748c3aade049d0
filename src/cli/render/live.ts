/** Rolling restarts under way, as a block of lines that is drawn again and again. */
import type { InstanceStatus, RolloutStatus } from '../../protocol/status.ts';
import { doing } from './doing.ts';
import { headLines } from './live-heading.ts';
import type { LiveLook } from './live-look.ts';
import { type MotionRow, motionRows } from './live-turn.ts';
import { motionLines } from './motion-lines.ts';
import { hasNotBegun } from './rollout.ts';
import { cut, widthOf } from './text.ts';
import { plural, uptime } from './words.ts';

export function liveLines(
  rollouts: readonly RolloutStatus[],
  instances: readonly InstanceStatus[],
  look: LiveLook,
): string[] {
  const byId = new Map(instances.map((instance) => [instance.id, instance]));
  const shown = gathered(rollouts, look);
  const names = Math.max(0, ...shown.rollouts.map(({ program }) => widthOf(program)));
  const heads = shown.rollouts.map((rollout) => headLines(rollout, { ...look, names }));
  const rows = shown.rollouts.map((each) =>
    hasNotBegun(each) ? [] : shownRows(motionRows(each, byId, look.now), look),
  );
  const fixed = shown.lines.length + heads.flat().length;
  const motion = motionLines(rows, (look.rows ?? Number.POSITIVE_INFINITY) - fixed, look);
  return [...heads.flatMap((head, at) => [...head, ...(motion[at] ?? [])]), ...shown.lines];
}

/** What is in motion when the watching ends goes on: the last frame, which stays, is not to show it as it was. */
const shownRows = (rows: readonly MotionRow[], { isOver }: LiveLook): readonly MotionRow[] =>
  isOver === true ? rows.filter((row) => row.look === 'bad') : rows;

/** A line for each instance that comes or goes outside a rollout. */
export const movingLines = (instances: readonly InstanceStatus[], { width, now }: LiveLook): string[] =>
  instances.map((instance) => {
    const said = doing(instance, now);
    // A drain says its own name.
    const state = instance.state === 'draining' ? '' : `${instance.state}${age(instance)}`;
    return cut([instance.id, state, said].filter((part) => part !== '').join('  '), width);
  });

const age = ({ state, uptime_ms }: InstanceStatus): string =>
  state === 'starting' && uptime_ms !== null ? ` ${uptime(uptime_ms)}` : '';

/** Where there are many, those that are over and those whose turn has not come share a line each. */
function gathered(
  rollouts: readonly RolloutStatus[],
  { rows = Number.POSITIVE_INFINITY, width, paint }: LiveLook,
): { readonly rollouts: readonly RolloutStatus[]; readonly lines: readonly string[] } {
  if (rollouts.length * ROWS_EACH <= rows) return { rollouts, lines: [] };
  const over = rollouts.filter(({ state }) => state === 'succeeded').length;
  const waiting = rollouts.filter(hasNotBegun).length;
  const said = [
    ...(over === 0 ? [] : [`${plural(over, 'rollout')} succeeded`]),
    ...(waiting === 0 ? [] : [`${waiting} to come`]),
  ];
  return {
    rollouts: rollouts.filter((each) => each.state !== 'succeeded' && !hasNotBegun(each)),
    lines: said.length === 0 ? [] : [paint.faint(cut(said.join(', '), width))],
  };
}

/** A heading, and somebody in motion. */
const ROWS_EACH = 2;
