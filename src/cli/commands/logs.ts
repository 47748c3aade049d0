/** `logs`: what the instances wrote, read from their files. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { Context } from '../context.ts';
import { LogShelf, type Shown } from '../log-shelf.ts';
import { type Streams, sourcesOf } from '../log-sources.ts';
import { Refusal } from '../refusal.ts';

export interface LogsOptions extends Streams, Shown {
  readonly follow?: boolean;
}

export async function logs(
  context: Context,
  selectors: readonly string[],
  options: LogsOptions,
): Promise<ExitCode> {
  if (options.follow === true && options.until !== undefined)
    throw new Refusal(EXIT.usage, '--follow has no end, and --until is one', 'leave one of them out');
  if (options.daemon === true && selectors.length > 0)
    throw new Refusal(
      EXIT.usage,
      '--daemon is the log of the daemon, and of nobody else',
      'name none, or leave it out',
    );
  const over = new AbortController();
  const shelf = new LogShelf(context, options, await context.paint(), over.signal);
  // What has an end of its own is ended by Ctrl-C as any program is.
  const quiet = options.follow === true ? context.io.onInterrupt(() => over.abort()) : () => {};
  try {
    await shelf.add(await sourcesOf(context, selectors, options));
    await shelf.show(shelf.paths);
    if (options.follow === true) {
      const { followLogs } = await import('../log-follow.ts');
      await followLogs(context, selectors, options, shelf, over.signal);
    }
    await shelf.showRest();
    return over.signal.aborted ? EXIT.interrupted : shelf.exit;
  } finally {
    quiet();
    shelf.close();
  }
}
