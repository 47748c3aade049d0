/** `status --watch`: the table drawn again each second, until Ctrl-C. */
import { EXIT, type ExitCode } from '../protocol/errors.ts';
import type { StatusReply } from '../protocol/status.ts';
import type { Context } from './context.ts';
import type { Out } from './io.ts';
import { pause } from './pause.ts';
import type { Paint } from './render/paint.ts';
import { type Look, statusLines } from './render/status.ts';
import { screen } from './screen.ts';

const EVERY_MS = 1000;

/** The last line of the terminal is the cursor's. */
const look = (paint: Paint, { columns, rows }: Out): Look => ({
  paint,
  width: columns,
  now: new Date(),
  rows: rows === undefined ? undefined : rows - 1,
});

export async function watchStatus(context: Context, selectors: readonly string[]): Promise<ExitCode> {
  const { stdout } = context.io;
  const [client, paint] = await Promise.all([context.client(), context.paint()]);
  const over = new AbortController();
  const quiet = context.io.onInterrupt(() => over.abort());
  let reply: StatusReply | undefined;
  const draw = () => {
    if (reply !== undefined) view.draw(statusLines(reply, look(paint, stdout)));
  };
  const view = screen(context.io, draw);
  try {
    while (!over.signal.aborted) {
      reply = await client.status({ selectors }, { signal: over.signal });
      draw();
      await pause(EVERY_MS, over.signal);
    }
  } catch (error) {
    if (!over.signal.aborted) throw error;
  } finally {
    view.close();
    quiet();
  }
  return EXIT.interrupted;
}
