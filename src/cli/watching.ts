/** Watching what the daemon has begun, as long as the user wants to. */
import type { Client } from '../client/client.ts';
import type { Begun, Seen } from './begun.ts';
import type { Context } from './context.ts';
import { follow, type Viewer } from './follow.ts';
import { type Limits, patiently } from './patience.ts';
import { nextSteps } from './render/next-step.ts';
import { rolloutSentence } from './render/rollout.ts';
import type { View } from './view.ts';

export interface Watch {
  readonly view: View;
  readonly timeoutMs: Limits['timeoutMs'];
  /** As in `Limits`, where nobody is needed for it. */
  readonly goesOn: string;
}

/** How all stands in the end; throws a refusal when the wait is over first. */
export function watch(
  context: Context,
  client: Client,
  begun: Begun,
  { view, timeoutMs, goesOn }: Watch,
): Promise<Seen> {
  let last: Pick<Seen, 'rollouts'> = begun;
  const viewer: Viewer = {
    ...view,
    look(seen) {
      last = seen;
      view.look(seen);
    },
  };
  const limits = { timeoutMs, goesOn: () => heldWords(last) ?? goesOn };
  return patiently(context, limits, async (signal) => {
    let ended: Seen | undefined;
    try {
      ended = await follow(client, begun, viewer, signal);
      return ended;
    } finally {
      // The terminal is whole again before anything else is said.
      await view.close(ended);
    }
  });
}

/** What is held goes on only when somebody says so, or when its time has come. */
function heldWords({ rollouts }: Pick<Seen, 'rollouts'>): string | undefined {
  const held = rollouts.find(({ state, canary }) => state === 'running' && canary?.state === 'held');
  return held === undefined ? undefined : `${rolloutSentence(held)}; ${nextSteps(held).join(', or ')}`;
}
