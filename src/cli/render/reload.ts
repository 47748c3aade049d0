/** What a reload changes, as a plan: what comes, what goes, and key by key what is another and when it counts. */
import type { ChangeEffect, PlanChange, ReloadReply } from '../../protocol/replies.ts';
import type { ProgramCount } from '../../protocol/status.ts';
import type { Paint } from './paint.ts';
import { printable } from './text.ts';
import { plural } from './words.ts';

/** Empty where there is nothing to change. */
export const reloadLines = (reply: ReloadReply, paint: Paint): string[] => [
  ...reply.added.map((program) => paint.good(`+ ${program}${countOf(reply, program)}`)),
  ...reply.removed.map((program) => paint.bad(`- ${program}${countOf(reply, program)}`)),
  ...reply.changes.map((change) => `${paint.busy('~')} ${changeText(change)}`),
  ...reply.skipped.map(({ program, reason }) => `${program} is left alone: ${printable(reason)}`),
  ...(reply.kept_counts ?? []).map(keptCount),
];

const keptCount = ({ program, instances, configured }: ProgramCount): string =>
  `${program} keeps the number that an operator has scaled it to: ${instances}; the config has ${configured}, as before`;

/** Where it is not the one that everybody expects. */
function countOf({ counts }: ReloadReply, program: string): string {
  const count = counts[program] ?? 1;
  return count === 1 ? '' : ` (${plural(count, 'instance')})`;
}

/** `worker: command a -> b (by a rolling restart)`; what is not a program's has its whole key: `groups.batch`. */
function changeText({ program, key, from, to, effect, note }: PlanChange): string {
  const place = program === '' ? key : `${program}: ${key}`;
  return `${place} ${printable(from)} -> ${printable(to)} (${when(effect, note)})`;
}

/** What a note says of an immutable key is why it is one. */
function when(effect: ChangeEffect, note: string | null): string {
  if (note === null || effect === 'immutable') return WHEN[effect];
  return `${WHEN[effect]}: ${printable(note)}`;
}

const WHEN: Readonly<Record<ChangeEffect, string>> = {
  live: 'now',
  next_start: 'at the next start',
  rolling: 'by a rolling restart',
  immutable: 'not before the daemon is started anew',
};
