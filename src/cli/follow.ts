/** Follows rollouts to their end, through the daemon's events and, where those fall silent, by asking. */
import type { Client } from '../client/client.ts';
import { NoDaemonError } from '../client/errors.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { RolloutsCreatedReply } from '../protocol/replies.ts';
import type { RolloutStatus } from '../protocol/status.ts';
import { pause } from './pause.ts';

/** Somebody who is told what happens. */
export interface Viewer {
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  /** An event that concerns the rollouts or their programs, in order. */
  event(event: WireEvent): void;
  /** How the rollouts stand, at each look. */
  look(rollouts: readonly RolloutStatus[], signal: AbortSignal): Promise<void>;
}

/** The rollouts as they stand when none is `running` any more. Throws the signal's reason, or as client does. */
export async function follow(
  client: Client,
  created: RolloutsCreatedReply,
  viewer: Viewer,
  signal: AbortSignal,
): Promise<readonly RolloutStatus[]> {
  const over = new AbortController();
  const stop = () => over.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const known = new Map(created.rollouts.map((rollout) => [rollout.id, rollout]));
  const task: Task = { client, viewer, known, over: over.signal, end: () => over.abort() };
  const both = [listen(task, created.seq), look(task)].map((each) =>
    each.catch((error) => {
      over.abort(error);
      throw error;
    }),
  );
  try {
    await Promise.all(both);
    signal.throwIfAborted();
    return [...known.values()];
  } finally {
    await Promise.allSettled(both);
    signal.removeEventListener('abort', stop);
  }
}

interface Task {
  readonly client: Client;
  readonly viewer: Viewer;
  readonly known: Map<number, RolloutStatus>;
  readonly over: AbortSignal;
  end(): void;
}

async function listen(task: Task, seq: number): Promise<void> {
  const { client, viewer, over } = task;
  // A daemon that has been started anew counts its events anew.
  let since: { since?: number } = { since: seq };
  while (!over.aborted) {
    await unlessLost(task, async () => {
      for await (const event of client.events({ follow: true, ...since }, { signal: over })) {
        if (concerns(event, task.known)) viewer.event(event);
        if (event.type === 'rollout' || event.type === 'dropped') await refresh(task);
        if (allEnded(task)) return task.end();
      }
    });
    since = {};
    await pause(RETRY_MS, over);
  }
}

/** The net under the events: what they do not tell is seen here, a little later. */
async function look(task: Task): Promise<void> {
  const { viewer, over } = task;
  const patience = new Patience();
  while (!over.aborted) {
    const lost = await unlessLost(task, async () => {
      await refresh(task);
      await viewer.look([...task.known.values()], over);
    });
    patience.check(lost);
    if (allEnded(task)) {
      await pause(LAST_EVENTS_MS, over);
      task.end();
    }
    await pause(lost === undefined ? viewer.everyMs : RETRY_MS, over);
  }
}

const RETRY_MS = 100;
/** What is known to have ended may still have events on their way. */
const LAST_EVENTS_MS = 500;
/** A daemon that is replaced by the next is away for about a second. */
const AWAY_MS = 10_000;

class Patience {
  private since: number | undefined;

  /** Throws when the daemon has been away for too long. */
  check(lost: NoDaemonError | undefined): void {
    if (lost === undefined) this.since = undefined;
    else this.since ??= performance.now();
    if (lost !== undefined && performance.now() - (this.since ?? 0) > AWAY_MS) throw lost;
  }
}

/** Runs `work`; gives back what says that the daemon is away, and swallows the end of the watching. */
async function unlessLost({ over }: Task, work: () => Promise<void>): Promise<NoDaemonError | undefined> {
  try {
    await work();
  } catch (error) {
    if (over.aborted) return undefined;
    if (error instanceof NoDaemonError) return error;
    throw error;
  }
  return undefined;
}

async function refresh({ client, known, over }: Task): Promise<void> {
  for (const { id, state } of known.values()) {
    if (state === 'running') known.set(id, (await client.rollout(id, { signal: over })).rollout);
  }
}

const allEnded = ({ known }: Task): boolean => [...known.values()].every(({ state }) => state !== 'running');

function concerns(event: WireEvent, known: ReadonlyMap<number, RolloutStatus>): boolean {
  if ('rollout' in event) return known.has(event.rollout);
  if (!('instance' in event)) return event.type === 'dropped' || event.type === 'daemon';
  return [...known.values()].some(({ program }) => event.instance.startsWith(`${program}:`));
}
