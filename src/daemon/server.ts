/** HTTP over the control socket: reads a request, finds its route, answers. Whatever comes in, the daemon lives on. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { VERSION } from '../base/version.ts';
import { ERROR_KINDS, type WireError } from '../protocol/errors.ts';
import type { UpgradeReply } from '../protocol/replies.ts';
import { type BodyRoute, type Checked, checkBody, takesBody } from '../protocol/requests.ts';
import { MAX_BODY_BYTES, ROUTES, type RouteName } from '../protocol/routes.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { Api } from './api.ts';
import type { Annals } from './event-history.ts';
import { followEvents } from './follow.ts';
import type { NewsDesk } from './news.ts';
import { Refused } from './refuse.ts';
import type { Visitors } from './visitors.ts';

export interface ServerParts {
  readonly api: Api;
  readonly news: NewsDesk;
  /** What is written down of all that has happened, also before this daemon. */
  annals(): Annals;
  /** The user at the other end of a connection; null: nobody tells. */
  peerOf(connection: Socket): string | null;
  readonly visitors: Pick<Visitors, 'receive'>;
  upgrade(body: Checked<'upgrade'>, connection: Socket): Promise<UpgradeReply>;
  /** A defect of ours in answering. */
  defect(error: unknown): void;
}

/** A request that was matched to a route. */
interface Call {
  readonly route: RouteName;
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Fires when whoever asked has gone. */
  readonly gone: AbortSignal;
  /** The user who asks, as far as the system tells. */
  by(): string | null;
  readonly connection: Socket;
}

type Handler = (call: Call) => unknown;

export function createApiServer(parts: ServerParts): Server {
  const { api, visitors, upgrade, defect } = parts;
  const handlers = handlersOf(api, upgrade);
  const pending = new Pending();
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('server', SERVER);
    pending.add(request, response);
    answer(request, response, handlers, parts).catch((error: unknown) => {
      if (!(error instanceof Refused)) defect(error);
      refuse(response, error instanceof Refused ? error.wire : INTERNAL);
    });
  };
  const server = createServer(LIMITS, serve);
  visitors.receive(server);
  server.on('checkExpectation', serve); // nobody here expects anything
  server.on('clientError', (error, socket) => {
    if (!socket.writable || pending.on(socket)) socket.destroy();
    else socket.end(replyToNoRequest(error));
  });
  return server;
}

/** Borne by every reply, so that whoever is of another version can say so. */
const SERVER = `tsup-visor/${VERSION}`;

/** There is no host on this socket to be named. */
const LIMITS = { maxHeaderSize: 16 * 1024, requestTimeout: 10_000, requireHostHeader: false };

/** Requests that have come in whole and are not answered yet: nothing else may be written on their connections. */
class Pending {
  readonly #requests = new WeakMap<Duplex, Set<IncomingMessage>>();

  add(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const own = this.#requests.get(socket) ?? new Set();
    this.#requests.set(socket, own.add(request));
    response.once('close', () => own.delete(request));
  }

  on(socket: Duplex): boolean {
    return [...(this.#requests.get(socket) ?? [])].some(({ complete }) => complete);
  }
}

/** What came in was not HTTP, or too much of it: there is no response to write to, but the form is the same. */
function replyToNoRequest(error: NodeJS.ErrnoException): string {
  const wire: WireError =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? { kind: 'too_large', message: 'the headers of a request may have at most 16 KB' }
      : { kind: 'bad_request', message: `this is not a request: ${error.message}` };
  const text = JSON.stringify({ version: PROTOCOL_VERSION, error: wire });
  const head = [
    `HTTP/1.1 ${ERROR_KINDS[wire.kind].http} Refused`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${text}`;
}

function handlersOf(
  api: Api,
  upgrade: ServerParts['upgrade'],
): Record<Exclude<RouteName, 'events'>, Handler> {
  // A call's body was checked against the schema of its route before it comes here.
  const checked = <R extends BodyRoute>(_: R, { body }: Call): Checked<R> => body as Checked<R>;
  return {
    status: ({ query }) => api.status(query),
    start: (call) => api.start(checked('start', call), call.gone),
    stop: (call) => api.stop(checked('stop', call), call.gone),
    restart: (call) => api.restart(checked('restart', call), call.gone),
    scale: (call) => api.scale(checked('scale', call), call.gone),
    reload: (call) => api.reload(checked('reload', call), call.by()),
    signal: (call) => api.signal(checked('signal', call)),
    upgrade: (call) => upgrade(checked('upgrade', call), call.connection),
    shutdown: (call) => api.shutdown(checked('shutdown', call)),
    createRollouts: (call) => api.createRollouts(checked('createRollouts', call), call.by()),
    rollouts: () => api.rollouts(),
    rollout: ({ id }) => api.rollout(id),
    pauseRollout: ({ id, by }) => api.steer(id, 'pause', by()),
    resumeRollout: ({ id, by }) => api.steer(id, 'resume', by()),
    promoteRollout: ({ id, by }) => api.steer(id, 'promote', by()),
    abortRollout: (call) => api.steer(call.id, 'abort', call.by(), checked('abortRollout', call).reason),
    revertRollout: (call) => api.revert(call.id, checked('revertRollout', call), call.by()),
    revisions: ({ query }) => api.revisions(query),
    logs: ({ query }) => api.logs(query),
    rotateLogs: (call) => api.handleLogs('rotate', checked('rotateLogs', call)),
    reopenLogs: (call) => api.handleLogs('reopen', checked('reopenLogs', call)),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: ReturnType<typeof handlersOf>,
  parts: Pick<ServerParts, 'news' | 'annals' | 'peerOf'>,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { socket } = request; // it may be taken from the request while that is read
  const call = {
    ...(await readCall(request, gone.signal)),
    by: () => parts.peerOf(socket),
    connection: socket,
  };
  if (call.route === 'events') return followEvents(parts, call.query, response);
  const reply = await handlers[call.route](call);
  send(response, 200, reply);
}

async function readCall(
  request: IncomingMessage,
  gone: AbortSignal,
): Promise<Omit<Call, 'by' | 'connection'>> {
  const url = urlOf(request);
  const { route, id } = match(request.method ?? '', url.pathname);
  checkQuery(route, url.searchParams);
  const text = await readBody(request);
  return { route, id, query: url.searchParams, body: bodyOf(route, text), gone };
}

function urlOf(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? '/', 'http://daemon');
  } catch {
    throw new Refused('bad_request', 'the request has no valid path');
  }
}

function match(method: string, path: string): { route: RouteName; id: string } {
  let known = false;
  for (const route of Object.keys(ROUTES) as RouteName[]) {
    // Object.keys forgets the type of keys that it was given.
    const id = matchPath(ROUTES[route].path, path);
    if (id === null) continue;
    if (ROUTES[route].method === method) return { route, id };
    known = true;
  }
  if (known) throw new Refused('method_not_allowed', `${path} does not take ${method}`);
  throw new Refused(
    'not_found',
    `there is no ${path} here`,
    'the command and the daemon may be of different versions',
  );
}

/** The text that stands for `:id`, empty where the path has none; null when it does not match. */
function matchPath(pattern: string, path: string): string | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  let id = '';
  for (const [i, part] of wanted.entries()) {
    const segment = given[i] ?? '';
    if (part === ':id' && segment !== '') id = decoded(segment);
    else if (part !== segment) return null;
  }
  return id;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Refused('bad_request', `"${segment}" is not a valid part of a path`);
  }
}

function checkQuery(route: RouteName, query: URLSearchParams): void {
  const entry = ROUTES[route];
  const known: readonly string[] = 'query' in entry ? entry.query : [];
  for (const name of query.keys()) {
    if (!known.includes(name)) throw new Refused('bad_request', `${entry.path} takes no parameter "${name}"`);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      size += part.length;
      // Read to its end all the same, as whoever still writes does not hear the answer.
      if (size <= MAX_BODY_BYTES) parts.push(part);
    }
  } catch {
    throw new Refused('bad_request', 'the request was cut off');
  }
  if (size > MAX_BODY_BYTES)
    throw new Refused('too_large', `a request may have at most ${MAX_BODY_BYTES} bytes`);
  return Buffer.concat(parts).toString('utf8');
}

function bodyOf(route: RouteName, text: string): unknown {
  if (!takesBody(route)) return null;
  const checked = checkBody(route, parseJson(text === '' ? '{}' : text));
  if (checked.ok) return checked.value;
  throw new Refused('bad_request', checked.error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused('bad_request', 'the body is not JSON');
  }
}

const INTERNAL: WireError = {
  kind: 'internal',
  message: 'the daemon made a mistake in answering; it goes on, and its log says more',
};

function refuse(response: ServerResponse, error: WireError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What is still on its way in is not read: the connection ends with the answer.
  response.setHeader('connection', 'close');
  send(response, ERROR_KINDS[error.kind].http, { version: PROTOCOL_VERSION, error });
}

function send(response: ServerResponse, status: number, reply: unknown): void {
  if (response.destroyed) return;
  const text = Buffer.from(JSON.stringify(reply));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length });
  response.end(text);
}
