/** A short digest of how a program runs: the same digest, the same behaviour. */
import { createHash } from 'node:crypto';
import { type Revision, revision } from '../base/ids.ts';
import type { ProgramPlan } from '../core/plan.ts';

/** How many there are and whether they start by themselves says nothing about how each one runs. */
export function revisionOf(program: Omit<ProgramPlan, 'revision'>): Revision {
  const { instances: _instances, autostart: _autostart, ...deciding } = program;
  const digest = createHash('sha256')
    .update(JSON.stringify(sorted(deciding)))
    .digest('hex');
  return revision(digest.slice(0, 8));
}

/** The order in which keys were written does not matter. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, part]) => [key, sorted(part)]);
}
