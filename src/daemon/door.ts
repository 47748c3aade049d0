/** Where people come in: the control socket, which is put back when somebody has taken it away. */
import { rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { listen } from './server.ts';

const CLOSE_WITHIN_MS = 200;

export class Door {
  readonly path: string;
  readonly #mode: number;
  readonly #serve: () => Server;
  #server: Server;
  /** What tells our socket from another one at its path. */
  #inode: number | null = null;

  /** `serve`: a server that does not listen yet. */
  constructor(path: string, mode: number, serve: () => Server) {
    this.path = path;
    this.#mode = mode;
    this.#serve = serve;
    this.#server = serve();
  }

  /** Rejects where it cannot, or when somebody else answers there. */
  async open(): Promise<void> {
    await listen(this.#server, this.path, this.#mode);
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
