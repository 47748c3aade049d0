/**
 * Carries what comes through one pipe to its sink. Whoever writes little is listened to, whoever writes again and
 * again is looked at every few milliseconds, so that a line does not cost a call of the system, and whoever writes
 * without pause gets a turn of the loop each, of a bounded length. Where the disk takes its time another thread waits
 * for it. Nothing happens while nobody writes.
 */
import type { Plumbing } from '../ports/plumbing.ts';
import type { Flights } from './flights.ts';
import type { Sink } from './sink.ts';

const BYTES_A_TURN = 256 * 1024;
/** Where so much had gathered there is more. */
const MUCH_BYTES = 64 * 1024;
const FIRST_REST_MS = 1;
const LONGEST_REST_MS = 8;
/** Whoever waits for a slow disk does so for what was there then, not for all that is added. */
const LANDINGS = 8;

interface Waiter {
  left: number;
  done(): void;
}

export class Capture {
  readonly #pipe: number;
  readonly #sink: Sink;
  readonly #plumbing: Plumbing;
  readonly #flights: Flights;
  readonly #over: () => void;
  #isWatched = false;
  #turn: NodeJS.Immediate | null = null;
  #rest: NodeJS.Timeout | null = null;
  #restMs = FIRST_REST_MS;
  #waiters: Waiter[] = [];
  #isFlying = false;
  #closed: (() => void) | null = null;

  /** `over`: nobody can write any more, and all is moved. It does not watch yet. */
  constructor(pipe: number, sink: Sink, plumbing: Plumbing, flights: Flights, over: () => void) {
    this.#pipe = pipe;
    this.#sink = sink;
    this.#plumbing = plumbing;
    this.#flights = flights;
    this.#over = over;
  }

  /** Another thread has it in its hands: nothing of it can be changed now. */
  get isFlying(): boolean {
    return this.#isFlying;
  }

  /** Listens; to be called again when somebody can write again. False: it cannot be watched. */
  watch(): boolean {
    if (this.#isWatched || this.#isFlying || this.#turn !== null || this.#rest !== null) return true;
    this.#isWatched = this.#plumbing.watch(this.#pipe, () => this.#move());
    return this.#isWatched;
  }

  /** Moves all that is there now, if another thread is not at it. True: nobody can write any more. */
  drain(): boolean {
    if (this.#isFlying) return false;
    // All of it, and a look whether that was all; not what is added meanwhile without end.
    let left = this.#plumbing.pendingIn(this.#pipe) + 1;
    while (left > 0) {
      const got = this.#sink.take(this.#pipe, BYTES_A_TURN);
      if (got <= 0) return got === 0;
      left -= got;
    }
    return false;
  }

  /** Calls back when all is moved that is there now: within the call, unless the disk takes its time. */
  settle(done: () => void): void {
    if (!this.#isFlying && !this.#sink.isSlow) {
      this.drain();
      done();
      return;
    }
    this.#waiters.push({ left: LANDINGS, done });
    if (this.#isFlying) return;
    this.#halt();
    this.#fly();
  }

  /** Nothing of it is moved any more. `done`: its descriptors may be closed. */
  close(done: () => void): void {
    this.#halt();
    if (this.#isFlying) this.#closed = done;
    else done();
  }

  #move(): void {
    this.#turn = null;
    this.#rest = null;
    if (!this.#sink.isSlow) this.#landed(this.#sink.take(this.#pipe, BYTES_A_TURN));
    else if (this.#flights.isFull) this.#comeBack(1);
    else this.#fly();
  }

  #fly(): void {
    this.#unwatch();
    this.#isFlying = true;
    this.#flights.begin();
    this.#sink.takeAside(this.#pipe, BYTES_A_TURN, (got) => {
      this.#isFlying = false;
      if (this.#closed === null) this.#landed(got);
      else {
        this.#closed();
        this.#tell(0);
      }
      this.#flights.end();
    });
  }

  /** What comes next, when so much was there. */
  #landed(got: number): void {
    if (got > 0) {
      this.#comeBack(this.#waiters.length > 0 ? BYTES_A_TURN : got);
    } else {
      this.#restMs = FIRST_REST_MS;
      if (got < 0) this.#wait();
      else this.#unwatch();
      if (got === 0) this.#over();
    }
    if (this.#waiters.length > 0) this.#tell(got);
  }

  /** For more, or for a place for it. */
  #wait(): void {
    const { heldMs } = this.#sink;
    if (heldMs === 0) {
      this.watch();
      return;
    }
    this.#unwatch();
    this.#rest = setTimeout(() => this.#move(), heldMs);
  }

  #tell(got: number): void {
    for (const waiter of this.#waiters) waiter.left--;
    const told = this.#waiters.filter(({ left }) => got <= 0 || left <= 0);
    this.#waiters = this.#waiters.filter((waiter) => !told.includes(waiter));
    for (const { done } of told) done();
  }

  /** Not listened to meanwhile: each word would ask for one more move, and two at a time write to the same place. */
  #comeBack(got: number): void {
    this.#unwatch();
    if (got >= MUCH_BYTES) {
      this.#restMs = FIRST_REST_MS;
      this.#turn = setImmediate(() => this.#move());
      return;
    }
    this.#rest = setTimeout(() => this.#move(), this.#restMs);
    this.#restMs = Math.min(2 * this.#restMs, LONGEST_REST_MS);
  }

  #halt(): void {
    this.#unwatch();
    if (this.#turn !== null) clearImmediate(this.#turn);
    if (this.#rest !== null) clearTimeout(this.#rest);
    this.#turn = null;
    this.#rest = null;
  }

  #unwatch(): void {
    if (this.#isWatched) this.#plumbing.unwatch(this.#pipe);
    this.#isWatched = false;
  }
}
