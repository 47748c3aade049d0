/** `logs`: what the instances wrote, read from their files. */
import { NoDaemonError } from '../../client/errors.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { LogsReply } from '../../protocol/replies.ts';
import type { Context } from '../context.ts';
import { configFile } from '../place.ts';
import { Refusal } from '../refusal.ts';
import { linePrinter } from '../render/log-line.ts';
import { followFiles, lastLines } from '../tail.ts';

export interface LogsOptions {
  readonly follow?: boolean;
  /** Of each instance. */
  readonly lines: number;
  readonly stderr?: boolean;
}

export async function logs(
  context: Context,
  selectors: readonly string[],
  options: LogsOptions,
): Promise<ExitCode> {
  const [client, paint] = await Promise.all([context.client(), context.paint()]);
  const reply = await client.logs(selectors).catch((error: unknown) => withFolder(error, context));
  const sources = chosen(reply, options.stderr === true);
  const named = linePrinter(
    sources.map(({ instance }) => instance),
    paint,
  );
  const print = (at: number, lines: readonly string[]) => {
    const name = sources[at]?.instance ?? '';
    if (context.json) {
      context.print(...lines.map((line) => JSON.stringify({ instance: name, line })));
    } else if (sources.length === 1) context.print(...lines);
    else context.print(...lines.map((line) => named(at, line)));
  };
  const paths = sources.map(({ path }) => path);
  const offsets = paths.map((path, at) => {
    const last = lastLines(path, options.lines);
    print(at, last.lines);
    return last.end;
  });
  if (options.follow !== true) return EXIT.done;
  return untilInterrupted(context, (signal) => followFiles(paths, offsets, print, signal));
}

/** Only a daemon knows which file is whose; but after its end is when people want to look. */
async function withFolder(error: unknown, context: Context): Promise<never> {
  if (!(error instanceof NoDaemonError) || error.absence !== 'absent' || (await context.place()).given)
    throw error;
  const { planIn } = await import('../plan.ts');
  const { logDir } = planIn(configFile(context.options, context.io), context.io);
  throw new Refusal(
    EXIT.noDaemon,
    error.message,
    `what was written is in ${logDir}; "tsup-visor start" starts a daemon`,
  );
}

interface Source {
  readonly instance: string;
  readonly path: string;
}

/** The files to read. Throws when the named instances write none. */
function chosen({ files }: LogsReply, stderr: boolean): Source[] {
  const wanted = files.filter(({ stream }) => stream === 'merged' || (stream === 'stderr') === stderr);
  const sources = wanted.flatMap(({ instance, path }) => (path === null ? [] : [{ instance, path }]));
  if (sources.length > 0) return sources;
  throw new Refusal(
    EXIT.failed,
    'cannot show logs: the named instances keep none',
    'see "logs:" in the config',
  );
}

async function untilInterrupted(
  context: Context,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<ExitCode> {
  const over = new AbortController();
  const quiet = context.io.onInterrupt(() => over.abort());
  try {
    await work(over.signal);
  } finally {
    quiet();
  }
  return EXIT.interrupted;
}
