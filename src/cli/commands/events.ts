/** `events`: what has happened, one line each, also in the lives of daemons before this one. */
import type { Client, EventsQuery } from '../../client/client.ts';
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
  /** So many of those that have happened already. */
  readonly lines?: number;
  readonly since?: Date;
}

export async function events(context: Context, options: EventsOptions): Promise<ExitCode> {
  const [client, paint] = await Promise.all([context.client(), context.paint()]);
  const over = new AbortController();
  const quiet = context.io.onInterrupt(() => over.abort());
  const print = (event: WireEvent): void =>
    context.print(context.json ? JSON.stringify(event) : eventLine(event, paint));
  const query = queryOf(options);
  try {
    if (options.follow === true) await follow(client, query, print, over.signal);
    else for await (const event of once(context, client, options, over.signal)) print(event);
    return EXIT.done;
  } catch (error) {
    if (over.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    quiet();
  }
}

/** Of the daemon, or what the last one has written down: after its end is when people want to look. */
async function* once(
  context: Context,
  client: Client,
  options: EventsOptions,
  signal: AbortSignal,
): AsyncGenerator<WireEvent> {
  try {
    yield* client.events(queryOf(options), { signal });
  } catch (error) {
    const isAbsent = error instanceof NoDaemonError && error.absence === 'absent';
    if (!isAbsent || (await context.place()).given) throw error;
    yield* (await import('../event-archive.ts')).archived(context, options, error);
  }
}

/** Whoever waits for what comes is shown as much of the past as `logs` shows, unless he wants another part of it. */
const SHOWN_BEFORE = 10;

function queryOf({ follow, lines, since }: EventsOptions): EventsQuery {
  const from = since === undefined ? {} : { from: since.toISOString() };
  const last = lines ?? (follow === true && since === undefined ? SHOWN_BEFORE : 'all');
  return { ...from, last };
}

const RETRY_MS = 50;

/** To the end of the daemon, and of those that it hands over to. */
async function follow(
  client: Client,
  query: EventsQuery,
  print: (event: WireEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  let isNextToCome = false;
  let last: WireEvent | undefined;
  const told = new Told(); // a daemon that goes on after all tells again what it knows
  const absence = new Absence(() => {});
  do {
    const from = last === undefined ? query : { from: last.at };
    const isFirst = last === undefined;
    try {
      for await (const event of client.events({ follow: true, ...from }, { signal })) {
        isNextToCome = event.type === 'daemon' && event.state === 'handing_over';
        absence.found();
        last = event;
        if (isFirst)
          told.tell(event); // the dates of a long history go back wherever somebody has set the clock
        else if (!told.isNew(event)) continue;
        print(event);
      }
    } catch (error) {
      if (!isNextToCome || !(error instanceof NoDaemonError)) throw error;
      absence.lost(error);
      await pause(RETRY_MS, signal);
    }
  } while (isNextToCome);
}
