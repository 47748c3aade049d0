/** Watching what the daemon has begun, as long as the user wants to. */
import type { Client } from '../client/client.ts';
import type { Begun, Seen } from './begun.ts';
import type { Context } from './context.ts';
import { follow } from './follow.ts';
import { type Limits, patiently } from './patience.ts';
import type { View } from './view.ts';

/** How all stands in the end; throws a refusal when the wait is over first. */
export function watch(
  context: Context,
  client: Client,
  begun: Begun,
  { view, ...limits }: Limits & { readonly view: View },
): Promise<Seen> {
  return patiently(context, limits, async (signal) => {
    let ended: Seen | undefined;
    try {
      ended = await follow(client, begun, view, signal);
      return ended;
    } finally {
      // The terminal is whole again before anything else is said.
      await view.close(ended);
    }
  });
}
