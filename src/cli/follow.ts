/** Follows what the daemon has begun to its end, through the daemon's events and, where those fall silent, by asking. */
import type { Client } from '../client/client.ts';
import { DaemonError, NoDaemonError } from '../client/errors.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { InstanceStatus, RolloutStatus, StatusReply } from '../protocol/status.ts';
import { Absence } from './absence.ts';
import { type Begun, concerns, isAtRest, type Seen } from './begun.ts';
import { forgotten, isAnother, leftAlone } from './left-alone.ts';
import { Nap, pause } from './pause.ts';
import { isFault } from './render/status.ts';
import { inMotion } from './settled.ts';
import { Told } from './told.ts';

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
  /** Nobody answers any more and the next daemon is waited for; or one answers again. */
  away(isAway: boolean): void;
}

/**
 * How all stands when no rollout moves any more and no program is on its way.
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
  const task: Task = {
    client,
    viewer,
    begun,
    known: new Map(begun.rollouts.map((rollout) => [rollout.id, rollout])),
    instances: undefined,
    failed: new Map(),
    toldOver: new Set(),
    absence: new Absence((isAway) => viewer.away(isAway)),
    nap: new Nap(),
    over: over.signal,
    end: () => over.abort(),
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
  } catch (error) {
    throw error instanceof NoDaemonError ? leftAlone(error, [...task.known.values()]) : error;
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
  readonly absence: Absence;
  /** Of `look`. */
  readonly nap: Nap;
  readonly over: AbortSignal;
  end(): void;
}

const seenOf = ({ known, instances }: Task): Seen => ({
  rollouts: [...known.values()],
  instances: instances ?? [],
});

async function listen(task: Task): Promise<void> {
  const { client, over, begun } = task;
  // A daemon that has been started anew counts its events anew, and one that is not tells all that it knows again.
  let since = begun.seq === undefined ? {} : { since: begun.seq };
  const told = new Told();
  while (!over.aborted) {
    await unlessLost(task, async () => {
      for await (const event of client.events({ follow: true, ...since }, { signal: over })) {
        if (!told.isNew(event)) continue;
        await take(task, event);
        // What is over by now may still have events between here and its end; `look` is the net under this.
        if (isToldOver(task) && allEnded(task)) return task.end();
      }
    });
    since = {};
    await pause(RETRY_MS, over);
    // What happened meanwhile may have been told to nobody.
    if ((await unlessLost(task, () => refresh(task))) === undefined) task.nap.end();
  }
}

/** Of these the rollout itself is another afterwards. */
const MOVES: ReadonlySet<string> = new Set(['rollout', 'turn', 'dropped']);

async function take(task: Task, event: WireEvent): Promise<void> {
  const { viewer, begun, toldOver, known } = task;
  if (concerns(event, begun)) viewer.event(event);
  if (!MOVES.has(event.type)) return;
  const lost = await unlessLost(task, () => refresh(task));
  if (event.type !== 'rollout') return;
  if (event.state !== 'running') toldOver.add(event.rollout);
  const rollout = known.get(event.rollout);
  // A daemon that ends tells what becomes of its rollouts and may be gone before it can be asked.
  if (lost !== undefined && rollout !== undefined) {
    known.set(rollout.id, { ...rollout, state: event.state, reason: event.reason });
  }
  viewer.look(seenOf(task));
}

/** The net under the events: what they do not tell is seen here, a little later. */
async function look(task: Task): Promise<void> {
  const { viewer, over, begun } = task;
  const everyMs = begun.programs.length > 0 ? Math.min(viewer.everyMs, OFTEN_MS) : viewer.everyMs;
  while (!over.aborted) {
    const lost = await unlessLost(task, async () => {
      await refresh(task);
      await lookAtInstances(task);
      viewer.look(seenOf(task));
    });
    if (allEnded(task)) {
      await pause(LAST_EVENTS_MS, over);
      task.end();
    }
    await task.nap.take(lost === undefined ? everyMs : RETRY_MS, over);
  }
}

const RETRY_MS = 100;
/** No single event says that a program is where it was to get. */
const OFTEN_MS = 250;
/** What is known to have ended may still have events on their way. */
const LAST_EVENTS_MS = 500;

/** Runs `work`; gives back what says that the daemon is away, and swallows the end of the watching. */
async function unlessLost(task: Task, work: () => Promise<void>): Promise<NoDaemonError | undefined> {
  try {
    await work();
  } catch (error) {
    if (task.over.aborted) return undefined;
    if (!(error instanceof NoDaemonError)) throw error;
    task.absence.lost(error);
    return error;
  }
  return undefined;
}

async function refresh({ client, known, over, absence }: Task): Promise<void> {
  for (const rollout of [...known.values()]) {
    if (rollout.state !== 'running' && rollout.state !== 'paused') continue;
    const now = await client.rollout(rollout.id, { signal: over }).then(
      (reply) => reply.rollout,
      (error: unknown) => {
        throw error instanceof DaemonError && error.kind === 'not_found' ? forgotten(rollout) : error;
      },
    );
    absence.found();
    if (isAnother(now, rollout)) throw forgotten(rollout);
    known.set(rollout.id, now);
  }
}

async function lookAtInstances(task: Task): Promise<void> {
  const { client, viewer, begun, known, over } = task;
  if (!viewer.showsInstances && begun.programs.length === 0) return;
  // A selector that matches nothing is refused, and a program that goes is gone in the end.
  const selectors = begun.programs.length > 0 ? [] : [...known.values()].map(({ program }) => program);
  const { instances } = await client.status({ usage: false, selectors }, { signal: over }).catch(noneLeft);
  task.absence.found();
  task.instances = instances.map((each) =>
    begun.programs.includes(each.program) ? settled(each, task) : each,
  );
}

/** A program may be taken out of the config, or be scaled to nothing, while its rollout is watched. */
function noneLeft(error: unknown): Pick<StatusReply, 'instances'> {
  if (error instanceof DaemonError && error.kind === 'no_match') return { instances: [] };
  throw error;
}

function settled(instance: InstanceStatus, { failed }: Task): InstanceStatus {
  if (instance.state === 'backoff' || instance.state === 'failed') failed.set(instance.id, instance);
  return isFault(instance) ? (failed.get(instance.id) ?? instance) : instance;
}

const isToldOver = ({ known, toldOver }: Task): boolean =>
  [...known.values()].every((rollout) => toldOver.has(rollout.id) || rollout.state === 'running');

function allEnded({ known, begun, instances }: Task): boolean {
  if (![...known.values()].every((rollout) => isAtRest(rollout, known))) return false;
  if (begun.programs.length === 0) return true;
  return instances !== undefined && inMotion(instances, begun.programs).length === 0;
}
