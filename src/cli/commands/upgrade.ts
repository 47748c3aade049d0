/** `upgrade`: the daemon becomes the version that this command is of. */
import { realpathSync } from 'node:fs';
import type { Client } from '../../client/client.ts';
import { DaemonError, NoDaemonError } from '../../client/errors.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import type { UpgradeReply } from '../../protocol/replies.ts';
import type { UpgradeRequest } from '../../protocol/requests.ts';
import type { InstanceStatus, StatusReply } from '../../protocol/status.ts';
import { refuseAnotherConfig } from '../another-config.ts';
import type { Context } from '../context.ts';
import { patiently } from '../patience.ts';
import { pause } from '../pause.ts';
import { Refusal } from '../refusal.ts';
import { plural } from '../render/words.ts';

export interface UpgradeOptions {
  readonly dryRun?: boolean;
  readonly force?: boolean;
  /** Milliseconds, for hooks that are under way; null for `none`. */
  readonly timeout?: number | null;
}

export async function upgrade(context: Context, options: UpgradeOptions): Promise<ExitCode> {
  const client = await context.client({ readsConfig: true });
  const limits = { timeoutMs: null, goesOn: 'the upgrade goes on; see "tsup-visor status"' };
  return patiently(context, limits, async (signal) => {
    await refuseAnotherConfig(context, client, signal);
    const before = await client.status({ usage: false }, { signal, anyProtocol: true });
    const reply = await ask(client, body(context, options), before, signal);
    if (reply.already || reply.dry_run) return told(context, reply, unchanged(reply));
    const asked = performance.now();
    const after = await nextOne(client, reply, signal);
    const gapMs = Math.round(performance.now() - asked);
    return told(
      context,
      { ...reply, gap_ms: gapMs, pid: after.daemon.pid },
      done(reply, gapMs, before, after),
    );
  });
}

/** In the words that it has had since there is this command. Throws a refusal where the daemon is older than that. */
async function ask(
  client: Client,
  request: UpgradeRequest,
  { daemon }: StatusReply,
  signal: AbortSignal,
): Promise<UpgradeReply> {
  try {
    return await client.upgrade(request, { signal, anyProtocol: true });
  } catch (error) {
    if (!(error instanceof DaemonError) || error.kind !== 'not_found') throw error;
    throw new Refusal(
      EXIT.failed,
      `the daemon (version ${daemon.version}) is too old to be replaced in place`,
      `"kill -KILL ${daemon.pid}" ends it alone, and "tsup-visor start" of this version takes up what runs`,
    );
  }
}

function body({ io }: Context, { dryRun, force, timeout }: UpgradeOptions) {
  return {
    node: process.execPath,
    daemon: io.daemonProgram,
    command: realpathSync(process.argv[1] ?? io.daemonProgram),
    force: force === true,
    dry_run: dryRun === true,
    ...(timeout === undefined ? {} : { wait_ms: timeout ?? LONGEST_MS }),
  };
}

/** A day: nobody waits longer for a hook. */
const LONGEST_MS = 24 * 60 * 60 * 1000;

function told(context: Context, reply: object, line: string): ExitCode {
  if (context.json) context.printJson(reply);
  else context.answer(line);
  return EXIT.done;
}

function unchanged({ from, to, already }: UpgradeReply): string {
  if (already)
    return `the daemon is ${from} already, of this very build; "tsup-visor upgrade --force" replaces it all the same`;
  return `version ${to} can take over from ${from}; nothing was changed: this was a dry run`;
}

function done(
  { from, to, in_place }: UpgradeReply,
  gapMs: number,
  before: StatusReply,
  after: StatusReply,
): string {
  const what =
    from === to
      ? `replaced the daemon by the installed build of ${to}`
      : `upgraded the daemon from ${from} to ${to}`;
  const ran = before.instances.filter(({ pid }) => pid !== null);
  const now = new Set(after.instances.map(keyOf));
  const moved = ran.filter((instance) => !now.has(keyOf(instance)));
  const kept = ran.length - moved.length;
  const rest = moved.length === 0 ? '' : `; ${moved.map(({ id }) => id).join(', ')} has gone on meanwhile`;
  const pid = in_place ? '' : `; its pid is ${after.daemon.pid} now`;
  return `${what} in ${gapMs} ms; ${plural(kept, 'instance')} run${kept === 1 ? 's' : ''} on untouched${rest}${pid}`;
}

const keyOf = ({ id, run, pid }: InstanceStatus): string => `${id} ${run} ${pid}`;

const ANSWER_WITHIN_MS = 15_000;
/** Where nobody listens any more, nobody is about to answer, unless somebody starts another one. */
const STARTED_WITHIN_MS = 5000;
const RETRY_MS = 20;

/** The status of the next daemon. Throws where the old one goes on, and where nobody answers. */
async function nextOne(client: Client, reply: UpgradeReply, signal: AbortSignal): Promise<StatusReply> {
  const giveUpAt = performance.now() + ANSWER_WITHIN_MS;
  let deadSince: number | undefined;
  for (;;) {
    const status = await answered(client, signal);
    if (typeof status === 'object') {
      if (status.daemon.handovers === reply.handovers) return status;
      const failure = status.daemon.upgrade_failed;
      if (failure !== undefined)
        throw new Refusal(EXIT.failed, `the daemon goes on as it was: ${failure}`, `see ${reply.log}`);
    }
    const now = performance.now();
    deadSince = status === 'absent' ? (deadSince ?? now) : undefined;
    if (now > giveUpAt || now > (deadSince ?? now) + STARTED_WITHIN_MS) {
      throw lost(reply, client.socket, typeof status === 'object');
    }
    await pause(RETRY_MS, signal);
    signal.throwIfAborted();
  }
}

async function answered(client: Client, signal: AbortSignal): Promise<StatusReply | 'absent' | 'silent'> {
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    return await client.status({ usage: false }, { signal: within });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NoDaemonError) return error.absence === 'absent' ? 'absent' : 'silent';
    if (error instanceof Error && error.name === 'TimeoutError') return 'silent';
    throw error;
  }
}

function lost({ to, log }: UpgradeReply, socket: string, isThere: boolean): Refusal {
  if (isThere) return new Refusal(EXIT.failed, 'the daemon has not handed over yet', `see ${log}`);
  return new Refusal(
    EXIT.failed,
    `version ${to} of the daemon does not answer at ${socket}; the instances run on`,
    `see ${log}; "tsup-visor start" starts a daemon that takes them up`,
  );
}
