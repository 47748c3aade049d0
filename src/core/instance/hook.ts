/** Which hook a phase wants to run: derived from the phase alone, so that none is forgotten or runs on. */
import type { HookName } from '../plan.ts';
import { type Life, lifeOf, type Phase } from './phase.ts';

export interface Hooking {
  readonly life: Life;
  readonly hook: HookName;
}

export function hookOf(phase: Phase): Hooking | null {
  const hook = hookName(phase);
  const life = lifeOf(phase);
  return hook === null || life === null ? null : { life, hook };
}

function hookName(phase: Phase): HookName | null {
  switch (phase.kind) {
    case 'preparing':
      return 'pre_start';
    case 'starting':
      return phase.hook ? 'post_start' : null;
    case 'draining':
      return phase.asked ? null : 'pre_drain';
    case 'cleaning':
      return 'post_stop';
    default:
      return null;
  }
}
