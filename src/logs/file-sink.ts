/**
 * Output into a file as it is: moved, never looked at. The end of the file is asked for at each move, so whoever cuts
 * it short leaves no hole in it; one that was moved away or removed is made anew. While it cannot be written to,
 * what comes is dropped and counted: a program never waits for a disk that is full.
 */
import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Plumbing } from '../ports/plumbing.ts';
import { isStillAt, type OpenFile, openFile } from './open-file.ts';
import type { Loss, Sink } from './sink.ts';
import { errorOf, wordsFor } from './system-words.ts';

/** A file that is written to without pause is looked for at its path so often. */
const LOOK_EVERY_MS = 100;
const TRY_EVERY_MS = 1000;
/** A call that took longer is one too many for a daemon that has other things to do. */
const SLOW_MS = 20;
const SLOW_FOR_MS = 5000;
/** What was full has room again when so much has found its place, or all there is. */
const WELL_AFTER_BYTES = 1024 * 1024;
const BUFFER_BYTES = 64 * 1024;
const { EAGAIN, EINTR, EINVAL } = constants.errno;
const NOTHING = -EAGAIN;

// One at a time is read into, and nothing of it is kept.
const buffer = Buffer.allocUnsafe(BUFFER_BYTES);

export interface SinkEvents {
  /** Once, until it is well again. */
  failing(path: string, why: string): void;
  /** `droppedBytes` in between. */
  well(path: string, droppedBytes: number): void;
}

interface Fault {
  readonly why: string;
  readonly droppedBefore: number;
  tryAt: number;
  /** Written since it was last tried. */
  writtenBytes: number;
}

export class FileSink implements Sink {
  readonly #plumbing: Plumbing;
  readonly #events: SinkEvents;
  #path: string;
  #file: OpenFile | null = null;
  #lookAt = 0;
  #fault: Fault | null = null;
  #droppedBytes = 0;
  /** Where the file system cannot take what is in a pipe. */
  #copies = false;
  #slowUntil = 0;

  constructor(path: string, plumbing: Plumbing, events: SinkEvents) {
    this.#path = path;
    this.#plumbing = plumbing;
    this.#events = events;
  }

  get path(): string {
    return this.#path;
  }

  get loss(): Loss {
    return { droppedBytes: this.#droppedBytes, why: this.#fault?.why ?? null };
  }

  /** What comes from now on goes there. */
  aimAt(path: string): void {
    this.close();
    this.#path = path;
    this.#fault = null;
    this.#copies = false;
  }

  /** Has the descriptor from now on that it would need later, when there may be none. */
  prepare(): void {
    try {
      this.#opened(performance.now());
    } catch {
      // It is opened with what is to be written at the latest: that says what is wrong.
    }
  }

  take(pipe: number, most: number): number {
    const now = performance.now();
    if (this.#fault !== null && now < this.#fault.tryAt) return this.#drop(pipe);
    // Who has nothing to say needs no file.
    if (this.#file === null && this.#plumbing.pendingIn(pipe) === 0) return read(pipe);
    try {
      const got = this.#move(pipe, most, now);
      this.#wentWell(got);
      this.#tookSince(now);
      return got;
    } catch (error) {
      this.#wentWrong(error, now);
      return this.#drop(pipe);
    }
  }

  get isSlow(): boolean {
    return this.#slowUntil > performance.now();
  }

  takeAside(pipe: number, most: number, done: (got: number) => void): void {
    const began = performance.now();
    const file = this.#fault === null && !this.#copies ? this.#place(began) : null; // else it is no disk to wait for
    if (file === null) {
      done(this.take(pipe, most));
      return;
    }
    this.#plumbing.spliceAside(pipe, file.descriptor, file.size, most, (got) => {
      this.#tookSince(began);
      if (got >= 0 || got === -EAGAIN) this.#wentWell(got);
      // Another try says why.
      done(got >= 0 || got === -EAGAIN ? got : this.take(pipe, most));
    });
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file.descriptor);
    this.#file = null;
  }

  #move(pipe: number, most: number, now: number): number {
    const { descriptor } = this.#opened(now);
    const { size } = fstatSync(descriptor);
    if (this.#copies) return this.#copy(pipe, descriptor, size);
    const got = this.#plumbing.splice(pipe, descriptor, size, most);
    if (got === -EINTR) return this.#move(pipe, most, now);
    if (got >= 0 || got === -EAGAIN) return got;
    if (got !== -EINVAL) throw errorOf(-got);
    this.#copies = true;
    return this.#copy(pipe, descriptor, size);
  }

  /** Whoever is killed between the two loses what is in the buffer: only where there is no other way. */
  #copy(pipe: number, file: number, at: number): number {
    const length = read(pipe);
    let done = 0;
    try {
      while (done < length) done += writeSync(file, buffer, done, length - done, at + done);
    } catch (error) {
      this.#droppedBytes += length - done;
      throw error;
    }
    return length;
  }

  /** Null: whoever waits is told why. */
  #place(now: number): { readonly descriptor: number; readonly size: number } | null {
    try {
      const { descriptor } = this.#opened(now);
      return { descriptor, size: fstatSync(descriptor).size };
    } catch {
      return null;
    }
  }

  #tookSince(began: number): void {
    const now = performance.now();
    if (now - began > SLOW_MS) this.#slowUntil = now + SLOW_FOR_MS;
  }

  #opened(now: number): OpenFile {
    if (this.#file !== null && now >= this.#lookAt) {
      if (!isStillAt(this.path, this.#file)) this.close();
      this.#lookAt = now + LOOK_EVERY_MS;
    }
    this.#file ??= openFile(this.path);
    return this.#file;
  }

  #drop(pipe: number): number {
    const length = read(pipe);
    if (length > 0) this.#droppedBytes += length;
    return length;
  }

  #wentWrong(error: unknown, now: number): void {
    this.close();
    const tryAt = now + TRY_EVERY_MS;
    if (this.#fault !== null) {
      Object.assign(this.#fault, { tryAt, writtenBytes: 0 });
      return;
    }
    const why = wordsFor(error);
    this.#fault = { why, droppedBefore: this.#droppedBytes, tryAt, writtenBytes: 0 };
    this.#events.failing(this.path, why);
  }

  /** What is nearly full takes a little, and then no more: that is not well yet. */
  #wentWell(got: number): void {
    const fault = this.#fault;
    if (fault === null) return;
    fault.writtenBytes += Math.max(0, got);
    if (fault.writtenBytes === 0 || (got > 0 && fault.writtenBytes < WELL_AFTER_BYTES)) return;
    this.#fault = null;
    this.#events.well(this.path, this.#droppedBytes - fault.droppedBefore);
  }
}

/** As `take` tells it. */
function read(pipe: number): number {
  try {
    return readSync(pipe, buffer, 0, BUFFER_BYTES, null);
  } catch {
    return NOTHING;
  }
}
