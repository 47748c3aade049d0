/**
 * Between the FIFO that a program writes into and the sink, where the program is fast: a move into a file holds the FIFO
 * until all is copied, and whoever writes waits for that. So what is there goes into a second one first, which is a
 * matter of microseconds, and is copied from there while the program goes on. Nothing leaves the first one before the
 * second one is empty, so all of it stays in order.
 */
import { constants } from 'node:os';
import type { Plumbing } from '../ports/plumbing.ts';
import { Fifo } from './fifo.ts';
import { Mid } from './mid.ts';
import type { Flow, Sink } from './sink.ts';

const NOTHING = -constants.errno.EAGAIN;
/** Whoever moves so much within so long is fast. */
const FAST_BYTES = 32 * 1024 * 1024;
const FAST_MS = 100;
/** Somebody may remove what nobody would find then. */
const LOOK_EVERY_MS = 100;

export interface Basin extends Sink {
  /** What it takes goes into a file as it is. */
  readonly isRaw: boolean;
}

export interface SluiceOptions {
  readonly plumbing: Plumbing;
  /** What the FIFO holds: less of a second one is not worth its while. */
  readonly pipeBytes: number;
  /** There is a second one to be kept from being lost. */
  grown(): void;
}

export class Sluice implements Flow {
  readonly #fifo: Fifo;
  readonly #sink: Basin;
  readonly #options: SluiceOptions;
  readonly #plumbing: Plumbing;
  #mid: Mid | null;
  /** Nothing is moved into the second one before what is in it outlives the daemon. */
  #isKept = false;
  #isWide = false;
  #isTried = false;
  #lookAtMs = 0;
  #sinceMs = 0;
  #bytesSince = 0;

  /** What an earlier daemon has left in a second one comes first. @throws what the system says */
  constructor(fifo: Fifo, sink: Basin, options: SluiceOptions) {
    this.#fifo = fifo;
    this.#sink = sink;
    this.#options = options;
    this.#plumbing = options.plumbing;
    this.#mid = Mid.find(fifo.path);
    if (this.#mid !== null) this.#widen(this.#mid);
  }

  /** Those that are to be kept. */
  get pipes(): readonly number[] {
    return this.#mid === null ? [this.#fifo.reader] : [this.#fifo.reader, this.#mid.descriptor];
  }

  /** They are. */
  kept(): void {
    this.#isKept = this.#isWide;
  }

  get isSlow(): boolean {
    return this.#sink.isSlow;
  }

  get heldMs(): number {
    return this.#sink.heldMs;
  }

  get pending(): number {
    return this.#plumbing.pendingIn(this.#fifo.reader) + this.#pendingInMid;
  }

  get isUnderWay(): boolean {
    return this.#pendingInMid > 0;
  }

  take(most: number): number {
    if (this.#mid === null) return this.#takeStraight(most);
    if (!this.isUnderWay) {
      if (!this.#isToShift(this.#mid)) return this.#takeStraight(most);
      const moved = this.#plumbing.shift(this.#fifo.reader, this.#mid.descriptor, most);
      if (moved === 0 || moved === NOTHING) return moved;
      if (moved < 0) return this.#takeStraight(most);
    }
    return ofMid(this.#sink.take(this.#mid.descriptor, most));
  }

  /** A disk that takes its time is no faster for that: the second one is emptied, and no more. */
  takeAside(most: number, done: (got: number) => void): void {
    if (this.#mid === null || !this.isUnderWay) this.#sink.takeAside(this.#fifo.reader, most, done);
    else this.#sink.takeAside(this.#mid.descriptor, most, (got) => done(ofMid(got)));
  }

  /** The FIFO's name is another's from now on; what is in here leads to `target`. */
  setAside(target: string): void {
    this.#leave();
    this.#mid?.setAside(target);
  }

  /** The next daemon goes on with it. */
  close(): void {
    this.#mid?.close();
  }

  /** There is nothing in it. To be called before its FIFO is removed: there is never one without the other. */
  remove(): void {
    this.#mid?.remove();
  }

  /** Nothing is moved into it any more. */
  #leave(): void {
    this.#isWide = false;
    this.#isKept = false;
  }

  get #pendingInMid(): number {
    return this.#mid === null ? 0 : this.#plumbing.pendingIn(this.#mid.descriptor);
  }

  #isToShift(mid: Mid): boolean {
    if (!this.#isKept || !this.#sink.isRaw) return false;
    const now = performance.now();
    if (now < this.#lookAtMs) return true;
    this.#lookAtMs = now + LOOK_EVERY_MS;
    if (!mid.isNamed) this.#leave();
    return this.#isKept;
  }

  #takeStraight(most: number): number {
    const got = this.#sink.take(this.#fifo.reader, most);
    if (got > 0 && this.#mid === null && !this.#isTried && this.#isFast(got)) this.#grow();
    return got;
  }

  #isFast(got: number): boolean {
    const now = performance.now();
    if (now - this.#sinceMs > FAST_MS) {
      this.#sinceMs = now;
      this.#bytesSince = 0;
    }
    this.#bytesSince += got;
    return this.#bytesSince >= FAST_BYTES;
  }

  #grow(): void {
    this.#isTried = true;
    const { path, isRemoved } = this.#fifo;
    // What is behind a FIFO that somebody has taken away would lead the next daemon nowhere.
    if (!this.#sink.isRaw || isRemoved || Fifo.targetOf(path) === null) return;
    try {
      this.#mid = Mid.make(path, this.#plumbing);
    } catch {
      return; // all goes on as before
    }
    this.#widen(this.#mid);
    if (this.#isWide) {
      this.#options.grown();
      return;
    }
    this.#mid.remove();
    this.#mid.close();
    this.#mid = null;
  }

  /** What is found in one that holds little is moved on; no more is moved into it. */
  #widen({ descriptor }: Mid): void {
    const { pipeBytes } = this.#options;
    this.#isWide = this.#plumbing.enlarge(descriptor, pipeBytes) >= pipeBytes;
  }
}

/** Only the first one comes to an end. */
const ofMid = (got: number): number => (got === 0 ? NOTHING : got);
