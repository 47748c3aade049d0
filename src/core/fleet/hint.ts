/** What whoever named something that is not there may have meant. */

import type { ProgramName } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';

export function whatThereIs(
  selector: string,
  programs: Iterable<ProgramName>,
  instances: Iterable<Instance>,
  groups: Readonly<Record<string, readonly ProgramName[]>>,
): string {
  const all = [...instances];
  if (selector.startsWith('@')) {
    return `the groups are: ${listed(Object.keys(groups).map((name) => `@${name}`))}`;
  }
  const program = selector.split(':', 1)[0] ?? '';
  const seats = all.filter((instance) => instance.program.name === program);
  if (seats.length > 0) return `${program} has ${range(seats)}`;
  const names = [...new Set([...programs, ...all.map((instance) => instance.program.name)])];
  return `the programs are: ${listed(names)}; what the config has had added since comes with "tsup-visor reload"`;
}

const range = (seats: readonly Instance[]): string =>
  seats.length === 1 ? `${seats[0]?.id}` : `${seats[0]?.id} to ${seats.at(-1)?.id}`;

const listed = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));
