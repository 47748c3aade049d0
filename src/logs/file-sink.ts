/**
 * Output into a file as it is: moved, never looked at. While the file cannot be written to, what comes is dropped and
 * counted: a program never waits for a disk that is full.
 */
import { readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import type { LogSettings } from '../core/plan.ts';
import type { Plumbing } from '../ports/plumbing.ts';
import type { LogFile, Place } from './log-file.ts';
import type { LogFiles } from './log-files.ts';
import type { Loss, Sink } from './sink.ts';
import { errorOf } from './system-words.ts';

/** A call that took longer is one too many for a daemon that has other things to do. */
const SLOW_MS = 20;
const SLOW_FOR_MS = 5000;
const BUFFER_BYTES = 64 * 1024;
const { EAGAIN, EINTR, EINVAL } = constants.errno;
const NOTHING = -EAGAIN;

// One at a time is read into, and nothing of it is kept.
const buffer = Buffer.allocUnsafe(BUFFER_BYTES);

export class FileSink implements Sink {
  readonly #plumbing: Plumbing;
  readonly #files: LogFiles;
  #file: LogFile;
  #droppedBytes = 0;
  /** Where the file system cannot take what is in a pipe. */
  #copies = false;
  #slowUntil = 0;

  constructor(path: string, logging: LogSettings, plumbing: Plumbing, files: LogFiles) {
    this.#plumbing = plumbing;
    this.#files = files;
    this.#file = files.hold(path, logging);
  }

  get path(): string {
    return this.#file.path;
  }

  get loss(): Loss {
    return { droppedBytes: this.#droppedBytes, why: this.#file.why };
  }

  /** What comes from now on goes there. */
  aimAt(path: string, logging: LogSettings): void {
    this.close();
    this.#file = this.#files.hold(path, logging);
    this.#copies = false;
  }

  /** What is to become of it from now on. */
  follow(logging: LogSettings): void {
    this.#file.settings = logging;
  }

  prepare(): void {
    this.#file.prepare();
  }

  take(pipe: number, most: number): number {
    const now = performance.now();
    if (this.#file.isResting(now)) return this.#drop(pipe);
    // Who has nothing to say needs no file.
    if (!this.#file.isOpen && this.#plumbing.pendingIn(pipe) === 0) return read(pipe);
    try {
      const got = this.#move(pipe, most, now);
      this.#file.wentWell(got);
      this.#tookSince(now);
      return got;
    } catch (error) {
      this.#file.wentWrong(error, now);
      return this.#drop(pipe);
    }
  }

  get isSlow(): boolean {
    return this.#slowUntil > performance.now();
  }

  takeAside(pipe: number, most: number, done: (got: number) => void): void {
    const began = performance.now();
    const file = this.#file.why === null && !this.#copies ? this.#place(began) : null; // else it is no disk to wait for
    if (file === null) {
      done(this.take(pipe, most));
      return;
    }
    this.#plumbing.spliceAside(pipe, file.descriptor, file.size, most, (got) => {
      this.#tookSince(began);
      if (got >= 0 || got === -EAGAIN) this.#file.wentWell(got);
      // Another try says why.
      done(got >= 0 || got === -EAGAIN ? got : this.take(pipe, most));
    });
  }

  /** Nothing is taken any more. */
  close(): void {
    this.#files.letGo(this.#file);
  }

  #move(pipe: number, most: number, now: number): number {
    const { descriptor, size } = this.#file.place(now);
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
      this.#lose(length - done);
      throw error;
    }
    return length;
  }

  /** Null: whoever waits is told why. */
  #place(now: number): Place | null {
    try {
      return this.#file.place(now);
    } catch {
      return null;
    }
  }

  #tookSince(began: number): void {
    const now = performance.now();
    if (now - began > SLOW_MS) this.#slowUntil = now + SLOW_FOR_MS;
  }

  #drop(pipe: number): number {
    const length = read(pipe);
    if (length > 0) this.#lose(length);
    return length;
  }

  #lose(bytes: number): void {
    this.#droppedBytes += bytes;
    this.#file.dropped(bytes);
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
