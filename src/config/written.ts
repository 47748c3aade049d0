/** A program as its config would say it: what is shown, and what two plans are compared by. */
import type { ProgramPlan } from '../core/plan.ts';
import { program } from './program-keys.ts';
import type { Written } from './tree.ts';

/** With every key, in the order of the documentation. */
export function writtenProgram(plan: ProgramPlan): Written {
  const shown = program.show({ ...plan, command: { kind: 'words', words: plan.command }, shell: false });
  if (!(shown instanceof Map)) return shown;
  shown.delete('shell'); // a shell is part of the words by now
  return shown;
}
