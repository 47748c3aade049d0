/** Why an instance is where it is: its phase knows, or its run, and where there is none, the wish does. */
import type { Because } from '../instance/because.ts';
import type { Instance } from '../instance/instance.ts';
import { lifeOf } from '../instance/phase.ts';

export function reasonOf(instance: Instance): Because {
  const { phase } = instance;
  if ('ending' in phase) return phase.ending.because;
  if ('because' in phase) return phase.because;
  return lifeOf(phase)?.because ?? instance.wish.because;
}
