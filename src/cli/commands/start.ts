/** `start`: the daemon, where none runs, and then the named programs. */
import { NoDaemonError } from '../../client/errors.ts';
import { afterTaken, takenBy } from '../../config/claim.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { ActionReply } from '../../protocol/replies.ts';
import { refuseAnotherConfig } from '../another-config.ts';
import type { Context } from '../context.ts';
import { patiently } from '../patience.ts';
import { Refusal } from '../refusal.ts';
import { actionLines, changeLines, failures, TO_RUN } from '../render/actions.ts';
import { idRanges, plural } from '../render/words.ts';
import type { Place } from '../whereabouts.ts';

export interface StartOptions {
  readonly foreground?: boolean;
  readonly wait: boolean;
  /** Milliseconds; null for `none`. */
  readonly timeout?: number | null;
}

export async function start(
  context: Context,
  selectors: readonly string[],
  options: StartOptions,
): Promise<ExitCode> {
  if (options.foreground === true) return inForeground(context, selectors);
  const limits = { timeoutMs: options.timeout, goesOn: 'the start goes on; see "tsup-visor status"' };
  const reply = await patiently(context, limits, (signal) => ask(context, selectors, options, signal));
  if (reply === null) {
    context.say(FIRST);
    return inForeground(context, selectors);
  }
  report(context, reply);
  return failures(reply).length > 0 ? EXIT.failed : EXIT.done;
}

/** All that a container runs ends with its first process: a daemon in the background would be killed at once. */
const FIRST = 'tsup-visor: this is the first process of its container, so the daemon stays in the foreground';

async function inForeground(context: Context, selectors: readonly string[]): Promise<ExitCode> {
  const { foreground } = await import('../foreground.ts');
  return foreground(context, selectors);
}

/** Asks the daemon that runs, or one that is started for it; null: that has to be this very process. */
async function ask(
  context: Context,
  selectors: readonly string[],
  { wait }: StartOptions,
  signal: AbortSignal,
): Promise<ActionReply | null> {
  refuseSecond(await context.place());
  const client = await context.client();
  const body = { selectors: [...selectors], wait };
  await refuseAnotherConfig(context, client, signal);
  try {
    return await client.start(body, { signal });
  } catch (error) {
    if (!(error instanceof NoDaemonError) || error.absence !== 'absent') throw error;
  }
  if (process.pid === 1) return null;
  const { launch } = await import('../launch.ts');
  const tookOver = await launch(context, signal);
  const reply = await client.start(body, { signal });
  return tookOver.length === 0 ? reply : { ...reply, remarks: [...(reply.remarks ?? []), taken(tookOver)] };
}

/** The daemon knows that as well, and says it to whoever starts it by itself. */
function refuseSecond({ claim }: Place): void {
  if (claim !== undefined) throw new Refusal(EXIT.conflict, takenBy(claim), afterTaken(claim));
}

/** Of what a daemon that has died had left at work. */
const taken = (ids: readonly string[]): string =>
  `took over ${plural(ids.length, 'running instance')} (${idRanges(ids)})`;

function report(context: Context, reply: ActionReply): void {
  if (context.json) context.printJson(reply);
  else context.print(...changeLines(reply.changes), ...actionLines(reply, { ...TO_RUN, begun: 'starting' }));
}
