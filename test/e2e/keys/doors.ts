/** Something to ask by HTTP and TCP: it notes who came. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';

export interface Door {
  readonly port: number;
  /** How many connections there were. */
  knocks(): number;
}

export interface Web {
  readonly url: string;
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Answers 200 to everything. */
export async function openWeb(): Promise<Web> {
  const asked: string[] = [];
  const server = createServer({ keepAlive: false }, (request, response) => {
    asked.push(request.url ?? '');
    response.end('fine');
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}`, asked, close: () => close(server) };
}

export async function openDoor(): Promise<Door & { close(): Promise<void> }> {
  let knocks = 0;
  const server = createTcpServer((socket) => {
    knocks += 1;
    socket.on('error', () => {});
    socket.destroy();
  });
  const port = await listen(server);
  return { port, knocks: () => knocks, close: () => close(server) };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address of this kind.
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.close();
  if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function') {
    server.closeAllConnections();
  }
  await once(server, 'close');
}
