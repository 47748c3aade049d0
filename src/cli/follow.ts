/** Follows what the daemon has begun to its end, through the daemon's events and, where those fall silent, by asking. */
import type { Client } from '../client/client.ts';
import { NoDaemonError } from '../client/errors.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { InstanceStatus, RolloutStatus } from '../protocol/status.ts';
import { pause } from './pause.ts';
import { inMotion } from './settled.ts';

/** What the daemon has begun. */
export interface Begun {
  readonly rollouts: readonly RolloutStatus[];
  /** Those that come, go or change in number without a rollout. */
  readonly programs: readonly string[];
  /** The last event before all of it. */
  readonly seq: number;
}

/** How it stands. */
export interface Seen {
  readonly rollouts: readonly RolloutStatus[];
  /** Of the rollouts' programs, where the viewer shows them, and of those that come and go. */
  readonly instances: readonly InstanceStatus[];
}

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
  const task: Task = { client, viewer, begun, known, instances: undefined, over: over.signal, end };
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
        if (concerns(event, task)) viewer.event(event);
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
  task.instances = instances;
}

function allEnded({ known, begun, instances }: Task): boolean {
  if ([...known.values()].some(({ state }) => state === 'running')) return false;
  if (begun.programs.length === 0) return true;
  return instances !== undefined && inMotion(instances, begun.programs).length === 0;
}

function concerns(event: WireEvent, { known, begun }: Task): boolean {
  if ('rollout' in event) return known.has(event.rollout);
  const programs = [...begun.programs, ...[...known.values()].map(({ program }) => program)];
  if ('instance' in event) return programs.some((program) => event.instance.startsWith(`${program}:`));
  if ('program' in event) return programs.includes(event.program);
  return event.type === 'dropped' || event.type === 'daemon';
}
