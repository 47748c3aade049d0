/** What has happened, as the last daemon has written it down, while there is none to be asked. */
import type { NoDaemonError } from '../client/errors.ts';
import { EventHistory, eventsPath, KEPT_FILES } from '../daemon/event-history.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { Context } from './context.ts';
import { configFile } from './place.ts';
import { planIn } from './plan.ts';

export interface Wanted {
  readonly lines?: number;
  readonly since?: Date;
}

/** @throws `absent` where nothing has been written down, or not for this user to read. */
export async function* archived(
  context: Context,
  { lines, since }: Wanted,
  absent: NoDaemonError,
): AsyncGenerator<WireEvent> {
  const { stateDir } = planIn(configFile(context.options, context.io), context.io);
  const history = new EventHistory(eventsPath(stateDir), KEPT_FILES);
  if (history.isEmpty) throw absent;
  const { message } = absent;
  context.say(
    context.json
      ? JSON.stringify({ warning: { message } })
      : `tsup-visor: ${message}; this is what has happened before`,
  );
  for await (const block of history.blocks({ last: lines ?? null, from: since?.getTime() ?? null }))
    for (const line of block.trimEnd().split('\n')) yield JSON.parse(line);
}
