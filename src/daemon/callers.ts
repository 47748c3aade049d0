/** Who is connected, and whether a request of theirs is not answered yet: so that nobody is sent away who has just come. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

interface Caller {
  /** Requests that have come in, and those of them that are not answered. */
  asked: number;
  pending: number;
}

export class Callers {
  readonly #in = new Map<Socket, Caller>();
  #isLeaving = false;
  #gone = (): void => {};

  /** Those who come to this server. */
  receive(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#in.set(socket, { asked: 0, pending: 0 });
      socket.once('close', () => this.#left(socket));
    });
    server.on('request', ({ socket }, response) => {
      const caller = this.#in.get(socket);
      if (caller === undefined) return;
      caller.asked++;
      caller.pending++;
      response.once('close', () => {
        caller.pending--;
        if (this.#isLeaving && caller.pending === 0) socket.end();
      });
    });
  }

  /** Resolves when everybody has been answered and has gone. Whoever has not said anything yet is given the time to. */
  async leave(withinMs: number): Promise<void> {
    this.#isLeaving = true;
    for (const [socket, { asked, pending }] of this.#in) if (asked > 0 && pending === 0) socket.destroy();
    if (this.#in.size === 0) return;
    const gone = new Promise<void>((resolve) => {
      this.#gone = resolve;
    });
    // What was written is on its way; whoever does not read it, or says nothing, does not hold up the end.
    const impatience = setTimeout(() => {
      for (const socket of this.#in.keys()) socket.destroy();
    }, withinMs);
    await gone;
    clearTimeout(impatience);
  }

  /** Whoever comes may stay again. */
  stay(): void {
    this.#isLeaving = false;
  }

  #left(socket: Socket): void {
    this.#in.delete(socket);
    if (this.#in.size === 0) this.#gone();
  }
}
