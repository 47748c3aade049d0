/** Follows what the daemon has begun to its end, through the daemon's events and, where those fall silent, by asking. */
import type { Client } from '../client/client.ts';
import { NoDaemonError } from '../client/errors.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { InstanceStatus, RolloutStatus } from '../protocol/status.ts';
import { type Begun, concerns, type Seen } from './begun.ts';
import { pause } from './pause.ts';
import { isFault } from './render/status.ts';
import { inMotion } from './settled.ts';

/** Somebody who is told what happens. */
export interface Viewer {
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  /** Whether the instances are to be looked at, too. */
  readonly showsInstances: boolean;
  /** An event that concerns what was begun, in order. */
  event(event: WireEvent): void;
  /** At each look. */
  look(seen: Seen): void;
}

/**
 * How all stands when no rollout is `running` any more and no program is on its way.
 * Throws the signal's reason, or as client does.
 */
export async function follow(
  client: Client,
  begun: Begun,
  viewer: Viewer,
  signal: AbortSignal,
): Promise<Seen> {
  const over = new AbortController();
  const stop = () => over.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const known = new Map(begun.rollouts.map((rollout) => [rollout.id, rollout]));
  const end = () => over.abort();
  const task: Task = {
    client,
    viewer,
    begun,
    known,
    instances: undefined,
    failed: new Map(),
    toldOver: new Set(),
    over: over.signal,
    end,
  };
  const both = [listen(task), look(task)].map((each) =>
    each.catch((error) => {
      over.abort(error);
      throw error;
    }),
  );
  try {
    await Promise.all(both);
    signal.throwIfAborted();
    return seenOf(task);
  } finally {
    await Promise.allSettled(both);
    signal.removeEventListener('abort', stop);
  }
}

interface Task {
  readonly client: Client;
  readonly viewer: Viewer;
  readonly begun: Begun;
  readonly known: Map<number, RolloutStatus>;
  /** Undefined until they have been looked at. */
  instances: readonly InstanceStatus[] | undefined;
  /** As they were when they failed last: what is tried again and again is not to be waited for. */
  readonly failed: Map<string, InstanceStatus>;
  /** Rollouts of which an event has said that they run no more. */
  readonly toldOver: Set<number>;
  readonly over: AbortSignal;
  end(): void;
}

const seenOf = ({ known, instances }: Task): Seen => ({
  rollouts: [...known.values()],
  instances: instances ?? [],
});

async function listen(task: Task): Promise<void> {
  const { client, viewer, over } = task;
  // A daemon that has been started anew counts its events anew.
  let since: { since?: number } = { since: task.begun.seq };
  while (!over.aborted) {
    await unlessLost(task, async () => {
      for await (const event of client.events({ follow: true, ...since }, { signal: over })) {
        if (concerns(event, task.begun)) viewer.event(event);
        if (event.type === 'rollout' || event.type === 'dropped') await refresh(task);
        if (event.type === 'rollout' && event.state !== 'running') task.toldOver.add(event.rollout);
        // What is over by now may still have events between here and its end; `look` is the net under this.
        if (isToldOver(task) && allEnded(task)) return task.end();
      }
    });
    since = {};
    await pause(RETRY_MS, over);
  }
}

/** The net under the events: what they do not tell is seen here, a little later. */
async function look(task: Task): Promise<void> {
  const { viewer, over, begun } = task;
  const everyMs = begun.programs.length > 0 ? Math.min(viewer.everyMs, OFTEN_MS) : viewer.everyMs;
  const patience = new Patience();
  while (!over.aborted) {
    const lost = await unlessLost(task, async () => {
      await refresh(task);
      await lookAtInstances(task);
      viewer.look(seenOf(task));
    });
    patience.check(lost);
    if (allEnded(task)) {
      await pause(LAST_EVENTS_MS, over);
      task.end();
    }
    await pause(lost === undefined ? everyMs : RETRY_MS, over);
  }
}

const RETRY_MS = 100;
/** No single event says that a program is where it was to get. */
const OFTEN_MS = 250;
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

async function lookAtInstances(task: Task): Promise<void> {
  const { client, viewer, begun, known, over } = task;
  if (!viewer.showsInstances && begun.programs.length === 0) return;
  // A selector that matches nothing is refused, and a program that goes is gone in the end.
  const selectors = begun.programs.length > 0 ? [] : [...known.values()].map(({ program }) => program);
  const { instances } = await client.status({ usage: false, selectors }, { signal: over });
  task.instances = instances.map((each) =>
    begun.programs.includes(each.program) ? settled(each, task) : each,
  );
}

function settled(instance: InstanceStatus, { failed }: Task): InstanceStatus {
  if (instance.state === 'backoff' || instance.state === 'failed') failed.set(instance.id, instance);
  return isFault(instance) ? (failed.get(instance.id) ?? instance) : instance;
}

const isToldOver = ({ known, toldOver }: Task): boolean => [...known.keys()].every((id) => toldOver.has(id));

function allEnded({ known, begun, instances }: Task): boolean {
  if ([...known.values()].some(({ state }) => state === 'running')) return false;
  if (begun.programs.length === 0) return true;
  return instances !== undefined && inMotion(instances, begun.programs).length === 0;
}
