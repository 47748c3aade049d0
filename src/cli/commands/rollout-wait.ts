/** `rollout wait`: without a word until a rolling restart is over, then how it ended. For scripts. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { RolloutStatus } from '../../protocol/status.ts';
import { byAge, isOpen, meantBy } from '../choose.ts';
import type { Context } from '../context.ts';
import { endLines } from '../render/rollout.ts';
import { silent } from '../view.ts';
import { watch } from '../watching.ts';

export interface WaitOptions {
  /** Milliseconds; null for `none`. */
  readonly timeout?: number | null;
}

export async function wait(
  context: Context,
  which: string | undefined,
  { timeout }: WaitOptions,
): Promise<ExitCode> {
  const client = await context.client();
  const { version, rollouts } = await client.rollouts();
  const begun = { rollouts: awaited(rollouts, which), programs: [], seq: undefined };
  const goesOn = 'the rollout goes on; see "tsup-visor rollout status"';
  const ended = begun.rollouts.some(({ state }) => state === 'running')
    ? (await watch(context, client, begun, { view: silent, timeoutMs: timeout, goesOn })).rollouts
    : begun.rollouts;
  if (context.json) context.printJson({ version, rollouts: ended });
  else if (ended.length === 0) context.print('no rolling restart so far');
  else context.answer(...ended.flatMap(endLines));
  return ended.every(({ state }) => state === 'succeeded') ? EXIT.done : EXIT.failed;
}

/** Those under way; where there is none, the last one: it may have ended before anybody could wait for it. */
function awaited(rollouts: readonly RolloutStatus[], which: string | undefined): RolloutStatus[] {
  const meant = byAge(which === undefined ? rollouts : meantBy(rollouts, which));
  const open = meant.filter(isOpen);
  return open.length > 0 ? open : meant.slice(-1);
}
