/** `events`: what has happened, one line each. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { Context } from '../context.ts';
import { eventLine } from '../render/events.ts';

export interface EventsOptions {
  readonly follow?: boolean;
}

export async function events(context: Context, options: EventsOptions): Promise<ExitCode> {
  const [client, paint] = await Promise.all([context.client(), context.paint()]);
  const over = new AbortController();
  const quiet = context.io.onInterrupt(() => over.abort());
  try {
    for await (const event of client.events({ follow: options.follow === true }, { signal: over.signal })) {
      context.print(context.json ? JSON.stringify(event) : eventLine(event, paint));
    }
    return EXIT.done;
  } catch (error) {
    if (over.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    quiet();
  }
}
