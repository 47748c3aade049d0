/** The answer to start, stop, restart, scale and signal. */
import type { ActionOutcome, ActionReply, PlanChange } from '../../protocol/replies.ts';
import type { InstanceState } from '../../protocol/status.ts';
import { printable } from './text.ts';
import { idRanges, plural } from './words.ts';

/** One word for where the instances got: `4 instances ready (worker:0-3)`. */
export interface Verbs {
  readonly done: string;
  readonly begun: string;
}

/** A line for each instance that is not as wanted, then the sum. */
export function actionLines(reply: ActionReply, verbs: Verbs): string[] {
  const lines = failures(reply).map(({ message }) => printable(message));
  const sum = (outcomes: readonly ActionOutcome[], word: string) => lines.push(...sumLine(outcomes, word));
  sum(fresh(reply, true), verbs.done);
  sum(
    reply.instances.filter(({ ok, already }) => ok === true && already),
    `${verbs.done} already`,
  );
  sum(fresh(reply, null), verbs.begun);
  sum(failures(reply), `not ${verbs.done}`);
  lines.push(...leftLines(reply));
  return lines.length > 0 ? lines : ['nothing to do'];
}

/** Some came, some went: a sum for each state that they got to. */
export function scaleLines(reply: ActionReply): string[] {
  const changed = reply.instances.filter(({ ok, already }) => ok !== false && !already);
  const states = [...new Set(changed.map(({ state }) => state))];
  const sums = states.flatMap((wanted) =>
    sumLine(
      changed.filter(({ state }) => state === wanted),
      SCALED[wanted] ?? wanted,
    ),
  );
  const lines = [...failures(reply).map(({ message }) => printable(message)), ...sums, ...leftLines(reply)];
  return lines.length > 0 ? lines : ['nothing to do: there are as many already'];
}

const SCALED: Readonly<Partial<Record<InstanceState, string>>> = { running: 'ready', stopped: 'removed' };

function sumLine(outcomes: readonly ActionOutcome[], word: string): string[] {
  if (outcomes.length === 0) return [];
  return [`${plural(outcomes.length, 'instance')} ${word} (${idRanges(outcomes.map(({ id }) => id))})`];
}

const leftLines = ({ left_stopped }: ActionReply): string[] =>
  left_stopped.length === 0
    ? []
    : [`left stopped, as an operator wished: ${idRanges(left_stopped)}; start them by name`];

export const failures = (reply: ActionReply): ActionOutcome[] =>
  reply.instances.filter(({ ok }) => ok === false);

const fresh = (reply: ActionReply, verdict: true | null): ActionOutcome[] =>
  reply.instances.filter(({ ok, already }) => ok === verdict && !(verdict === true && already));

/** `worker: drain.timeout 5m -> 10m`, a line each. */
export const changeLines = (changes: readonly PlanChange[]): string[] =>
  changes.map(({ program, key, from, to, note }) => {
    const change = `${program}: ${key} ${printable(from)} -> ${printable(to)}`;
    return note === null ? change : `${change} (${note})`;
  });
