/** A number or a percentage of so many instances, as a number. */
import type { Share } from '../core/plan.ts';

/** A part of an instance counts as one. */
export const atLeast = (share: Share, of: number): number =>
  share.kind === 'count' ? share.count : Math.ceil((share.percent * of) / 100);

/** A part of an instance is none; but one always may be away. */
export const atMost = (share: Share, of: number): number =>
  share.kind === 'count' ? share.count : Math.max(1, Math.floor((share.percent * of) / 100));
