/** What of the logs block cannot be had where programs write to their files by themselves. */
import type { LogsPlan, ProgramPlan } from '../core/plan.ts';

/** As the rest of a sentence; empty where nobody wants any of it. */
export function keysNotHeld(programs: readonly ProgramPlan[]): string {
  const isAsked = (fits: (logs: LogsPlan) => boolean): boolean => programs.some(({ logs }) => fits(logs));
  const keys = [
    isAsked(({ maxBytes }) => maxBytes !== null) ? ['max_size', 'keep'] : [],
    isAsked(({ maxAgeMs }) => maxAgeMs !== null) ? ['max_age'] : [],
    isAsked(({ compress }) => compress) ? ['compress'] : [],
    isAsked(({ timestamps }) => timestamps) ? ['timestamps'] : [],
    isAsked(({ format }) => format !== 'raw') ? ['format'] : [],
  ].flat();
  if (keys.length === 0) return '';
  return `; of the keys of logs, ${keys.join(', ')} do not hold (logrotate with copytruncate can rotate the files)`;
}
