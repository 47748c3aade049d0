/** Asks by HTTP: one GET on a connection of its own. The status says it all; what follows is taken and dropped. */
import { request as askPlainly, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { cannotConnect, placeOf, reasonOf } from './connect-failure.ts';
import { type Answer, type Question, refuse } from './question.ts';
import { errorCode, explain } from './system-error.ts';

/** So much of a body is taken, and for so long, so that a server can finish what it says. */
const BODY_BYTES = 64 * 1024;
const BODY_MS = 500;
/** Who has answered in time is not late for the length of the answer. */
const SPARE_MS = 5;

export const askHttp =
  (text: string, timeoutMs: number): Question =>
  (answer) => {
    const began = performance.now();
    const url = parse(text);
    if (url === null) return refuse(answer, `cannot ask ${JSON.stringify(text)}: it is not an http address`);
    // Without an agent the connection is closed afterwards; a redirect is not followed.
    const request = (url.protocol === 'https:' ? byTls() : askPlainly)(url, {
      agent: false,
      headers: { accept: '*/*', 'user-agent': 'tsup-visor' },
    });
    let end = (): void => {};
    request.once('response', (response) => {
      const left = timeoutMs - (performance.now() - began) - SPARE_MS;
      end = takeBody(response, Math.min(BODY_MS, left), () => tell(response, answer));
    });
    request.once('upgrade', (response) => tell(response, answer));
    // It stays heard to the end: an error that nobody hears would reach the daemon.
    request.on('error', (error) => answer(false, sentence(url, error)));
    request.end();
    return () => {
      end();
      request.destroy();
    };
  };

/** Loaded with the first one who needs it: that takes some milliseconds, and few do. */
const byTls = (): typeof askPlainly => createRequire(import.meta.url)('node:https').request;

function parse(text: string): URL | null {
  try {
    const url = new URL(text);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url : null;
  } catch {
    return null;
  }
}

/** `then` may be called more than once. Returns what ends it. */
function takeBody(response: IncomingMessage, patienceMs: number, then: () => void): () => void {
  const patience = setTimeout(then, Math.max(0, patienceMs));
  let taken = 0;
  response.on('data', (chunk: Buffer) => {
    taken += chunk.length;
    if (taken > BODY_BYTES) then();
  });
  response.once('end', then);
  response.once('close', then);
  response.on('error', then); // broken off: the status has been said
  return () => clearTimeout(patience);
}

function tell({ statusCode = 0 }: IncomingMessage, answer: Answer): void {
  answer(statusCode >= 200 && statusCode <= 399, `answered ${statusCode}`);
}

function sentence(url: URL, error: Error): string {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const place = placeOf(host, port);
  const reason = reasonOf(error);
  const code = errorCode(reason);
  const syscall = reason instanceof Error && 'syscall' in reason ? reason.syscall : '';
  if (syscall === 'connect' || syscall === 'getaddrinfo') return cannotConnect(host, port, error);
  if (code === 'ECONNRESET' || code === 'EPIPE') return `${place} closed the connection without an answer`;
  if (code.startsWith('HPE_')) return `cannot understand ${place}: what it answers is not HTTP`;
  if (url.protocol === 'https:') return `cannot speak TLS with ${place}: ${tlsReason(reason)}`;
  return `cannot ask ${place}: ${explain(reason)}`;
}

/** OpenSSL's word for it stands within a list; what Node adds after a semicolon or a period is for programmers. */
function tlsReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const listed = /error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/i.exec(error.message)?.[1];
  return listed ?? error.message.split(/[;.] /)[0] ?? '';
}
