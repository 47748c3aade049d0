/** `shutdown`: drains everything and ends the daemon. */
import type { Client } from '../../client/client.ts';
import { NoDaemonError } from '../../client/errors.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { WireEvent } from '../../protocol/events.ts';
import { isAlive } from '../alive.ts';
import { refuseAnotherConfig } from '../another-config.ts';
import type { Context } from '../context.ts';
import { patiently } from '../patience.ts';
import { pause } from '../pause.ts';
import { isSocket } from '../refusal.ts';
import { eventLine } from '../render/events.ts';
import { plural } from '../render/words.ts';

export interface ShutdownOptions {
  readonly now?: boolean;
  /** Milliseconds until the daemon ends what still runs; null for `none`. */
  readonly timeout?: number | null;
}

export async function shutdown(context: Context, options: ShutdownOptions): Promise<ExitCode> {
  const client = await context.client();
  const limits = { timeoutMs: null, goesOn: 'the shutdown goes on; see "tsup-visor status"' };
  return patiently(context, limits, async (signal) => {
    await refuseAnotherConfig(context, client, signal);
    const reply = await begin(client, options, signal);
    if (reply === undefined) {
      // Whether all is as it was asked for is more than can be known here.
      if (isSocket(client.socket)) throw new NoDaemonError(client.socket, 'absent');
      context.say(`tsup-visor: no daemon runs at ${client.socket}; nothing to shut down`);
      return EXIT.done;
    }
    await untilSilent(context, client, reply.seq, signal);
    await untilEnded(reply.pid, signal);
    if (context.json) context.printJson(reply);
    else context.print(`the daemon has ended (${plural(reply.instances.length, 'instance')} stopped)`);
    return EXIT.done;
  });
}

/** Undefined: there is no daemon, so all is as it was asked for. */
async function begin(client: Client, { now, timeout }: ShutdownOptions, signal: AbortSignal) {
  const limit = timeout === null || timeout === undefined ? {} : { timeout_ms: timeout };
  try {
    return await client.shutdown({ how: now === true ? 'stop' : 'drain', ...limit }, { signal });
  } catch (error) {
    if (error instanceof NoDaemonError && error.absence === 'absent') return undefined;
    throw error;
  }
}

/** The stream of events ends with the daemon; nobody answers any more. */
async function untilSilent(
  context: Context,
  client: Client,
  seq: number,
  signal: AbortSignal,
): Promise<void> {
  const paint = await context.paint();
  while (await answers(client, signal)) {
    try {
      for await (const event of client.events({ follow: true, since: seq }, { signal })) {
        if (isNews(event)) context.say(eventLine(event, paint));
      }
    } catch (error) {
      if (!(error instanceof NoDaemonError)) throw error;
    }
    await pause(SETTLE_MS, signal);
    signal.throwIfAborted();
  }
}

/** Where a daemon that has ended cannot be told from a living one: not for ever, then. */
const ENDS_WITHIN_MS = 2000;

async function untilEnded(pid: number, signal: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + ENDS_WITHIN_MS;
  while (isAlive(pid) && performance.now() < giveUpAt) {
    await pause(SETTLE_MS, signal);
    signal.throwIfAborted();
  }
}

/** Between the end of its streams and the end of the daemon. */
const SETTLE_MS = 20;

const NEWS: ReadonlySet<string> = new Set(['draining', 'stopping', 'killing']);

const isNews = (event: WireEvent): boolean =>
  event.type === 'overdue' ||
  (event.type === 'phase' && NEWS.has(event.to)) ||
  (event.type === 'gone' && event.killed);

async function answers(client: Client, signal: AbortSignal): Promise<boolean> {
  try {
    await client.status({ usage: false }, { signal });
    return true;
  } catch (error) {
    if (error instanceof NoDaemonError) return false;
    throw error;
  }
}
