/** Two supervisors with one name: their folders are called alike, and whoever starts the second finds the first. */
import type { Client } from '../client/client.ts';
import { isSame } from '../config/claim.ts';
import { EXIT } from '../protocol/errors.ts';
import type { Context } from './context.ts';
import { configFile } from './place.ts';
import { Refusal } from './refusal.ts';

/** Throws a refusal where the daemon that answers runs with another config than the one that was found here. */
export async function refuseAnotherConfig(
  context: Context,
  client: Client,
  signal?: AbortSignal,
): Promise<void> {
  // Who names a socket means the daemon behind it, whatever lies in this folder; and one that runs with this very
  // file need not know it by this path.
  const { given, noted } = await context.place();
  if (given || noted === true) return;
  const here = configFile(context.options, context.io);
  const there = await configOf(client, signal);
  if (there === undefined || isSame(there, here)) return;
  throw new Refusal(
    EXIT.conflict,
    `the daemon at ${client.socket} runs with ${there}, not with ${here}`,
    'give one of the two a "supervisor: { name: … }" of its own, or say which daemon you mean with --socket',
  );
}

/** Undefined where it cannot be known: whatever is wrong is told by the command itself. */
async function configOf(client: Client, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    return (await client.status({ usage: false }, signal === undefined ? {} : { signal })).daemon.config;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
