/** `rotate` and `reopen`: what was written so far is put aside, or somebody else has done that. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { LogFilesReply } from '../../protocol/replies.ts';
import { refuseAnotherConfig } from '../another-config.ts';
import type { Context } from '../context.ts';
import { printable } from '../render/text.ts';
import { plural } from '../render/words.ts';

export async function rotate(context: Context, selectors: readonly string[]): Promise<ExitCode> {
  const client = await context.client();
  await refuseAnotherConfig(context, client);
  return tell(context, await client.rotateLogs({ selectors: [...selectors] }), 'put aside');
}

export async function reopen(context: Context, selectors: readonly string[]): Promise<ExitCode> {
  const client = await context.client();
  await refuseAnotherConfig(context, client);
  return tell(context, await client.reopenLogs({ selectors: [...selectors] }), 'opened anew');
}

/** How many, and what is to be said of those that were not as wanted. */
function tell(context: Context, reply: LogFilesReply, done: string): ExitCode {
  const { files } = reply;
  const of = (...outcomes: readonly string[]) => files.filter(({ outcome }) => outcomes.includes(outcome));
  if (context.json) context.printJson(reply);
  else {
    context.print(
      ...of('later', 'failed').map(({ message }) => printable(message)),
      of('done').length === 0 ? `nothing ${done}` : `${plural(of('done').length, 'log file')} ${done}`,
    );
  }
  return of('failed').length > 0 ? EXIT.failed : EXIT.done;
}
