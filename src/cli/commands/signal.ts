/** `signal`: sends a signal to the leaders of the named instances, or to all of their processes. */
import { constants } from 'node:os';
import { SIGNAL_NAMES, type SignalName, signalName } from '../../base/signal-name.ts';
import { nearest } from '../../config/nearest.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import { refuseAnotherConfig } from '../another-config.ts';
import type { Context } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { actionLines, failures } from '../render/actions.ts';

export interface SignalOptions {
  readonly tree?: boolean;
}

export async function signal(
  context: Context,
  text: string,
  selectors: readonly string[],
  options: SignalOptions,
): Promise<ExitCode> {
  const name = known(text) ?? refuseName(text, selectors);
  const tree = options.tree === true;
  const client = await context.client();
  await refuseAnotherConfig(context, client);
  const reply = await client.signal({ signal: name, selectors: [...selectors], tree });
  const sent = `sent ${name}${tree ? ', with all their processes' : ''}`;
  if (context.json) context.printJson(reply);
  else context.print(...actionLines(reply, { done: sent, begun: sent }));
  return failures(reply).length > 0 ? EXIT.failed : EXIT.done;
}

/** `HUP`, `SIGHUP`, `hup` or its number on this system. */
function known(text: string): SignalName | undefined {
  if (!/^\d+$/.test(text)) return signalName(text);
  const [name] = Object.entries(constants.signals).find(([, number]) => number === Number(text)) ?? [];
  return name === undefined ? undefined : signalName(name);
}

function refuseName(text: string, selectors: readonly string[]): never {
  throw new Refusal(EXIT.usage, `there is no signal "${text}"`, hint(text, selectors));
}

function hint(text: string, selectors: readonly string[]): string {
  if (text.startsWith('-')) return 'a signal is written without a dash';
  const later = selectors.find((selector) => known(selector) !== undefined);
  if (later !== undefined) return `the signal comes first: "tsup-visor signal ${later} ${text}"`;
  const likely = nearest(text.toUpperCase().replace(/^SIG/, ''), SIGNAL_NAMES);
  return likely === undefined ? `the signals are: ${SIGNAL_NAMES.join(', ')}` : `did you mean ${likely}?`;
}
