/** What is to be looked at while an instance is in a phase: derived from the phase alone, so none is forgotten. */
import type { Check, LogPattern } from '../plan.ts';
import type { Phase } from './phase.ts';

export type Purpose = Watch['purpose'];

export type Watch =
  /** Each answer is posted as `checked`. The first look is at once, the next so long after the last has ended. */
  | {
      readonly purpose: 'ready' | 'health' | 'drain';
      readonly check: Check;
      readonly everyMs: number;
      /** A try that takes longer has failed. */
      readonly tryMs: number;
    }
  /** Posted as `checked` once, when a line with it has been written since the run began. */
  | { readonly purpose: 'log'; readonly pattern: LogPattern }
  /** Each look is posted as `measured`. */
  | { readonly purpose: 'memory'; readonly everyMs: number };

/** Of one try, where the config has no key for it. */
export const TRY_MS = 3000;
const DRAIN_LOOK_MS = 1000;
/** Memory is looked at so often, or thrice in the time that it may be above. */
const MEMORY_LOOK_MS = 5000;

export function watchesOf(phase: Phase): readonly Watch[] {
  switch (phase.kind) {
    case 'starting': {
      const { ready } = phase.body.life.program;
      if (phase.hook) return NONE; // it was ready: only its post_start is waited for
      if (ready.when === 'log') return [{ purpose: 'log', pattern: ready.pattern }];
      if (ready.when !== 'check') return NONE;
      return [{ purpose: 'ready', check: ready.check, everyMs: ready.intervalMs, tryMs: TRY_MS }];
    }
    case 'running':
      return whileRunning(phase);
    case 'draining': {
      const { life, said } = phase.body;
      const { check } = life.program.drain;
      if (check === null || !phase.asked || said.drained || phase.ending.exit !== null) return NONE;
      return [{ purpose: 'drain', check, everyMs: DRAIN_LOOK_MS, tryMs: TRY_MS }];
    }
    default:
      return NONE;
  }
}

const NONE: readonly Watch[] = [];

function whileRunning({ body }: Extract<Phase, { kind: 'running' }>): readonly Watch[] {
  const { health, maxMemory } = body.life.program;
  if (health === null && maxMemory === null) return NONE;
  const watches: Watch[] = [];
  if (health !== null) {
    const { check, intervalMs, timeoutMs } = health;
    watches.push({ purpose: 'health', check, everyMs: intervalMs, tryMs: timeoutMs });
  }
  if (maxMemory !== null) {
    const everyMs = Math.max(100, Math.min(MEMORY_LOOK_MS, Math.floor(maxMemory.forMs / 3)));
    watches.push({ purpose: 'memory', everyMs });
  }
  return watches;
}
