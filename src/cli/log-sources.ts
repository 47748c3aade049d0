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
  /** The daemon's own log instead. */
  readonly daemon?: boolean;
  readonly stderr?: boolean;
  readonly both?: boolean;
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
    .catch((error: unknown) => withoutDaemon(error, context, selectors, streams));
  const sources = chosen(reply, streams);
  if (sources.length > 0) return sources;
  if (streams.daemon === true)
    throw new Refusal(
      EXIT.failed,
      'the daemon that runs does not say where its log is',
      '"tsup-visor upgrade" replaces it',
    );
  throw new Refusal(
    EXIT.failed,
    'cannot show logs: the named instances keep none',
    'see "logs:" in the config: what is "none" is gone, and what is "inherit" is on the daemon\'s own stdout',
  );
}

/** Two streams may share a file. */
export function chosen(
  { files, daemon }: LogsReply,
  { stderr = false, both = false, daemon: isOwn = false }: Streams,
): Source[] {
  if (isOwn) return daemon === undefined ? [] : [ownSource(daemon)];
  const wanted = files.filter(
    ({ stream }) => both || stream === 'merged' || (stream === 'stderr') === stderr,
  );
  const byPath = new Map<string, Source>();
  for (const { instance, stream, path, format = 'raw' } of wanted) {
    if (path !== null && !byPath.has(path)) byPath.set(path, { instance, stream, path, format });
  }
  return [...byPath.values()];
}

/** Its objects are shown as they are: they say more than the objects of a program do. */
const ownSource = ({ path, format }: NonNullable<LogsReply['daemon']>): Source => ({
  instance: 'daemon',
  stream: 'merged',
  path,
  format: format === 'json' ? 'raw' : format,
});

/** After the daemon's end is when people want to look. */
async function withoutDaemon(
  error: unknown,
  context: Context,
  selectors: readonly string[],
  { daemon: isOwn = false }: Streams,
): Promise<LogsReply> {
  if (!(error instanceof NoDaemonError) || error.absence !== 'absent' || (await context.place()).given)
    throw error;
  const { plannedFiles, plannedOwn } = await import('./log-plan.ts');
  const daemon = plannedOwn(context);
  const files = isOwn ? [] : plannedFiles(context, selectors, error);
  context.say(
    context.json
      ? JSON.stringify({ warning: { message: error.message } })
      : `tsup-visor: ${error.message}; this is what was written before`,
  );
  return { version: 1, files, daemon };
}
