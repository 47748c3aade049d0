/** `rollout status|pause|resume|abort`: looking at rolling restarts and steering them. */
import type { Client } from '../../client/client.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { RolloutStatus } from '../../protocol/status.ts';
import type { Context } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { nextStep, rolloutLines, rolloutSentence } from '../render/rollout.ts';

export type Verb = 'pause' | 'resume' | 'abort';

export async function rolloutStatus(context: Context, which: string | undefined): Promise<ExitCode> {
  const client = await context.client();
  const { version, rollouts } = await client.rollouts();
  const meant = which === undefined ? lastOfEach(rollouts) : matching(rollouts, which);
  if (which !== undefined && meant.length === 0) throw unknown(which);
  if (context.json) context.printJson({ version, rollouts: meant });
  else if (meant.length === 0) context.print('no rolling restart so far');
  else context.print(...meant.flatMap(rolloutLines));
  return EXIT.done;
}

export async function steer(context: Context, verb: Verb, which: string | undefined): Promise<ExitCode> {
  const client = await context.client();
  const { id } = chosen((await client.rollouts()).rollouts, verb, which);
  const reply = await ACTS[verb](client, id);
  // What is asked to go on and has paused again by the time of the answer has failed again.
  const exit = verb === 'resume' && reply.rollout.state === 'paused' ? EXIT.failed : EXIT.done;
  if (context.json) {
    context.printJson(reply);
    return exit;
  }
  context.print(rolloutSentence(reply.rollout));
  const next = nextStep(reply.rollout);
  if (next !== undefined) context.say(next);
  return exit;
}

const ACTS = {
  pause: (client: Client, id: number) => client.pauseRollout(id),
  resume: (client: Client, id: number) => client.resumeRollout(id),
  abort: (client: Client, id: number) => client.abortRollout(id),
};

/** The one that is meant: by its number, by its program, or because there is no other. */
function chosen(rollouts: readonly RolloutStatus[], verb: Verb, which: string | undefined): RolloutStatus {
  const meant = which === undefined ? rollouts : matching(rollouts, which);
  if (which !== undefined && meant.length === 0) throw unknown(which);
  const open = meant.filter(({ state }) => state === 'running' || state === 'paused');
  const [first, second] = open;
  if (second !== undefined) {
    const names = open.map(({ id, program }) => `${id} (${program})`).join(', ');
    throw new Refusal(EXIT.usage, `cannot tell which rollout to ${verb}: ${names}`, 'name one of them');
  }
  const only = first ?? (which === undefined ? undefined : newest(meant));
  if (only === undefined) throw new Refusal(EXIT.usage, `no rollout is under way: nothing to ${verb}`);
  return only;
}

const matching = (rollouts: readonly RolloutStatus[], which: string): RolloutStatus[] =>
  rollouts.filter(({ id, program }) => String(id) === which || program === which);

/** Of each program the last one: what is under way, or how it ended. All of a program are shown when it is named. */
const lastOfEach = (rollouts: readonly RolloutStatus[]): RolloutStatus[] => {
  const byAge = rollouts.toSorted((a, b) => a.id - b.id);
  return [...new Map(byAge.map((rollout) => [rollout.program, rollout])).values()];
};

const newest = (rollouts: readonly RolloutStatus[]): RolloutStatus | undefined =>
  rollouts.reduce<RolloutStatus | undefined>(
    (last, each) => (each.id > (last?.id ?? 0) ? each : last),
    undefined,
  );

const unknown = (which: string): Refusal =>
  new Refusal(EXIT.usage, `no rollout of "${which}" is known`, 'see "tsup-visor rollout status"');
