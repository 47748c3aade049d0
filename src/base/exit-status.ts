/** How a process ended, as far as the system tells. */
export type ExitStatus =
  | { readonly kind: 'code'; readonly code: number }
  /** `oom`: the kernel ended it for want of memory. */
  | { readonly kind: 'signal'; readonly signal: string; readonly oom?: true }
  /** The process was not our child, or the system did not say. Never guessed to be 0. */
  | { readonly kind: 'unknown' };

export function describeExit(exit: ExitStatus): string {
  if (exit.kind === 'code') return `exited with code ${exit.code}`;
  if (exit.kind === 'signal' && exit.oom) return 'was ended by the kernel: out of memory';
  if (exit.kind === 'signal') return `was ended by ${exit.signal}`;
  return 'ended, with an unknown exit status';
}
