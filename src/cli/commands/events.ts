/** `events`: what has happened, one line each. */
import type { Client } from '../../client/client.ts';
import { NoDaemonError } from '../../client/errors.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { WireEvent } from '../../protocol/events.ts';
import { Absence } from '../absence.ts';
import type { Context } from '../context.ts';
import { pause } from '../pause.ts';
import { eventLine } from '../render/events.ts';
import { Told } from '../told.ts';

export interface EventsOptions {
  readonly follow?: boolean;
}

export async function events(context: Context, options: EventsOptions): Promise<ExitCode> {
  const [client, paint] = await Promise.all([context.client(), context.paint()]);
  const over = new AbortController();
  const quiet = context.io.onInterrupt(() => over.abort());
  const print = (event: WireEvent): void =>
    context.print(context.json ? JSON.stringify(event) : eventLine(event, paint));
  try {
    if (options.follow === true) await follow(client, print, over.signal);
    else for await (const event of client.events({}, { signal: over.signal })) print(event);
    return EXIT.done;
  } catch (error) {
    if (over.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    quiet();
  }
}

const RETRY_MS = 50;

/** To the end of the daemon, and of those that it hands over to. */
async function follow(client: Client, print: (event: WireEvent) => void, signal: AbortSignal): Promise<void> {
  let isNextToCome = false;
  const told = new Told(); // a daemon that goes on after all tells again what it knows
  const absence = new Absence(() => {});
  do {
    try {
      for await (const event of client.events({ follow: true }, { signal })) {
        isNextToCome = event.type === 'daemon' && event.state === 'handing_over';
        absence.found();
        if (told.isNew(event)) print(event);
      }
    } catch (error) {
      if (!isNextToCome || !(error instanceof NoDaemonError)) throw error;
      absence.lost(error);
      await pause(RETRY_MS, signal);
    }
  } while (isNextToCome);
}
