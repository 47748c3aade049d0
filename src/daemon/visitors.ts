/**
 * How many connections there may be at once. Whoever says nothing makes room for whoever has something to ask, and so
 * does who has followed events for the longest: they can come again.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { ROUTES } from '../protocol/routes.ts';

/** `asks`: an answer is on its way. `follows`: it has no end. */
type State = 'silent' | 'asks' | 'follows';

export class Visitors {
  readonly #most: number;
  /** Those that are here, the oldest first. */
  readonly #here = new Map<Socket, State>();
  #turnedAway = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** All that come to this door, beside those who are here already. */
  receive(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#here.set(socket, 'silent');
      socket.once('close', () => this.#here.delete(socket));
      if (this.#here.size > this.#most) this.#makeRoomFor(socket);
    });
    server.on('request', (request: IncomingMessage, response) => {
      const { socket } = request;
      this.#become(socket, request.url?.startsWith(ROUTES.events.path) ? 'follows' : 'asks');
      response.once('close', () => this.#become(socket, 'silent'));
    });
  }

  /** What is not as it should be, for people; null: nothing. */
  get trouble(): string | null {
    const count = this.#turnedAway;
    return count === 0
      ? null
      : `too many connections at once: ${count} ${count === 1 ? 'was' : 'were'} turned away, for the daemon keeps ${this.#most}`;
  }

  #become(socket: Socket, state: State): void {
    if (this.#here.has(socket)) this.#here.set(socket, state);
  }

  #makeRoomFor(newest: Socket): void {
    const others = [...this.#here].filter(([socket]) => socket !== newest);
    const first = (wanted: State) => others.find(([, state]) => state === wanted)?.[0];
    const silent = first('silent');
    if (silent === undefined) this.#turnedAway++;
    const leaves = silent ?? first('follows') ?? newest;
    this.#here.delete(leaves);
    leaves.destroy();
  }
}
