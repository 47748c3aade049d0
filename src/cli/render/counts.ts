/** How many instances a program has where that is not the config's number, as a sentence. */
import type { ProgramCount } from '../../protocol/status.ts';
import { plural } from './words.ts';

/** `worker: 0 instances, scaled to 0 by an operator; the config has 3`. */
export function countSentence({ program, instances, configured }: ProgramCount): string {
  const has = `${program}: ${plural(instances, 'instance')}`;
  return instances === configured
    ? `${has}, as the config has it`
    : `${has}, scaled to ${instances} by an operator; the config has ${configured}`;
}

/** What a reload leaves as it is. */
export const keptCountSentence = ({ program, instances, configured }: ProgramCount): string =>
  `${program} keeps the number that an operator has scaled it to: ${instances}; the config has ${configured}, as before`;
