/** Which rollouts somebody means: by number, by program, or because there are no others. */
import { EXIT } from '../protocol/errors.ts';
import type { RolloutStatus } from '../protocol/status.ts';
import { Refusal } from './refusal.ts';

type Rollouts = readonly RolloutStatus[];

/** Those of this number or program. Throws a refusal where there is none. */
export function meantBy(rollouts: Rollouts, which: string): RolloutStatus[] {
  const meant = rollouts.filter(({ id, program }) => String(id) === which || program === which);
  if (meant.length > 0) return meant;
  throw new Refusal(EXIT.usage, `no rollout of "${which}" is known`, 'see "tsup-visor rollout history"');
}

/** Of each program the last one: what is under way, or how it ended. */
export function lastOfEach(rollouts: Rollouts): RolloutStatus[] {
  return [...new Map(byAge(rollouts).map((rollout) => [rollout.program, rollout])).values()];
}

export const byAge = (rollouts: Rollouts): RolloutStatus[] => rollouts.toSorted((a, b) => a.id - b.id);

export const isOpen = ({ state }: RolloutStatus): boolean => state === 'running' || state === 'paused';

/** What is to be done to the one that is meant, and which of those under way it can be done to. */
export interface Deed {
  readonly verb: string;
  fits(rollout: RolloutStatus): boolean;
}

/** What is over can be taken back, too, but not by the way. */
const hintFor = (verb: string, last: RolloutStatus | undefined): string =>
  verb === 'revert' && last !== undefined
    ? `the last one is taken back with "tsup-visor rollout revert ${last.id}"`
    : 'see "tsup-visor rollout history"';

/** Throws a refusal where that could be several, or is none. What is over is meant only by its number or program. */
export function chosen(rollouts: Rollouts, { verb, fits }: Deed, which: string | undefined): RolloutStatus {
  const meant = which === undefined ? rollouts : meantBy(rollouts, which);
  const open = meant.filter(isOpen);
  const fitting = open.filter(fits);
  const [first, second] = fitting.length > 0 ? fitting : open;
  if (second !== undefined) {
    const names = (fitting.length > 0 ? fitting : open).map(({ id, program }) => `${id} (${program})`);
    const message = `cannot tell which rollout to ${verb}: ${names.join(', ')}`;
    throw new Refusal(EXIT.usage, message, 'name one of them');
  }
  const only = first ?? (which === undefined ? undefined : byAge(meant).at(-1));
  if (only !== undefined) return only;
  throw new Refusal(
    EXIT.usage,
    `no rollout is under way: nothing to ${verb}`,
    hintFor(verb, byAge(meant).at(-1)),
  );
}
