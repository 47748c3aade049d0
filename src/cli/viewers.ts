/** The ways of watching what the daemon does: drawn in place, a line an event, NDJSON, or without a word. */
import type { Client } from '../client/client.ts';
import type { Begun } from './begun.ts';
import type { Context } from './context.ts';
import { eventPerLine } from './event-lines.ts';
import { liveView } from './live-view.ts';
import type { Paint } from './render/paint.ts';
import { AWAY, BACK, silent, type View } from './view.ts';

/** For people; `what` goes on when the watching ends: `rollout`. */
export function viewOf(context: Context, client: Client, paint: Paint, begun: Begun, what: string): View {
  const { stdout, env } = context.io;
  const canDraw = stdout.isTTY && env.TERM !== 'dumb';
  return canDraw ? liveView(context, paint, begun, what) : eventPerLine(context, client, paint, begun);
}

export const ndjson = (context: Context): View => ({
  ...silent,
  event: (event) => context.print(JSON.stringify(event)),
  away: (isAway) => context.say(JSON.stringify({ warning: { message: isAway ? AWAY : BACK } })),
});
