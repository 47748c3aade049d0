/** A daemon that answers from a script, on a real socket in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: unknown;
}

/** A reply as JSON, or a function that writes its own. */
export type Answer = object | ((response: ServerResponse, asked: Asked) => void);

export interface FakeDaemon {
  readonly socket: string;
  readonly folder: string;
  /** What it was asked, in order. */
  readonly asked: Asked[];
  /** Resolves when a request for this `METHOD /path` has come in. */
  got(route: string): Promise<Asked>;
  /** Answers nobody any more; its folder stays. */
  die(): Promise<void>;
  close(): Promise<void>;
}

/**
 * `script`: by `METHOD /path` without the query. What is not in it is answered with `not_found`.
 * `before`: one that has died, in whose place it comes.
 */
export async function fakeDaemon(
  script: Readonly<Record<string, Answer>>,
  before?: FakeDaemon,
): Promise<FakeDaemon> {
  const folder = before?.folder ?? mkdtempSync(join(tmpdir(), 'tsup-visor-cli-'));
  const socket = join(folder, 'control.sock');
  const asked: Asked[] = [];
  const waiting: { route: string; tell(asked: Asked): void }[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const text = Buffer.concat(parts).toString();
    const path = request.url ?? '';
    const one = { method: request.method ?? '', path, body: text === '' ? undefined : JSON.parse(text) };
    const route = `${one.method} ${path.split('?')[0]}`;
    asked.push(one);
    answer(response, one, script[route] ?? missing(route));
    for (const each of waiting.splice(0)) {
      if (each.route === route) each.tell(one);
      else waiting.push(each);
    }
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const die = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    socket,
    folder,
    asked,
    got: (route) => new Promise((resolve) => waiting.push({ route, tell: resolve })),
    die,
    async close() {
      await die();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** An error reply with the status that the wire has for it. */
export const refusal =
  (status: number, kind: string, message: string, hint?: string): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ version: 1, error: { kind, message, hint } }));
  };

/** A stream of events that ends, or is held open. */
export const stream =
  (events: readonly object[], end: 'ends' | 'stays open') =>
  (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write(events.map((event) => `${JSON.stringify(event)}\n`).join('') || '\n');
    if (end === 'ends') response.end();
  };

const missing = (route: string): Answer => refusal(404, 'not_found', `nothing at ${route}`);

function answer(response: ServerResponse, asked: Asked, what: Answer): void {
  if (typeof what === 'function') {
    what(response, asked);
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(what));
}
