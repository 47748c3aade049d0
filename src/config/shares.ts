/** A number or a percentage of so many instances, as a number. */
import type { ProgramPlan, Share } from '../core/plan.ts';

/** A part of an instance counts as one. */
export const atLeast = (share: Share, of: number): number =>
  share.kind === 'count' ? share.count : Math.ceil((share.percent * of) / 100);

/** A part of an instance is none; but one always may be away. */
export const atMost = (share: Share, of: number): number =>
  share.kind === 'count' ? share.count : Math.max(1, Math.floor((share.percent * of) / 100));

/** Extra instances of a rolling restart: what runs to completion has no capacity that could drop. */
export const extraOf = ({ rollout, instances, schedule, restart }: ProgramPlan): number =>
  schedule !== null || restart === 'never' ? 0 : atLeast(rollout.maxSurge, instances);
