/** `rollout history`: rolling restarts of the past. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import { byAge, meantBy } from '../choose.ts';
import type { Context } from '../context.ts';
import { drainsOf } from '../drains.ts';
import { historyLines } from '../render/history.ts';
import { rolloutLines } from '../render/rollout-detail.ts';

/** By number, each turn of the one. */
export async function history(context: Context, which: string | undefined): Promise<ExitCode> {
  const client = await context.client();
  const { version, rollouts } = await client.rollouts();
  const meant = byAge(which === undefined ? rollouts : meantBy(rollouts, which));
  const look = { paint: await context.paint(), width: context.io.stdout.columns, now: new Date() };
  const [one] = meant;
  if (context.json) {
    const told = meant.map((rollout) => ({ ...rollout, drains: drainsOf(rollout) }));
    context.printJson({ version, rollouts: told });
  } else if (one === undefined) context.print('no rolling restart so far');
  else if (String(one.id) === which) context.answer(...historyLines([one], look), ...rolloutLines(one, look));
  else context.print(...historyLines(meant, look));
  return EXIT.done;
}
