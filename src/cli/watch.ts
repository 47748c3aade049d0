/** `status --watch`: the table drawn again each second, until Ctrl-C; from one daemon to the next. */
import { NoDaemonError } from '../client/errors.ts';
import { EXIT, type ExitCode } from '../protocol/errors.ts';
import type { StatusReply } from '../protocol/status.ts';
import { Absence } from './absence.ts';
import type { Context } from './context.ts';
import type { Out } from './out.ts';
import { pause } from './pause.ts';
import type { Paint } from './render/paint.ts';
import { type Look, statusLines } from './render/status.ts';
import { screen } from './screen.ts';
import { AWAY } from './view.ts';

const EVERY_MS = 1000;
const STALE = `${AWAY}; this is what was last known`;

/** The last line of the terminal is the cursor's. */
const look = (paint: Paint, { columns, rows }: Out, above: number): Look => ({
  paint,
  width: columns,
  now: new Date(),
  rows: rows === undefined ? undefined : rows - 1 - above,
});

export async function watchStatus(context: Context, selectors: readonly string[]): Promise<ExitCode> {
  const { stdout } = context.io;
  const [client, paint] = await Promise.all([context.client(), context.paint()]);
  const over = new AbortController();
  const quiet = context.io.onInterrupt(() => over.abort());
  let reply: StatusReply | undefined;
  let away: readonly string[] = [];
  const draw = () => {
    if (reply !== undefined) view.draw([...away, ...statusLines(reply, look(paint, stdout, away.length))]);
  };
  const absence = new Absence((isAway) => {
    away = isAway ? [STALE] : [];
  });
  const view = screen(context.io, draw);
  try {
    while (!over.signal.aborted) {
      try {
        reply = await client.status({ selectors }, { signal: over.signal });
        absence.found();
      } catch (error) {
        if (reply === undefined || !(error instanceof NoDaemonError)) throw error;
        absence.lost(error);
      }
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
