/** `logs --follow`: what is written from now on, also by instances that come later, and from one daemon to the next. */
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Client } from '../client/client.ts';
import { DaemonError, NoDaemonError, ProtocolError } from '../client/errors.ts';
import { beginAt, type Mark } from '../logs/read/begin.ts';
import { Bell } from '../logs/read/bell.ts';
import { Folders } from '../logs/read/generations.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { Context } from './context.ts';
import type { LogShelf } from './log-shelf.ts';
import { chosen, type Streams } from './log-sources.ts';
import { pause } from './pause.ts';

const RETRY_MS = 250;

export async function followLogs(
  context: Context,
  selectors: readonly string[],
  streams: Streams,
  shelf: LogShelf,
  over: AbortSignal,
): Promise<void> {
  const bell = new Bell();
  const ends = endsBeside(shelf.paths);
  const failed = new AbortController();
  const look = async (client: Client): Promise<string[]> => {
    const reply = await client.logs(selectors, { signal: over });
    await shelf.add(chosen(reply, streams), (path) => beginAt(path, ends.get(path), new Folders()));
    bell.wake();
    return reply.files.map(({ instance }) => instance);
  };
  const newcomers = welcome(context, look, over).catch((error: unknown) => failed.abort(error));
  const stop = AbortSignal.any([over, failed.signal]);
  try {
    while (!stop.aborted) await shelf.show(await bell.next(shelf.paths, stop));
  } finally {
    bell.close();
  }
  await newcomers;
  failed.signal.throwIfAborted();
}

/** Looks for new ones when the daemon tells of somebody unknown, and when another daemon answers. */
async function welcome(
  context: Context,
  look: (client: Client) => Promise<string[]>,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    try {
      const client = await context.client();
      const known = new Set(await look(client));
      for await (const event of client.events({ follow: true }, { signal: over })) {
        const instance = instanceIn(event);
        if (instance === undefined || known.has(instance)) continue;
        known.add(instance);
        for (const each of await look(client)) known.add(each);
      }
    } catch (error) {
      // What is in the files can be followed without a daemon; the next one is asked again.
      const isExpected =
        error instanceof NoDaemonError || error instanceof DaemonError || error instanceof ProtocolError;
      if (!over.aborted && !isExpected) throw error;
    }
    await pause(RETRY_MS, over);
  }
}

const instanceIn = (event: WireEvent): string | undefined =>
  'instance' in event ? event.instance : undefined;

/** Where the files end that are beside these: what is written there from now on is new, whoever it will belong to. */
function endsBeside(paths: readonly string[]): Map<string, Mark> {
  const ends = new Map<string, Mark>();
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats?.isFile()) ends.set(path, { dev: stats.dev, ino: stats.ino, offset: stats.size });
    }
  }
  return ends;
}

/** Those of rotated files lead nowhere else. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !/\.\d+(?:\.gz)?$/.test(name));
  } catch {
    return [];
  }
}
