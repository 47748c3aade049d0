/** Which files the lines are in that somebody wants to see: the daemon knows, or else the config does. */
import { NoDaemonError } from '../client/errors.ts';
import type { LineFormat } from '../logs/read/format.ts';
import { EXIT } from '../protocol/errors.ts';
import type { LogsReply } from '../protocol/replies.ts';
import type { Context } from './context.ts';
import { Refusal } from './refusal.ts';

export interface Source {
  readonly instance: string;
  readonly stream: LogsReply['files'][number]['stream'];
  readonly path: string;
  readonly format: LineFormat;
}

export interface Streams {
  readonly stderr?: boolean;
  readonly both?: boolean;
  /** The daemon's own log: alone, or beside those of the instances that are named. */
  readonly daemon?: boolean;
}

/** Throws a refusal when the named instances write none. */
export async function sourcesOf(
  context: Context,
  selectors: readonly string[],
  streams: Streams,
): Promise<Source[]> {
  const client = await context.client();
  const reply = await client
    .logs(selectors)
    .catch((error: unknown) => withoutDaemon(error, context, selectors));
  if (streams.daemon === true && reply.daemon === undefined)
    throw new Refusal(EXIT.failed, 'this daemon does not say where its own log is', UPGRADE);
  const sources = chosen(reply, selectors, streams);
  if (sources.length > 0) return sources;
  throw new Refusal(
    EXIT.failed,
    'cannot show logs: the named instances keep none',
    'see "logs:" in the config: what is "none" is gone, and what is "inherit" is on the daemon\'s own stdout',
  );
}

/** Two streams may share a file. */
export function chosen(
  { files, daemon }: LogsReply,
  selectors: readonly string[],
  { stderr = false, both = false, daemon: isDaemon = false }: Streams,
): Source[] {
  const own: Source[] =
    isDaemon && daemon !== undefined ? [{ instance: 'daemon', stream: 'stdout', ...daemon }] : [];
  if (isDaemon && selectors.length === 0) return own;
  const wanted = files.filter(
    ({ stream }) => both || stream === 'merged' || (stream === 'stderr') === stderr,
  );
  const byPath = new Map<string, Source>();
  for (const { instance, stream, path, format = 'raw' } of wanted) {
    if (path !== null && !byPath.has(path)) byPath.set(path, { instance, stream, path, format });
  }
  return [...byPath.values(), ...own];
}

const UPGRADE = '"tsup-visor upgrade" gives it the version of this command';

/** After the daemon's end is when people want to look. */
async function withoutDaemon(
  error: unknown,
  context: Context,
  selectors: readonly string[],
): Promise<LogsReply> {
  if (!(error instanceof NoDaemonError) || error.absence !== 'absent' || (await context.place()).given)
    throw error;
  const { plannedLogs } = await import('./log-plan.ts');
  const reply = plannedLogs(context, selectors, error);
  context.say(
    context.json
      ? JSON.stringify({ warning: { message: error.message } })
      : `tsup-visor: ${error.message}; this is what was written before`,
  );
  return reply;
}
