/** Lets checks by command begin, or holds them: one that is held has not begun, and loses nothing if it never does. */
import type { CommandRequest, CommandResult, Processes } from '../ports/processes.ts';

type Done = (result: CommandResult) => void;

interface Held {
  readonly request: CommandRequest;
  readonly done: Done;
}

export class Turnstile {
  readonly #execute: Processes['execute'];
  readonly #held = new Map<Held, (cancel: () => void) => void>();
  #isShut = false;

  constructor(execute: Processes['execute']) {
    this.#execute = execute;
  }

  execute = (request: CommandRequest, done: Done): (() => void) => {
    if (!this.#isShut) return this.#execute(request, done);
    const held = { request, done };
    let cancel = (): void => {
      // As the hands have it: whoever cancels is told, and not within the call.
      if (this.#held.delete(held)) setImmediate(() => done({ ok: false, detail: 'was cancelled' }));
    };
    this.#held.set(held, (begun) => {
      cancel = begun;
    });
    return () => cancel();
  };

  hold(isShut: boolean): void {
    this.#isShut = isShut;
    if (isShut) return;
    for (const [held, begun] of [...this.#held]) {
      // The answer to one may cancel others.
      if (this.#held.delete(held)) begun(this.#execute(held.request, held.done));
    }
  }
}
