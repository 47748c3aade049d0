/** `rollout status`: how rolling restarts stand. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import { lastOfEach, meantBy } from '../choose.ts';
import type { Context } from '../context.ts';
import { rolloutLines } from '../render/rollout-detail.ts';

/** Of each program the last one, unless it is named by its number: the others are in the history. */
export async function rolloutStatus(context: Context, which: string | undefined): Promise<ExitCode> {
  const client = await context.client();
  const { version, rollouts } = await client.rollouts();
  const meant = lastOfEach(which === undefined ? rollouts : meantBy(rollouts, which));
  if (context.json) context.printJson({ version, rollouts: meant });
  else if (meant.length === 0) context.print('no rolling restart so far');
  else {
    const look = { paint: await context.paint(), width: context.io.stdout.columns, now: new Date() };
    context.answer(...meant.flatMap((rollout) => rolloutLines(rollout, look)));
  }
  return EXIT.done;
}
