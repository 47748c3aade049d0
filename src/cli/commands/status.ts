/** `status`: what each instance does, once or again and again. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { StatusReply } from '../../protocol/status.ts';
import type { Context } from '../context.ts';
import { asTyped, Refusal } from '../refusal.ts';
import { isDegraded, statusLines } from '../render/status.ts';
import { oneVersion, twoVersions } from '../versions.ts';

export interface StatusOptions {
  readonly watch?: boolean;
}

/** `asked`: the reply to the same question, if somebody has put it already. */
export async function status(
  context: Context,
  selectors: readonly string[],
  options: StatusOptions,
  asked?: Promise<StatusReply>,
): Promise<ExitCode> {
  if (options.watch === true) return watch(context, selectors);
  const [reply, paint] = await Promise.all([
    context.client().then((client) => asked ?? client.status({ selectors })),
    context.paint(),
  ]);
  if (context.json) context.printJson(reply);
  else {
    const lines = statusLines(reply, { paint, width: context.io.stdout.columns, now: new Date() });
    context.print(asTyped(lines.join('\n'), context.options));
    const versions = twoVersions(reply.daemon.version);
    if (versions !== undefined) context.say(`${versions}; ${oneVersion()}`);
  }
  return isDegraded(reply) ? EXIT.degraded : EXIT.done;
}

async function watch(context: Context, selectors: readonly string[]): Promise<ExitCode> {
  if (context.json || !context.io.stdout.isTTY) {
    const instead = 'run "tsup-visor status" without it, or "tsup-visor events --follow"';
    throw new Refusal(EXIT.usage, 'cannot watch where stdout is not a terminal', instead);
  }
  const { watchStatus } = await import('../watch.ts');
  return watchStatus(context, selectors);
}
