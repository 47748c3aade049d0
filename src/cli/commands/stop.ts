/** `stop`: drains the named instances, then stops them. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import { refuseAnotherConfig } from '../another-config.ts';
import type { Context } from '../context.ts';
import { patiently } from '../patience.ts';
import { Refusal } from '../refusal.ts';
import { actionLines, failures } from '../render/actions.ts';
import { telling } from '../telling.ts';

export interface StopOptions {
  readonly all?: boolean;
  readonly now?: boolean;
  readonly wait: boolean;
  /** Milliseconds; null for `none`. */
  readonly timeout?: number | null;
}

export async function stop(
  context: Context,
  selectors: readonly string[],
  options: StopOptions,
): Promise<ExitCode> {
  const named = chosen(selectors, options);
  const client = await context.client();
  await refuseAnotherConfig(context, client);
  const body = { selectors: named, now: options.now === true, wait: options.wait };
  const limits = { timeoutMs: options.timeout, goesOn: 'the stop goes on; see "tsup-visor status"' };
  const reply = await patiently(context, limits, (signal) =>
    telling(context, client, named, client.stop(body, { signal })),
  );
  if (context.json) context.printJson(reply);
  else context.print(...actionLines(reply, { done: 'stopped', begun: 'stopping' }));
  return failures(reply).length > 0 ? EXIT.failed : EXIT.done;
}

function chosen(selectors: readonly string[], { all }: StopOptions): string[] {
  if (all === true && selectors.length > 0) {
    throw new Refusal(EXIT.usage, 'cannot stop both everything and something', 'name programs or give --all');
  }
  if (all === true) return ['*'];
  if (selectors.length > 0) return [...selectors];
  throw new Refusal(EXIT.usage, 'cannot tell what to stop', 'name programs or instances, or give --all');
}
