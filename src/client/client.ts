/** A daemon as an object: one method a route of the wire. */
import type { WireEvent } from '../protocol/events.ts';
import type {
  ActionReply,
  LogFilesReply,
  LogsReply,
  ReloadReply,
  RevisionsReply,
  RolloutReply,
  RolloutsCreatedReply,
  RolloutsReply,
  ShutdownReply,
  UpgradeReply,
} from '../protocol/replies.ts';
import type {
  AbortRequest,
  LogFilesRequest,
  ReloadRequest,
  RestartRequest,
  RevertRequest,
  RolloutRequest,
  ScaleRequest,
  ShutdownRequest,
  SignalRequest,
  StartRequest,
  StopRequest,
  UpgradeRequest,
} from '../protocol/requests.ts';
import { ROUTES, type RouteName } from '../protocol/routes.ts';
import type { StatusReply } from '../protocol/status.ts';
import { DaemonError, ProtocolError } from './errors.ts';
import { lines } from './lines.ts';
import { ask, guarded, openStream, type Question } from './request.ts';

export interface Asking {
  /** Ends the asking, never the work that it has begun; the method then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Takes the answer of a daemon that speaks another version of the protocol as well. */
  readonly anyProtocol?: boolean | undefined;
}

/**
 * Every method opens one connection for itself and waits as long as the daemon takes: give a signal for a limit.
 *
 * Each may throw `NoDaemonError` (nobody answers), `DaemonError` (the daemon refuses, with its kind and hint),
 * `ProtocolError` (what answers speaks another protocol or version), or the reason of its signal.
 */
export interface Client {
  /** The path that it talks to. */
  readonly socket: string;
  /** `usage: false` leaves out processor time and memory, which costs the daemon less. */
  status(query?: StatusQuery, asking?: Asking): Promise<StatusReply>;
  /** Unless `wait` is false, answers when each named instance is ready or has failed. */
  start(body: StartRequest, asking?: Asking): Promise<ActionReply>;
  /** Unless `wait` is false, answers when nothing is left of each named instance. */
  stop(body: StopRequest, asking?: Asking): Promise<ActionReply>;
  /** Unless `wait` is false, answers when each named instance is ready again or has failed. */
  restart(body: RestartRequest, asking?: Asking): Promise<ActionReply>;
  /** Unless `wait` is false, answers when each added instance is ready or has failed, and the surplus is gone. */
  scale(body: ScaleRequest, asking?: Asking): Promise<ActionReply>;
  /** Takes the config as its file stands now; answers at once with what changes and the rollouts that it began. */
  reload(body: ReloadRequest, asking?: Asking): Promise<ReloadReply>;
  /** Answers when the signals are sent. */
  signal(body: SignalRequest, asking?: Asking): Promise<ActionReply>;
  /** Answers at once; what follows is told by `events`. */
  shutdown(body: ShutdownRequest, asking?: Asking): Promise<ShutdownReply>;
  /** Answers before the daemon becomes another version of itself: `handovers` of its status says when it has. */
  upgrade(body: UpgradeRequest, asking?: Asking): Promise<UpgradeReply>;
  /** Begins a rolling restart of each named program and answers at once. */
  createRollouts(body: RolloutRequest, asking?: Asking): Promise<RolloutsCreatedReply>;
  rollouts(asking?: Asking): Promise<RolloutsReply>;
  rollout(id: number, asking?: Asking): Promise<RolloutReply>;
  pauseRollout(id: number, asking?: Asking): Promise<RolloutReply>;
  resumeRollout(id: number, asking?: Asking): Promise<RolloutReply>;
  /** Ends the hold after its canary; one that has none under way is refused. */
  promoteRollout(id: number, asking?: Asking): Promise<RolloutReply>;
  abortRollout(id: number, body?: AbortRequest, asking?: Asking): Promise<RolloutReply>;
  /** What is under way goes back; for what is over, the reply is a new rollout. Answers at once. */
  revertRollout(id: number, body?: RevertRequest, asking?: Asking): Promise<RolloutReply>;
  /** The plans that a program has had (none named: of all), the newest last. */
  revisions(program?: string, asking?: Asking): Promise<RevisionsReply>;
  /** Where the log files of the named instances are (none named: of all). */
  logs(selectors: readonly string[], asking?: Asking): Promise<LogsReply>;
  /** Puts aside what the named instances have written so far; none named: all, and the daemon's own log. */
  rotateLogs(body?: LogFilesRequest, asking?: Asking): Promise<LogFilesReply>;
  /** Somebody else has put that aside: what comes goes to what is at the paths now. */
  reopenLogs(body?: LogFilesRequest, asking?: Asking): Promise<LogFilesReply>;
  /** What has happened; with `follow` it does not end by itself. Stop iterating to close the connection. */
  events(query: EventsQuery, asking?: Asking): AsyncGenerator<WireEvent, void, undefined>;
}

export interface StatusQuery {
  readonly usage?: boolean;
  /** None: all instances. */
  readonly selectors?: readonly string[];
}

export interface EventsQuery {
  readonly follow?: boolean;
  /** Only what came after the event of this number, in the life of the daemon that is there. */
  readonly since?: number;
  /** So many of the newest, also of daemons before it, and those that come meanwhile. */
  readonly last?: number | 'all';
  /** ISO 8601: what has happened from then on, also to daemons before it. */
  readonly from?: string;
}

/** The daemon at the unix socket `socket`; nothing is opened until something is asked. */
export function connect(socket: string): Client {
  const question = (name: RouteName, given: Given): Question => ({
    socket,
    method: ROUTES[name].method,
    path: pathOf(name, given),
    body: given.body,
    signal: given.asking?.signal,
    anyProtocol: given.asking?.anyProtocol,
  });
  // The daemon has checked what it sends against the same types; its version has been compared.
  const call = <T>(name: RouteName, given: Given = {}) => ask(question(name, given)) as Promise<T>;
  /** Asked again where a daemon hands over before it has answered: what is so already is not done twice. */
  const persist = async <T>(name: RouteName, given: Given): Promise<T> => {
    for (let left = TIMES_HANDED_OVER; ; left--) {
      try {
        return await call<T>(name, given);
      } catch (error) {
        if (left === 0 || !isHandingOver(error)) throw error;
      }
    }
  };
  return {
    socket,
    status: (query = {}, asking) => call('status', { query: statusQuery(query), asking }),
    start: (body, asking) => persist('start', { body, asking }),
    stop: (body, asking) => persist('stop', { body, asking }),
    // What is on its way to a new run is waited for, and is not given another one.
    restart: (body, asking) =>
      call<ActionReply>('restart', { body, asking }).catch((error: unknown) => {
        if (!isHandingOver(error)) throw error;
        return persist('start', { body: { selectors: body.selectors }, asking });
      }),
    scale: (body, asking) => persist('scale', { body, asking }),
    reload: (body, asking) => call('reload', { body, asking }),
    signal: (body, asking) => call('signal', { body, asking }),
    shutdown: (body, asking) => call('shutdown', { body, asking }),
    upgrade: (body, asking) => call('upgrade', { body, asking }),
    createRollouts: (body, asking) => call('createRollouts', { body, asking }),
    rollouts: (asking) => call('rollouts', { asking }),
    rollout: (id, asking) => call('rollout', { id, asking }),
    pauseRollout: (id, asking) => call('pauseRollout', { id, body: {}, asking }),
    resumeRollout: (id, asking) => call('resumeRollout', { id, body: {}, asking }),
    promoteRollout: (id, asking) => call('promoteRollout', { id, body: {}, asking }),
    abortRollout: (id, body = {}, asking) => call('abortRollout', { id, body, asking }),
    revertRollout: (id, body = {}, asking) => call('revertRollout', { id, body, asking }),
    revisions: (program, asking) =>
      call('revisions', { query: program === undefined ? [] : [['program', program]], asking }),
    logs: (selectors, asking) => call('logs', { query: named(selectors), asking }),
    rotateLogs: (body = {}, asking) => call('rotateLogs', { body, asking }),
    reopenLogs: (body = {}, asking) => call('reopenLogs', { body, asking }),
    events: (query, asking) => follow(question('events', { query: eventsQuery(query), asking })),
  };
}

/** While one answer is waited for. */
const TIMES_HANDED_OVER = 100;

const isHandingOver = (error: unknown): boolean =>
  error instanceof DaemonError && error.kind === 'handing_over';

type Query = readonly (readonly [string, string])[];

interface Given {
  readonly id?: number;
  readonly query?: Query;
  readonly body?: object;
  readonly asking?: Asking | undefined;
}

function pathOf(name: RouteName, { id, query = [] }: Given): string {
  const path = ROUTES[name].path.replace(':id', String(id));
  if (query.length === 0) return path;
  return `${path}?${query.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')}`;
}

const named = (selectors: readonly string[]): Query => selectors.map((selector) => ['selector', selector]);

function statusQuery({ usage, selectors = [] }: StatusQuery): Query {
  return usage === false ? [['usage', '0'], ...named(selectors)] : named(selectors);
}

function eventsQuery({ follow = false, ...rest }: EventsQuery): Query {
  const query: [string, string][] = follow ? [['follow', '1']] : [];
  for (const [name, value] of Object.entries(rest))
    if (value !== undefined) query.push([name, String(value)]);
  return query;
}

async function* follow(question: Question): AsyncGenerator<WireEvent, void, undefined> {
  const response = await openStream(question);
  try {
    const each = lines(response);
    for (;;) {
      const next = await guarded(question, () => each.next());
      if (next.done) return;
      if (next.value !== '') yield event(next.value);
    }
  } finally {
    response.destroy();
  }
}

function event(line: string): WireEvent {
  try {
    return JSON.parse(line);
  } catch {
    throw new ProtocolError('the daemon sent an event that cannot be read');
  }
}
