/** Whose reports are not all heard, because they are too many or too long: that is to be known. */
import type { Run } from '../base/ids.ts';
import { type Fleet, inOrderOf } from '../core/fleet/fleet.ts';
import { lifeOf } from '../core/instance/phase.ts';

const NAMED = 3;

/** A sentence for each of the first few. `dropped`: how many messages of a run were. */
export function unheard(fleet: Fleet, dropped: (run: Run) => number): string[] {
  const all = inOrderOf(fleet).flatMap(({ id, phase }) => {
    const run = lifeOf(phase)?.run;
    const count = run === undefined ? 0 : dropped(run);
    return count === 0 ? [] : [`${id} reports too much: ${count} of its messages were dropped`];
  });
  const more = all.length - NAMED;
  return more <= 0 ? all : [...all.slice(0, NAMED), `${more} other instances report too much`];
}
