/** `reload`: the config as it stands now. The daemon applies it; this shows what that means, and watches. */
import type { Client } from '../../client/client.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { ReloadReply } from '../../protocol/replies.ts';
import type { ReloadRequest } from '../../protocol/requests.ts';
import { refuseAnotherConfig } from '../another-config.ts';
import { type Begun, begunOf, type Seen } from '../begun.ts';
import type { Context } from '../context.ts';
import { reloadLines } from '../render/reload.ts';
import { endLines, rolloutSentence } from '../render/rollout.ts';
import { plansLines, refusedLines } from '../render/rollout-plan.ts';
import { settledLines, shortLines } from '../render/settled.ts';
import { shortOf } from '../settled.ts';
import { silent } from '../view.ts';
import { viewOf } from '../viewers.ts';
import { watch } from '../watching.ts';

export interface ReloadOptions {
  readonly detach?: boolean;
  readonly dryRun?: boolean;
  readonly parallel?: boolean;
  readonly reason?: string;
  /** Milliseconds; null for `none`. */
  readonly timeout?: number | null;
}

export async function reload(context: Context, options: ReloadOptions): Promise<ExitCode> {
  const client = await context.client({ readsConfig: true });
  await refuseAnotherConfig(context, client);
  const reply = await client.reload(body(options));
  if (context.json) context.printJson(reply);
  else await showPlan(context, reply, options);
  const begun = begunBy(reply);
  if (options.dryRun === true) return reply.refused.length === 0 ? EXIT.done : EXIT.conflict;
  if (options.detach === true || isNothing(begun)) return EXIT.done;
  const seen = await followed(context, client, begun, options);
  conclude(context, reply, begun, seen);
  const whole = seen.rollouts.every(({ state }) => state === 'succeeded');
  return whole && shortOf(seen.instances, begun.programs).length === 0 ? EXIT.done : EXIT.failed;
}

const body = ({ dryRun, parallel, reason }: ReloadOptions): ReloadRequest => ({
  dry_run: dryRun === true,
  ...(parallel === true ? { parallel: true } : {}),
  ...(reason === undefined ? {} : { reason }),
});

async function showPlan(context: Context, reply: ReloadReply, options: ReloadOptions): Promise<void> {
  const lines = reloadLines(reply, await context.paint());
  const kept = reply.kept_counts?.length ?? 0;
  if (lines.length === kept && reply.rollouts.length === 0) {
    const but = kept === 0 ? '' : ', but for the number of instances';
    context.print(`nothing to change: the daemon runs with the config as it stands${but}`, ...lines);
    return;
  }
  context.print(...lines);
  if (options.dryRun === true) {
    context.print(...plansLines(reply.rollouts, options.parallel === true));
    context.say(...refusedLines(reply.refused), 'nothing was changed: this was a dry run');
  } else if (options.detach === true)
    context.print(...begunOf(reply.rollouts).map((each) => rolloutSentence(each)));
}

/** What is to be watched until it is over. */
function begunBy({ added, removed, changes, rollouts, seq }: ReloadReply): Begun {
  const renewed = changes
    .filter(({ key, effect }) => key === 'instances' || effect === 'rolling')
    .map(({ program }) => program);
  const rolled = new Set(rollouts.map(({ program }) => program));
  // A rollout that pauses is over, whatever its program is still about.
  const programs = [...new Set([...added, ...removed, ...renewed])].filter((name) => !rolled.has(name));
  return { rollouts: begunOf(rollouts), programs, seq };
}

const isNothing = ({ rollouts, programs }: Begun): boolean => rollouts.length === 0 && programs.length === 0;

async function followed(
  context: Context,
  client: Client,
  begun: Begun,
  { timeout }: ReloadOptions,
): Promise<Seen> {
  const view = context.json ? silent : viewOf(context, client, await context.paint(), begun, 'reload');
  const goesOn = 'the reload goes on; see "tsup-visor status"';
  return watch(context, client, begun, { view, timeoutMs: timeout, goesOn });
}

/** With --json stdout has the reply already, and nothing else comes there. */
function conclude(context: Context, { removed }: ReloadReply, { programs }: Begun, seen: Seen): void {
  const bad = seen.rollouts.filter(({ state }) => state !== 'succeeded');
  if (context.json)
    context.say(...bad.flatMap(endLines), ...shortLines(seen.instances, programs, new Date()));
  else {
    context.answer(
      ...seen.rollouts.flatMap(endLines),
      ...settledLines(seen.instances, programs, removed, new Date()),
    );
  }
}
