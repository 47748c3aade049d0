/** `scale`: how many instances programs are to have. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import { refuseAnotherConfig } from '../another-config.ts';
import type { Context } from '../context.ts';
import { patiently } from '../patience.ts';
import { Refusal } from '../refusal.ts';
import { changeLines, failures, scaleLines } from '../render/actions.ts';

export interface ScaleOptions {
  readonly wait: boolean;
  /** Milliseconds; null for `none`. */
  readonly timeout?: number | null;
}

export async function scale(
  context: Context,
  wishes: readonly string[],
  options: ScaleOptions,
): Promise<ExitCode> {
  const body = { counts: countsOf(wishes), wait: options.wait };
  const client = await context.client();
  await refuseAnotherConfig(context, client);
  const limits = { timeoutMs: options.timeout, goesOn: 'the scaling goes on; see "tsup-visor status"' };
  const reply = await patiently(context, limits, (signal) => client.scale(body, { signal }));
  if (context.json) context.printJson(reply);
  else {
    context.say(...changeLines(reply.changes));
    context.print(...scaleLines(reply, body.counts));
  }
  return failures(reply).length > 0 ? EXIT.failed : EXIT.done;
}

function countsOf(wishes: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const wish of wishes) {
    const [, program, count] = /^([^=]+)=(\d{1,9})$/.exec(wish) ?? [];
    if (program === undefined || count === undefined) throw unreadable(wish);
    if (/[:@*?[]/.test(program)) throw notAProgram(program);
    if (counts.has(program)) {
      throw new Refusal(EXIT.usage, `cannot scale ${program} twice at once`, 'name each program once');
    }
    counts.set(program, Number(count));
  }
  return Object.fromEntries(counts);
}

const unreadable = (wish: string): Refusal =>
  new Refusal(EXIT.usage, `cannot read "${wish}"`, 'scale takes PROGRAM=N, such as worker=4');

const notAProgram = (selector: string): Refusal =>
  new Refusal(
    EXIT.usage,
    `cannot scale "${selector}"`,
    'scale takes programs by their whole names, such as worker=4',
  );
