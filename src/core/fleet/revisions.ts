/** The plans that a program has had, and which of them was whole: what a revert goes back to. */
import type { Wall } from '../../base/clock.ts';
import type { ProgramName, Revision } from '../../base/ids.ts';
import type { ProgramPlan } from '../plan.ts';

export interface PastPlan {
  readonly plan: ProgramPlan;
  /** Since when. */
  readonly at: Wall;
  /** All wanted instances have worked with it at the same time. */
  readonly whole: boolean;
}

export type Revisions = ReadonlyMap<ProgramName, readonly PastPlan[]>;

export const REVISIONS_KEPT = 10;

/** The last plan but `not` that was whole; null: none is known. */
export function lastWhole(past: readonly PastPlan[], not: Revision): ProgramPlan | null {
  return past.findLast(({ plan, whole }) => whole && plan.revision !== not)?.plan ?? null;
}
