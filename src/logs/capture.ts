/**
 * Carries what comes through one pipe to its sink. Whoever writes little is listened to, together with all others and
 * in one rhythm with them; whoever writes much has a rhythm of his own, for he must not wait for them: a turn of the
 * loop after the other while there is more, then a look every few milliseconds, until it has become little. Where the
 * disk takes its time another thread waits for it. Nothing happens while nobody writes.
 */
import type { Plumbing } from '../ports/plumbing.ts';
import type { Flights } from './flights.ts';
import type { Flow } from './sink.ts';
import type { Turns } from './turns.ts';

const BYTES_A_TURN = 512 * 1024;
/** Where so much had gathered there is more; in a pipe that holds less, a part of it. */
const MUCH_BYTES = 64 * 1024;
const MUCH_OF_PIPE = 1 / 4;
const FIRST_REST_MS = 1;
const LONGEST_REST_MS = 8;
/** Whoever has written little at so many looks in a row is one of the others again. */
const LOOKS = 8;
/** Whoever waits for a slow disk does so for what was there then, not for all that is added. */
const LANDINGS = 8;

interface Waiter {
  left: number;
  done(): void;
}

/** Of one daemon. */
export interface CaptureTools {
  readonly plumbing: Plumbing;
  readonly flights: Flights;
  readonly turns: Turns;
}

export class Capture {
  readonly #pipe: number;
  readonly #flow: Flow;
  readonly #plumbing: Plumbing;
  readonly #flights: Flights;
  readonly #turns: Turns;
  readonly #over: () => void;
  readonly #muchBytes: number;
  #isWatched = false;
  #hasTurn = false;
  #rest: NodeJS.Timeout | null = null;
  #restMs = FIRST_REST_MS;
  /** Looks of its own, before it is one of the others. */
  #looks = 0;
  #waiters: Waiter[] = [];
  #isFlying = false;
  #closed: (() => void) | null = null;

  /**
   * `pipeBytes`: what the pipe holds. `over`: nobody can write any more, and all is moved. It does not watch yet.
   */
  constructor(pipe: number, pipeBytes: number, flow: Flow, tools: CaptureTools, over: () => void) {
    this.#pipe = pipe;
    this.#flow = flow;
    this.#plumbing = tools.plumbing;
    this.#flights = tools.flights;
    this.#turns = tools.turns;
    this.#over = over;
    this.#muchBytes = Math.min(MUCH_BYTES, pipeBytes * MUCH_OF_PIPE);
  }

  /** Another thread has it in its hands: nothing of it can be changed now. */
  get isFlying(): boolean {
    return this.#isFlying;
  }

  /** Listens; to be called again when somebody can write again. False: it cannot be watched. */
  watch(): boolean {
    if (this.#isWatched || this.#isFlying || this.#hasTurn || this.#rest !== null) return true;
    if (this.#flow.isUnderWay) {
      this.#comeBack();
      return true;
    }
    this.#isWatched = this.#plumbing.watch(this.#pipe, this.#move);
    return this.#isWatched;
  }

  /** Moves all that is there now, if another thread is not at it. True: nobody can write any more. */
  drain(): boolean {
    if (this.#isFlying) return false;
    const isOver = this.#drain();
    if (this.#isWatched && this.#flow.isUnderWay) this.#comeBack();
    return isOver;
  }

  #drain(): boolean {
    // All of it, and a look whether that was all; not what is added meanwhile without end.
    let left = this.#flow.pending + 1;
    while (left > 0) {
      const got = this.#flow.take(BYTES_A_TURN);
      if (got <= 0) return got === 0;
      left -= got;
    }
    return false;
  }

  /** Calls back when all is moved that is there now: within the call, unless the disk takes its time. */
  settle(done: () => void): void {
    if (!this.#isFlying && !this.#flow.isSlow) {
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

  readonly #move = (): void => {
    this.#hasTurn = false;
    this.#rest = null;
    if (!this.#flow.isSlow) this.#landed(this.#flow.take(BYTES_A_TURN));
    else if (this.#flights.isFull) this.#queue();
    else this.#fly();
  };

  readonly #embark = (): void => {
    this.#hasTurn = false;
    if (this.#flow.isSlow) this.#fly();
    else this.#landed(this.#flow.take(BYTES_A_TURN));
  };

  /** Others wait for their disks as well. Not listened to meanwhile. */
  #queue(): void {
    this.#unwatch();
    this.#hasTurn = true;
    this.#flights.wait(this.#embark);
  }

  #fly(): void {
    this.#unwatch();
    this.#isFlying = true;
    this.#flights.begin();
    this.#flow.takeAside(BYTES_A_TURN, (got) => {
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
    if (got >= this.#muchBytes) this.#looks = LOOKS;
    else if (this.#looks > 0) this.#looks--;
    if (got === 0) {
      this.#unwatch();
      this.#over();
    } else if (got < 0 && this.#flow.heldMs > 0) this.#waitFor(this.#flow.heldMs);
    else if (got > 0 && (this.#looks === LOOKS || this.#waiters.length > 0)) this.#goOn();
    else if (this.#looks > 0 || (got > 0 && this.#flow.isSlow) || this.#flow.isUnderWay) this.#comeBack();
    else {
      this.#restMs = FIRST_REST_MS;
      this.watch();
    }
    if (this.#waiters.length > 0) this.#tell(got);
  }

  /** What is there has no place yet. */
  #waitFor(ms: number): void {
    this.#unwatch();
    this.#rest = setTimeout(this.#move, ms);
  }

  #tell(got: number): void {
    for (const waiter of this.#waiters) waiter.left--;
    const told = this.#waiters.filter(({ left }) => got <= 0 || left <= 0);
    this.#waiters = this.#waiters.filter((waiter) => !told.includes(waiter));
    for (const { done } of told) done();
  }

  /** At once, and after the others. Not listened to meanwhile: two moves at a time would write to the same place. */
  #goOn(): void {
    this.#unwatch();
    this.#restMs = FIRST_REST_MS;
    this.#hasTurn = true;
    this.#turns.add(this.#move);
  }

  /** After a while. */
  #comeBack(): void {
    this.#unwatch();
    this.#rest = setTimeout(this.#move, this.#restMs);
    this.#restMs = Math.min(2 * this.#restMs, LONGEST_REST_MS);
  }

  #halt(): void {
    this.#unwatch();
    this.#turns.remove(this.#move);
    this.#flights.leave(this.#embark);
    if (this.#rest !== null) clearTimeout(this.#rest);
    this.#hasTurn = false;
    this.#rest = null;
  }

  #unwatch(): void {
    if (this.#isWatched) this.#plumbing.unwatch(this.#pipe);
    this.#isWatched = false;
  }
}
