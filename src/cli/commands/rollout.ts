/** `rollout status`: how rolling restarts stand. */
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import { isOpen, lastOfEach, theOne } from '../choose.ts';
import type { Context } from '../context.ts';
import { rolloutSentence } from '../render/rollout.ts';
import { rolloutLines } from '../render/rollout-detail.ts';

/** Of a program the present one or else the last; of all what is under way in full, and how the last of the others ended. */
export async function rolloutStatus(context: Context, which: string | undefined): Promise<ExitCode> {
  const client = await context.client();
  const { version, rollouts } = await client.rollouts();
  const meant = which === undefined ? lastOfEach(rollouts) : theOne(rollouts, which);
  if (context.json) context.printJson({ version, rollouts: meant });
  else if (meant.length === 0) context.print('no rolling restart so far');
  else {
    const look = { paint: await context.paint(), width: context.io.stdout.columns, now: new Date() };
    const full = which === undefined ? meant.filter(isOpen) : meant;
    const brief = meant.filter((rollout) => !full.includes(rollout));
    context.answer(
      ...full.flatMap((rollout) => rolloutLines(rollout, look)),
      ...brief.map((rollout) => rolloutSentence(rollout, look.now)),
    );
  }
  return EXIT.done;
}
