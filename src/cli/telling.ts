/** Whoever waits for an end is told once, after a moment, what it is that takes so long. */
import type { Client } from '../client/client.ts';
import type { InstanceStatus } from '../protocol/status.ts';
import type { Context } from './context.ts';
import { pause } from './pause.ts';
import { doing } from './render/doing.ts';

const TELL_AFTER_MS = 1000;
const MOST_TOLD = 5;

/** The result of `work`, which waits until the named instances have ended. */
export async function telling<T>(
  context: Context,
  client: Client,
  selectors: readonly string[],
  work: Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const told = tell(context, client, selectors, over.signal);
  try {
    return await work;
  } finally {
    over.abort();
    await told;
  }
}

async function tell(
  context: Context,
  client: Client,
  selectors: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await pause(TELL_AFTER_MS, signal);
  if (signal.aborted) return;
  try {
    const { instances } = await client.status({ usage: false, selectors }, { signal });
    context.say(...linesOf(instances.filter(isEnding)));
  } catch {
    // The answer itself is on its way: this was only to shorten the time until then.
  }
}

const isEnding = ({ state }: InstanceStatus): boolean => state === 'draining' || state === 'stopping';

function linesOf(ending: readonly InstanceStatus[]): string[] {
  const now = new Date();
  const more = ending.length - MOST_TOLD;
  return [
    ...ending.slice(0, MOST_TOLD).map((each) => `waiting for ${each.id}: ${doing(each, now)}`),
    ...(more > 0 ? [`… and for ${more} more; see "tsup-visor status"`] : []),
  ];
}
