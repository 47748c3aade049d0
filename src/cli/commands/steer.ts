/** `rollout pause|resume|promote|abort|revert`: steering a rolling restart. */
import type { Client } from '../../client/client.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { RolloutReply } from '../../protocol/replies.ts';
import type { RolloutStatus } from '../../protocol/status.ts';
import { chosen } from '../choose.ts';
import type { Context } from '../context.ts';
import { nextStep } from '../render/next-step.ts';
import { rolloutSentence } from '../render/rollout.ts';

export type Verb = 'pause' | 'resume' | 'promote';

export interface EndOptions {
  readonly reason?: string;
}

export async function steer(context: Context, verb: Verb, which: string | undefined): Promise<ExitCode> {
  const client = await context.client();
  const { id } = chosen((await client.rollouts()).rollouts, { verb, fits: FITS[verb] }, which);
  const reply = await ACTS[verb](client, id);
  tell(context, reply);
  // What is asked to go on and has paused again by the time of the answer has failed again.
  return verb === 'resume' && reply.rollout.state === 'paused' ? EXIT.failed : EXIT.done;
}

export const abort = (context: Context, which: string | undefined, options: EndOptions): Promise<ExitCode> =>
  end(context, 'abort', which, options);

/** Of what is over, too: that is taken back by a rollout of its own. */
export const revert = (context: Context, which: string | undefined, options: EndOptions): Promise<ExitCode> =>
  end(context, 'revert', which, options);

async function end(
  context: Context,
  verb: 'abort' | 'revert',
  which: string | undefined,
  { reason }: EndOptions,
): Promise<ExitCode> {
  const client = await context.client();
  const { id } = chosen((await client.rollouts()).rollouts, { verb, fits: () => true }, which);
  const body = reason === undefined ? {} : { reason };
  tell(context, await (verb === 'abort' ? client.abortRollout(id, body) : client.revertRollout(id, body)));
  return EXIT.done;
}

/** Of several that are under way, those that this makes sense for come first. */
const FITS: Readonly<Record<Verb, (rollout: RolloutStatus) => boolean>> = {
  pause: ({ state }) => state === 'running',
  resume: ({ state }) => state === 'paused',
  promote: ({ canary }) => canary?.state === 'held',
};

const ACTS: Readonly<Record<Verb, (client: Client, id: number) => Promise<RolloutReply>>> = {
  pause: (client, id) => client.pauseRollout(id),
  resume: (client, id) => client.resumeRollout(id),
  promote: (client, id) => client.promoteRollout(id),
};

function tell(context: Context, reply: RolloutReply): void {
  if (context.json) {
    context.printJson(reply);
    return;
  }
  const { rollout } = reply;
  context.answer(rolloutSentence(rollout));
  const next =
    rollout.state === 'running' ? `its end is told by "tsup-visor rollout wait ${rollout.id}"` : undefined;
  const words = nextStep(rollout) ?? next;
  if (words !== undefined) context.say(words);
}
