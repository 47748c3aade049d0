/** The effective config as YAML that loads to the same plan. */
import { stringify } from 'yaml';
import type { Plan } from '../core/plan.ts';
import { TOP } from './keys.ts';
import type { Written } from './tree.ts';
import { writtenProgram } from './written.ts';

/** Every key with its value, defaults included, all paths absolute, no variables left. */
export function showConfig(plan: Plan): string {
  const written = new Map<string, Written>();
  written.set('supervisor', TOP.supervisor.shape.show(plan));
  const groups = new Map(Object.entries(plan.groups));
  if (groups.size > 0) written.set('groups', TOP.groups.shape.show(groups));
  written.set('programs', new Map(plan.programs.map((one) => [one.name, writtenProgram(one)])));
  // A long line that is folded is harder to read than a long line, and harder to paste.
  return stringify(written, { lineWidth: 0, aliasDuplicateObjects: false });
}
