/**
 * Carries what comes through one pipe to its sink. Whoever writes little is listened to, whoever writes again and
 * again is looked at every few milliseconds, so that a line does not cost a call of the system, and whoever writes
 * without pause gets a turn of the loop each, of a bounded length. Nothing happens while nobody writes.
 */
import type { Plumbing } from '../ports/plumbing.ts';
import type { Sink } from './sink.ts';

const BYTES_A_TURN = 512 * 1024;
/** Where so much had gathered there is more. */
const MUCH_BYTES = 64 * 1024;
const FIRST_REST_MS = 1;
const LONGEST_REST_MS = 8;

export class Capture<S extends Sink = Sink> {
  readonly sink: S;
  readonly #pipe: number;
  readonly #plumbing: Plumbing;
  readonly #over: () => void;
  #isWatched = false;
  #turn: NodeJS.Immediate | null = null;
  #rest: NodeJS.Timeout | null = null;
  #restMs = FIRST_REST_MS;

  /** `over`: nobody can write any more, and all is moved. It does not watch yet. */
  constructor(pipe: number, sink: S, plumbing: Plumbing, over: () => void = () => {}) {
    this.#pipe = pipe;
    this.sink = sink;
    this.#plumbing = plumbing;
    this.#over = over;
  }

  /** Listens; to be called again when somebody can write again. False: it cannot be watched. */
  watch(): boolean {
    if (this.#isWatched || this.#turn !== null || this.#rest !== null) return true;
    this.#isWatched = this.#plumbing.watch(this.#pipe, () => this.#move());
    return this.#isWatched;
  }

  /** Moves all that is there now, and not what is added meanwhile without end. True: nobody can write any more. */
  drain(): boolean {
    // All of it, and a look whether that was all.
    let left = this.#plumbing.pendingIn(this.#pipe) + 1;
    while (left > 0) {
      const got = this.sink.take(this.#pipe, BYTES_A_TURN);
      if (got <= 0) return got === 0;
      left -= got;
    }
    return false;
  }

  /** Nothing of it is moved any more. */
  close(): void {
    this.#unwatch();
    if (this.#turn !== null) clearImmediate(this.#turn);
    if (this.#rest !== null) clearTimeout(this.#rest);
    this.#turn = null;
    this.#rest = null;
    this.sink.close();
  }

  #move(): void {
    this.#turn = null;
    this.#rest = null;
    const got = this.sink.take(this.#pipe, BYTES_A_TURN);
    if (got > 0) {
      this.#unwatch();
      this.#comeBack(got);
      return;
    }
    this.#restMs = FIRST_REST_MS;
    if (got < 0) this.watch();
    else {
      this.#unwatch();
      this.#over();
    }
  }

  #comeBack(got: number): void {
    if (got >= MUCH_BYTES) {
      this.#restMs = FIRST_REST_MS;
      this.#turn = setImmediate(() => this.#move());
      return;
    }
    this.#rest = setTimeout(() => this.#move(), this.#restMs);
    this.#restMs = Math.min(2 * this.#restMs, LONGEST_REST_MS);
  }

  #unwatch(): void {
    if (this.#isWatched) this.#plumbing.unwatch(this.#pipe);
    this.#isWatched = false;
  }
}
