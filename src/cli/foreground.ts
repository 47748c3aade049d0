/** `start --foreground`: the daemon in this very process, and what the instances write, each line with its name. */
import { statSync } from 'node:fs';
import { connect } from '../client/client.ts';
import type { ExitCode } from '../protocol/errors.ts';
import type { LogsReply } from '../protocol/replies.ts';
import type { Context } from './context.ts';
import { configFile } from './place.ts';
import { linePrinter } from './render/log-line.ts';
import { followFiles } from './tail.ts';

export async function foreground(context: Context, selectors: readonly string[]): Promise<ExitCode> {
  context.io.outliveReaders();
  const { socket, given } = await context.place();
  // The only way from here into the daemon's room.
  const { runForeground } = await import('../daemon/foreground.ts');
  const over = new AbortController();
  let logs = Promise.resolve();
  try {
    return await runForeground({
      configFile: configFile(context.options, context.io),
      socket: given ? socket : undefined,
      selectors,
      say: (text) => context.say(text),
      started: async () => {
        const { files } = await connect(socket).logs([]);
        logs = showLogs(context, files, over.signal);
      },
    });
  } finally {
    over.abort();
    await logs;
  }
}

/** From now on: what was written before is in the files. */
async function showLogs(context: Context, files: LogsReply['files'], signal: AbortSignal): Promise<void> {
  const sources = files.flatMap(({ instance, path }) => (path === null ? [] : [{ instance, path }]));
  const paths = sources.map(({ path }) => path);
  const sizes = paths.map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  const line = linePrinter(
    sources.map(({ instance }) => instance),
    await context.paint(),
  );
  await followFiles(
    paths,
    sizes,
    (at, lines) => context.print(...lines.map((text) => line(at, text))),
    signal,
  );
}
