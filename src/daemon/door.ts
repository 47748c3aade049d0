/** Where people come in: the control socket, which is put back when somebody has taken it away. */
import { rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { Callers } from './callers.ts';
import { listen } from './listen.ts';

const CLOSE_WITHIN_MS = 200;

export class Door {
  readonly path: string;
  readonly #mode: number;
  readonly #serve: () => Server;
  readonly #callers = new Callers();
  #server: Server;
  /** What tells our socket from another one at its path. */
  #inode: number | null = null;

  /** `serve`: a server that does not listen yet. */
  constructor(path: string, mode: number, serve: () => Server) {
    this.path = path;
    this.#mode = mode;
    this.#serve = () => {
      const server = serve();
      this.#callers.receive(server);
      return server;
    };
    this.#server = this.#serve();
  }

  /** What listens now. */
  get server(): Server {
    return this.#server;
  }

  /**
   * Rejects where it cannot, or when somebody else answers there. `inherited`: a descriptor that listens there already,
   * where callers wait.
   */
  async open(inherited: number | null = null): Promise<void> {
    await listen(this.#server, this.path, this.#mode, inherited);
    this.#inode = this.#found();
  }

  get isThere(): boolean {
    return this.#inode !== null && this.#found() === this.#inode;
  }

  /** Whoever is inside stays. Rejects as `open` does; then all is as it was. */
  async openAgain(): Promise<void> {
    const fresh = this.#serve();
    await listen(fresh, this.path, this.#mode);
    this.#server.close();
    this.#server = fresh;
    this.#inode = this.#found();
  }

  /** Resolves when everybody who is in has been answered. Whoever knocks waits, as long as the socket is open elsewhere. */
  async shut(): Promise<void> {
    // Node's own would end connections whose request is still on its way.
    NetServer.prototype.close.call(this.#server);
    await this.#callers.leave(CLOSE_WITHIN_MS);
  }

  /** After it was shut; `descriptor`: the same socket. */
  async unshut(descriptor: number): Promise<void> {
    this.#callers.stay();
    await listen(this.#server, this.path, this.#mode, descriptor);
  }

  #found(): number | null {
    return statSync(this.path, { throwIfNoEntry: false })?.ino ?? null;
  }

  /** Nobody comes in any more; calls back when everybody has gone. */
  close(closed: () => void): void {
    if (this.isThere) rmSync(this.path, { force: true });
    // What was written is on its way; whoever does not read it does not hold up the end.
    const impatience = setTimeout(() => this.#server.closeAllConnections(), CLOSE_WITHIN_MS);
    this.#server.close(() => {
      clearTimeout(impatience);
      closed();
    });
    this.#server.closeIdleConnections();
  }
}
