/** Where the programs got that came, went or changed in number. */
import type { InstanceStatus } from '../../protocol/status.ts';
import { readyOf, shortOf } from '../settled.ts';
import { doing } from './doing.ts';
import { idRanges, plural } from './words.ts';

type Instances = readonly InstanceStatus[];

/** A line for each instance that is not as wanted, then what is ready and what is gone. */
export function settledLines(
  instances: Instances,
  programs: readonly string[],
  removed: readonly string[],
  now: Date,
): string[] {
  const ready = readyOf(instances, programs).map(({ id }) => id);
  const gone = removed.filter((name) => instances.every(({ program }) => program !== name));
  return [
    ...shortLines(instances, programs, now),
    ...(ready.length === 0 ? [] : [`${plural(ready.length, 'instance')} ready (${idRanges(ready)})`]),
    ...(gone.length === 0 ? [] : [`nothing is left of ${gone.join(', ')}`]),
  ];
}

/** `mailer:0 is not ready: backoff; exited with code 1, tried again in 3s`. */
export const shortLines = (instances: Instances, programs: readonly string[], now: Date): string[] =>
  shortOf(instances, programs).map((instance) => {
    const said = doing(instance, now);
    return `${instance.id} is not ready: ${instance.state}${said === '' ? '' : `; ${said}`}`;
  });
