/** Whose turn it is among those that have grown too large or too old: one of a program at a time. */
import { type Instance, isAvailable } from '../instance/instance.ts';

/** Null: nobody is worn, or somebody is away already. */
export function nextWorn(seats: readonly Instance[]): Instance | null {
  const wanted = seats.filter(({ wish }) => wish.want === 'up');
  const worn = wanted.find(({ phase }) => phase.kind === 'running' && phase.worn !== null);
  if (worn === undefined) return null;
  return wanted.some((other) => other !== worn && isAway(other)) ? null : worn;
}

/** Not there, and on its way back. What has been given up would be waited for without end. */
function isAway(seat: Instance): boolean {
  const { kind } = seat.phase;
  if (kind === 'failed' || kind === 'exited' || kind === 'stopped') return false;
  if (kind === 'waiting' && seat.phase.what.kind === 'schedule') return false;
  return !isAvailable(seat);
}
