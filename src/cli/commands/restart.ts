/** `restart`: drains the named instances all at once, then starts them. */

import type { Client } from '../../client/client.ts';
import { DaemonError } from '../../client/errors.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { PlanChange } from '../../protocol/replies.ts';
import { refuseAnotherConfig } from '../another-config.ts';
import type { Context } from '../context.ts';
import { patiently } from '../patience.ts';
import { actionLines, changeLines, failures, TO_RUN } from '../render/actions.ts';

export interface RestartOptions {
  readonly keepConfig?: boolean;
  /** Milliseconds; null for `none`. */
  readonly timeout?: number | null;
}

export async function restart(
  context: Context,
  selectors: readonly string[],
  options: RestartOptions,
): Promise<ExitCode> {
  const client = await context.client({ readsConfig: options.keepConfig !== true });
  const body = { selectors: [...selectors], keep_config: options.keepConfig === true };
  await refuseAnotherConfig(context, client);
  const limits = { timeoutMs: options.timeout, goesOn: 'the restart goes on; see "tsup-visor status"' };
  const foretold = context.json || body.keep_config ? [] : await changesAhead(client, body.selectors);
  context.say(...changeLines(foretold));
  const reply = await patiently(context, limits, (signal) => client.restart(body, { signal }));
  if (context.json) context.printJson(reply);
  else {
    if (foretold.length === 0) context.say(...changeLines(reply.changes));
    context.print(...actionLines(reply, { ...TO_RUN, begun: 'restarting' }));
  }
  return failures(reply).length > 0 ? EXIT.failed : EXIT.done;
}

/** What the config as it stands now changes: the answer to the restart itself comes only when all is over. */
async function changesAhead(client: Client, selectors: string[]): Promise<readonly PlanChange[]> {
  try {
    const { changes, refused } = await client.createRollouts({ selectors, dry_run: true });
    return refused.length === 0 ? changes : [];
  } catch (error) {
    // A rolling restart may be impossible where a restart is not: the restart itself will say what is wrong.
    if (error instanceof DaemonError) return [];
    throw error;
  }
}
