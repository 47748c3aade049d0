/** The answer to start, stop, restart, scale and signal. */
import type { ActionOutcome, ActionReply, PlanChange } from '../../protocol/replies.ts';
import type { InstanceState } from '../../protocol/status.ts';
import { printable } from './text.ts';
import { idRanges, inLocalTime, plural } from './words.ts';

/** The words for where instances got: `4 instances ready (worker:0-3)`. */
export interface Verbs {
  readonly done: string;
  readonly begun: string;
  /** Where done means more than one thing. */
  readonly as?: Readonly<Partial<Record<InstanceState, string>>>;
}

/** A one-shot program has run, and one with a schedule waits for its time. */
const AT_REST: Readonly<Partial<Record<InstanceState, string>>> = { exited: 'completed', waiting: 'waiting' };

/** Of what is to run. */
export const TO_RUN = { done: 'ready', as: AT_REST } as const;

/** A line for each instance that is not as wanted, then the sum. */
export function actionLines(reply: ActionReply, verbs: Verbs): string[] {
  const { done, begun, as = {} } = verbs;
  const lines = summary(reply, ({ ok, already, state }) => {
    if (ok === null) return begun;
    if (!ok) return `not ${done}`;
    return `${as[state] ?? done}${already ? ' already' : ''}`;
  });
  return lines.length > 0 ? lines : ['nothing to do'];
}

/** Some have come and some have gone; where nothing had to be done, the answer says so itself. */
export function scaleLines(reply: ActionReply, counts: Readonly<Record<string, number>>): string[] {
  return [
    ...reply.instances.filter(({ already }) => already).map(({ message }) => inLocalTime(printable(message))),
    ...summary(reply, ({ id, ok, already, state }) => {
      if (already) return undefined;
      if (ok === null) return state;
      if (!ok) return 'not as wished yet';
      if (isSurplus(id, counts)) return 'removed';
      return state === 'stopped' ? 'added, and left stopped' : (AT_REST[state] ?? 'ready');
    }),
  ];
}

/** Numbers begin with 0, and the highest go first. */
function isSurplus(id: string, counts: Readonly<Record<string, number>>): boolean {
  const colon = id.lastIndexOf(':');
  return Number(id.slice(colon + 1)) >= (counts[id.slice(0, colon)] ?? 0);
}

/** What needs words of its own, then how many got where; who has no word is not counted. */
function summary(reply: ActionReply, wordOf: (outcome: ActionOutcome) => string | undefined): string[] {
  const sums = new Map<string, string[]>();
  for (const outcome of inOrder(reply.instances)) {
    const word = wordOf(outcome);
    if (word === undefined) continue;
    const ids = sums.get(word) ?? [];
    sums.set(word, ids);
    ids.push(outcome.id);
  }
  return [
    ...reply.instances.filter(needsWords).map(({ message }) => inLocalTime(printable(message))),
    ...[...sums].map(([word, ids]) => `${plural(ids.length, 'instance')} ${word} (${idRanges(ids)})`),
    ...(reply.left_stopped.length === 0
      ? []
      : [`left stopped, as an operator wished: ${idRanges(reply.left_stopped)}; start them by name`]),
    ...(reply.remarks ?? []).map(printable),
  ];
}

/** What went well, what was so already, what is on its way, what went wrong. */
function inOrder(outcomes: readonly ActionOutcome[]): ActionOutcome[] {
  const rank = ({ ok, already }: ActionOutcome) => (ok ? Number(already) : ok === null ? 2 : 3);
  return [...outcomes].sort((a, b) => rank(a) - rank(b));
}

/** What went wrong, what was cut short, and what waits: its message says for what. */
const needsWords = ({ ok, already, state, cut_short }: ActionOutcome): boolean =>
  ok === false || cut_short === true || (state === 'waiting' && !already);

export const failures = (reply: ActionReply): ActionOutcome[] =>
  reply.instances.filter(({ ok }) => ok === false);

/** `worker: drain.timeout 5m -> 10m`, a line each. */
export const changeLines = (changes: readonly PlanChange[]): string[] =>
  changes.map(({ program, key, from, to, note, effect }) => {
    const change = `${program}: ${key} ${printable(from)} -> ${printable(to)}`;
    const later =
      effect === 'next_start' && LATER.has(key.split('.')[0] ?? '') ? ['from the next run on'] : [];
    const remarks = [...later, ...(note === null ? [] : [note])];
    return remarks.length === 0 ? change : `${change} (${remarks.join('; ')})`;
  });

/** Of the end of a run: that of the present one is as it was when it began. */
const LATER: ReadonlySet<string> = new Set(['drain', 'stop', 'hooks']);
