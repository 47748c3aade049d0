/** What a reload changes, as a plan: what comes, what goes, and key by key what is another and when it counts. */
import type { ChangeEffect, PlanChange, ReloadReply } from '../../protocol/replies.ts';
import type { Paint } from './paint.ts';
import { printable } from './text.ts';

/** Empty where there is nothing to change. */
export const reloadLines = (reply: ReloadReply, paint: Paint): string[] => [
  ...reply.added.map((program) => paint.good(`+ ${program}`)),
  ...reply.removed.map((program) => paint.bad(`- ${program}`)),
  ...reply.changes.map((change) => `${paint.busy('~')} ${changeText(change)}`),
  ...reply.skipped.map(({ program, reason }) => `${program} is left alone: ${printable(reason)}`),
];

/** `worker: command "a" -> "b" (by a rolling restart)`. */
function changeText({ program, key, from, to, effect, note }: PlanChange): string {
  const when = note === null ? WHEN[effect] : `${WHEN[effect]}: ${printable(note)}`;
  return `${program === '' ? 'supervisor' : program}: ${key} ${printable(from)} -> ${printable(to)} (${when})`;
}

const WHEN: Readonly<Record<ChangeEffect, string>> = {
  live: 'now',
  next_start: 'at the next start',
  rolling: 'by a rolling restart',
  immutable: 'not before the daemon is started anew',
};
