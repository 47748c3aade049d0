/** One request to the daemon over its unix socket, on a connection of its own. */
import { type IncomingMessage, request } from 'node:http';
import { createConnection } from 'node:net';
import type { WireError } from '../protocol/errors.ts';
import { ERROR_KINDS } from '../protocol/errors.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { type Absence, DaemonError, NoDaemonError, ProtocolError } from './errors.ts';

export interface Question {
  readonly socket: string;
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly body?: object | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The answer means the same in every version, as far as it is looked at. */
  readonly anyProtocol?: boolean | undefined;
}

/** A reply is held in memory as a whole; a daemon with ten thousand instances stays far below this. */
const MAX_REPLY_BYTES = 32 * 1024 * 1024;

/** The reply as parsed JSON of this protocol's version. Throws what errors.ts names, or the signal's reason. */
export async function ask(question: Question): Promise<unknown> {
  const response = await open(question);
  const text = await guarded(question, () => readAll(response));
  const reply = parse(text);
  const error = errorIn(reply);
  if (error !== undefined) throw new DaemonError(error, versionOf(response));
  if (question.anyProtocol !== true) checkVersion(reply, versionOf(response));
  return reply;
}

/** The response to a question whose answer is a stream of lines; the caller reads it or destroys it. */
export async function openStream(question: Question): Promise<IncomingMessage> {
  const response = await open(question);
  if (response.statusCode === 200) return response;
  const error = errorIn(parse(await guarded(question, () => readAll(response))));
  throw error === undefined ? misunderstood() : new DaemonError(error, versionOf(response));
}

/** Runs `read`, and says in this client's words what went wrong with the connection. */
export async function guarded<T>(question: Question, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    question.signal?.throwIfAborted();
    if (error instanceof Error && 'code' in error) throw new NoDaemonError(question.socket, 'lost');
    throw error;
  }
}

function open({ socket, method, path, body, signal }: Question): Promise<IncomingMessage> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const sent = request({
      // Without an agent: one connection for one request, and a third of the time that an agent takes to begin.
      createConnection: () => createConnection({ path: socket }),
      method,
      path,
      headers: payload === undefined ? {} : headersOf(payload),
      ...(signal === undefined ? {} : { signal }),
    });
    sent.once('response', resolve);
    // Stays for the life of the request: an error after the answer is the response's to report.
    sent.on('error', (error) => reject(signal?.aborted ? signal.reason : connectionError(socket, error)));
    sent.end(payload);
  });
}

const headersOf = (payload: string) => ({
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(payload),
});

async function readAll(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response) {
    size += part.length;
    if (size > MAX_REPLY_BYTES) throw new ProtocolError('the answer is too large to be a daemon’s');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

const ABSENCES: Readonly<Record<string, Absence>> = {
  ENOENT: 'absent',
  ECONNREFUSED: 'absent',
  ENOTDIR: 'absent',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  ECONNRESET: 'lost',
  EPIPE: 'lost',
};

function connectionError(socket: string, error: Error): Error {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code.startsWith('HPE_')) return misunderstood();
  return new NoDaemonError(socket, ABSENCES[code] ?? 'unusable', error.message);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw misunderstood();
  }
}

const misunderstood = () =>
  new ProtocolError('what answers at the socket does not speak as a tsup-visor daemon');

function errorIn(reply: unknown): WireError | undefined {
  const error = field(reply, 'error');
  const kind = field(error, 'kind');
  const message = field(error, 'message');
  const hint = field(error, 'hint');
  if (typeof kind !== 'string' || typeof message !== 'string') return undefined;
  return { kind: known(kind), message, ...(typeof hint === 'string' ? { hint } : {}) };
}

/** A newer daemon may know more kinds than this client. */
function known(kind: string): WireError['kind'] {
  // `in` has just shown that the text is one of the keys.
  return kind in ERROR_KINDS ? (kind as WireError['kind']) : 'internal';
}

/** Of the daemon's package, as every reply bears it; an early one does not. */
const versionOf = ({ headers }: IncomingMessage): string | undefined =>
  /^tsup-visor\/(\S+)$/.exec(String(headers.server))?.[1];

function checkVersion(reply: unknown, daemon: string | undefined): void {
  const version = field(reply, 'version');
  if (version === PROTOCOL_VERSION) return;
  if (typeof version !== 'number') throw misunderstood();
  throw new ProtocolError(
    `the daemon speaks version ${version} of the protocol and this client version ${PROTOCOL_VERSION}`,
    version,
    daemon,
  );
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}
