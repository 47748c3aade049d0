/** The answer to start, stop and restart. */
import type { ActionOutcome, ActionReply, PlanChange } from '../../protocol/replies.ts';
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
  const sum = (outcomes: readonly ActionOutcome[], word: string) => {
    if (outcomes.length === 0) return;
    lines.push(`${plural(outcomes.length, 'instance')} ${word} (${idRanges(outcomes.map(({ id }) => id))})`);
  };
  sum(fresh(reply, true), verbs.done);
  sum(
    reply.instances.filter(({ ok, already }) => ok === true && already),
    `${verbs.done} already`,
  );
  sum(fresh(reply, null), verbs.begun);
  sum(failures(reply), `not ${verbs.done}`);
  if (reply.left_stopped.length > 0) {
    lines.push(`left stopped, as an operator wished: ${idRanges(reply.left_stopped)}; start them by name`);
  }
  return lines.length > 0 ? lines : ['nothing to do'];
}

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
