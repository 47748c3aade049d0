/** `rolling-restart`: one instance after another. The daemon does it; this asks for it and watches. */
import type { Client } from '../../client/client.ts';
import { DaemonError } from '../../client/errors.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { RolloutsCreatedReply } from '../../protocol/replies.ts';
import type { RolloutRequest } from '../../protocol/requests.ts';
import type { RolloutStatus } from '../../protocol/status.ts';
import { refuseAnotherConfig } from '../another-config.ts';
import { begunOf } from '../begun.ts';
import type { Context } from '../context.ts';
import { Refusal } from '../refusal.ts';
import { changeLines } from '../render/actions.ts';
import { endLines, rolloutSentence } from '../render/rollout.ts';
import { joinedLines, plansLines, refusedLines, replacedLines, vainCanary } from '../render/rollout-plan.ts';
import { ndjson, viewOf } from '../viewers.ts';
import { watch } from '../watching.ts';

export interface RollingRestartOptions {
  readonly detach?: boolean;
  readonly dryRun?: boolean;
  readonly maxParallel?: string;
  readonly canary?: string;
  readonly instances?: string;
  readonly parallel?: boolean;
  readonly replace?: boolean;
  readonly reason?: string;
  readonly keepConfig?: boolean;
  /** Milliseconds; null for `none`. */
  readonly timeout?: number | null;
}

export async function rollingRestart(
  context: Context,
  selectors: readonly string[],
  options: RollingRestartOptions,
): Promise<ExitCode> {
  const client = await context.client({ readsConfig: options.keepConfig !== true });
  await refuseAnotherConfig(context, client);
  const created = await client.createRollouts(body(selectors, options)).catch((error: unknown) => {
    throw options.replace === true ? error : withReplace(error);
  });
  announce(context, created, options);
  if (options.dryRun === true || options.detach === true) {
    if (context.json) context.printJson(created);
    else if (options.dryRun === true) {
      context.print(...plansLines(created.rollouts, options.parallel === true));
      if (options.replace === true) context.print(...replacedLines(created, await client.rollouts()));
    } else context.print(...begunOf(created.rollouts).map((each) => rolloutSentence(each)));
    if (created.refused.length > 0) return EXIT.conflict;
    // One that was joined may be paused, and then nothing will come of it by itself.
    return begunOf(created.rollouts).some(({ state }) => state === 'paused') ? EXIT.failed : EXIT.done;
  }
  const ended = created.rollouts.length === 0 ? [] : await followed(context, client, created, options);
  conclude(context, created, ended);
  return ended.every(({ state }) => state === 'succeeded') ? EXIT.done : EXIT.failed;
}

/** What is in the way need not be ended first: it is the daemon that knows of conflicts, and we of our options. */
function withReplace(error: unknown): unknown {
  const isInTheWay =
    error instanceof DaemonError && error.kind === 'conflict' && /\brollout \d+/.test(error.message);
  if (!isInTheWay || error.hint?.includes('--replace') === true) return error;
  const hint = error.hint === undefined ? '' : `${error.hint}, or `;
  return new Refusal(EXIT.conflict, error.message, `${hint}take its place with --replace`, error.kind);
}

const body = (selectors: readonly string[], options: RollingRestartOptions): RolloutRequest => ({
  selectors: [...selectors],
  keep_config: options.keepConfig === true,
  dry_run: options.dryRun === true,
  ...(options.maxParallel === undefined ? {} : { max_parallel: options.maxParallel }),
  ...(options.canary === undefined ? {} : { canary: options.canary }),
  ...(options.instances === undefined ? {} : { instances: options.instances }),
  ...(options.parallel === true ? { parallel: true } : {}),
  ...(options.replace === true ? { replace: true } : {}),
  ...(options.reason === undefined ? {} : { reason: options.reason }),
});

/** What the config changes, and what there is nothing to do for. */
function announce(
  context: Context,
  created: RolloutsCreatedReply,
  { detach, dryRun, canary, reason }: RollingRestartOptions,
): void {
  if (context.json) {
    if (detach !== true && dryRun !== true) context.print(JSON.stringify({ type: 'created', ...created }));
    return;
  }
  const { changes, skipped, refused } = created;
  context.say(...changeLines(changes));
  context.say(...skipped.map(({ program, reason }) => `${program} is left alone: ${reason}`));
  context.say(...joinedLines(created));
  if (reason !== undefined && created.joined.length > 0) {
    context.say('what is joined keeps the reason that it was begun for');
  }
  if (canary !== undefined && !/^0+%?$/.test(canary)) context.say(...vainCanary(created.rollouts));
  context.say(...refusedLines(refused));
}

async function followed(
  context: Context,
  client: Client,
  { rollouts, seq }: RolloutsCreatedReply,
  { timeout }: RollingRestartOptions,
): Promise<readonly RolloutStatus[]> {
  const begun = { rollouts: begunOf(rollouts), programs: [], seq };
  const view = context.json
    ? ndjson(context)
    : viewOf(context, client, await context.paint(), begun, 'rollout');
  const goesOn = 'the rollout goes on; see "tsup-visor rollout status"';
  return (await watch(context, client, begun, { view, timeoutMs: timeout, goesOn })).rollouts;
}

function conclude(
  context: Context,
  { version }: RolloutsCreatedReply,
  ended: readonly RolloutStatus[],
): void {
  if (context.json) {
    context.print(JSON.stringify({ version, type: 'result', rollouts: ended }));
    return;
  }
  context.answer(...ended.flatMap(endLines));
}
