/**
 * The listening socket, which outlives the daemon that listens: while the door is shut, whoever knocks waits in the
 * queue of the system, and who is in already is answered first.
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/** What was written is on its way; whoever does not read it does not hold up the end. */
const CLOSE_WITHIN_MS = 200;

export class Door {
  readonly #server: Server;
  /** Of each connection, how many requests have come in, and how many of them are not answered. */
  readonly #open = new Map<Socket, { asked: number; pending: number }>();
  #isShut = false;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#open.set(socket, { asked: 0, pending: 0 });
      socket.once('close', () => this.#open.delete(socket));
    });
    server.on('request', ({ socket }, response) => {
      const of = this.#open.get(socket);
      if (of === undefined) return;
      of.asked++;
      of.pending++;
      response.once('close', () => {
        of.pending--;
        if (this.#isShut && of.pending === 0) socket.end();
      });
    });
  }

  /** Resolves when nobody is in any more. Whoever has come and not said anything yet is given the time to. */
  async shut(): Promise<void> {
    this.#isShut = true;
    // Node's own would end connections whose request is still on its way.
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(this.#server, () => resolve());
    });
    const impatience = setTimeout(() => this.#server.closeAllConnections(), CLOSE_WITHIN_MS);
    for (const [socket, { asked, pending }] of this.#open) if (asked > 0 && pending === 0) socket.destroy();
    await closed;
    clearTimeout(impatience);
  }

  /** On the same socket, by another descriptor of it. */
  async open(descriptor: number): Promise<void> {
    this.#isShut = false;
    this.#server.listen({ fd: descriptor });
    await once(this.#server, 'listening');
  }
}
