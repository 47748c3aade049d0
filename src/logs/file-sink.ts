/**
 * Output into a file as it is: moved, and looked at only where one file ends and the next one begins. What has left
 * the pipe is in a file, whoever dies. While that cannot be written to, what comes is dropped and counted, or left in
 * the pipe: as it is wanted.
 */
import { readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import type { LogSettings } from '../core/plan.ts';
import type { Plumbing } from '../ports/plumbing.ts';
import type { LogFile, Place } from './log-file.ts';
import type { LogFiles } from './log-files.ts';
import type { Loss, Sink } from './sink.ts';
import { Slowness } from './slowness.ts';
import { errorOf } from './system-words.ts';

/** Another thread does something to the file for somebody else. */
const BUSY_MS = 5;
const FILES_A_TURN = 8;
const BUFFER_BYTES = 64 * 1024;
const { EAGAIN, EINTR, EINVAL } = constants.errno;
const NOTHING = -EAGAIN;
const NEWLINE = 10;

// One at a time is read into, and nothing of it is kept.
const buffer = Buffer.allocUnsafe(BUFFER_BYTES);

/** So many bytes for that place; not above 0: as `take` tells it. */
interface Part {
  readonly place: Place;
  readonly bytes: number;
}

interface Allowance {
  readonly most: number;
  readonly files: number;
}

export class FileSink implements Sink {
  readonly #plumbing: Plumbing;
  readonly #files: LogFiles;
  #file: LogFile;
  #droppedBytes = 0;
  /** Where the file system cannot take what is in a pipe. */
  #copies = false;
  readonly #slowness = new Slowness();

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
    if (this.#file.isBusy) return NOTHING;
    if (this.#file.isResting(now)) return this.#drop(pipe);
    // Who has nothing to say needs no file.
    if (!this.#file.isOpen && this.#plumbing.pendingIn(pipe) === 0) return this.#look(pipe);
    this.#slowness.begin();
    try {
      const got = this.#move(pipe, most, now);
      this.#wentWell(pipe, got);
      this.#slowness.end(now);
      return got;
    } catch (error) {
      this.#file.wentWrong(error, now);
      return this.#drop(pipe);
    }
  }

  get isSlow(): boolean {
    return this.#slowness.isSlow;
  }

  get heldMs(): number {
    if (this.#file.isBusy) return BUSY_MS;
    return this.#file.settings.whenFull === 'block' ? this.#file.restMs(performance.now()) : 0;
  }

  takeAside(pipe: number, most: number, done: (got: number) => void): void {
    this.#carryAside(pipe, { most, files: FILES_A_TURN }, done);
  }

  /** `left`: what may still be moved, through so many files. */
  #carryAside(pipe: number, left: Allowance, done: (got: number) => void): void {
    if (this.#file.isBusy) {
      this.#file.whenFree(() => this.#carryAside(pipe, left, done));
      return;
    }
    const began = performance.now();
    this.#slowness.begin();
    const part = this.#file.why === null && !this.#copies ? this.#partOf(pipe, left.most, began) : null;
    if (part === null)
      done(this.take(pipe, left.most)); // it is no disk to wait for
    else if (part === 'full') this.#file.rotateAside(began, () => this.#carryAside(pipe, left, done));
    else if (part.bytes <= 0) done(part.bytes);
    else
      this.#moveAside(pipe, part, (got) => {
        this.#slowness.end(began, 2);
        const rest = { most: left.most - got, files: left.files - 1 };
        // Another try says why.
        if (got < 0 && this.#plumbing.pendingIn(pipe) > 0) done(this.take(pipe, left.most));
        else if (got < part.bytes || rest.most <= 0 || rest.files <= 0) done(got);
        else this.#carryAside(pipe, rest, (more) => done(got + Math.max(0, more)));
      });
  }

  #moveAside(pipe: number, { place, bytes }: Part, done: (got: number) => void): void {
    this.#file.isBusy = true;
    this.#plumbing.spliceAside(pipe, place.descriptor, place.size, bytes, (got) => {
      if (got >= 0) this.#wentWell(pipe, got);
      this.#file.isBusy = false;
      done(got);
    });
  }

  /** Nothing is taken any more. */
  close(): void {
    this.#files.letGo(this.#file);
  }

  /** Through so many files at most: whoever has very small ones takes more turns. */
  #move(pipe: number, most: number, now: number): number {
    let moved = 0;
    for (let files = 0; ; ) {
      const part = this.#partIn(pipe, most - moved, this.#file.place(now), now);
      if (part === 'full') {
        if (files >= FILES_A_TURN && moved > 0) return moved;
        if (this.#file.rotate(now)) files++;
        continue;
      }
      const got = part.bytes > 0 ? this.#put(pipe, part) : part.bytes;
      if (got <= 0) return moved > 0 ? moved : got;
      moved += got;
      if (got < part.bytes || moved >= most) return moved;
    }
  }

  /** Null: whoever waits is told why. */
  #partOf(pipe: number, most: number, now: number): Part | 'full' | null {
    try {
      return this.#partIn(pipe, most, this.#file.place(now), now);
    } catch {
      return null;
    }
  }

  /** What may go into this file. */
  #partIn(pipe: number, most: number, place: Place, now: number): Part | 'full' {
    if (!this.#file.isDue(place, now)) return { place, bytes: Math.min(most, this.#file.roomIn(place)) };
    const room = this.#file.roomIn(place);
    const seen = this.#plumbing.peek(pipe, Math.max(1, room));
    // It is put aside when there is something for the next one.
    if (seen === null || seen.length === 0) return { place, bytes: seen === null ? NOTHING : 0 };
    if (room <= 0 || this.#file.endsLine(place)) return 'full';
    const end = seen.indexOf(NEWLINE);
    return { place, bytes: end < 0 ? seen.length : end + 1 };
  }

  #put(pipe: number, { place, bytes }: Part): number {
    const { descriptor, size } = place;
    if (this.#copies) return this.#copy(pipe, descriptor, size, bytes);
    for (;;) {
      const got = this.#plumbing.splice(pipe, descriptor, size, bytes);
      if (got === -EINTR) continue;
      if (got >= 0 || got === NOTHING) return got;
      if (got !== -EINVAL) throw errorOf(-got);
      this.#copies = true;
      return this.#copy(pipe, descriptor, size, bytes);
    }
  }

  /** Whoever is killed between the two loses what is in the buffer: only where there is no other way. */
  #copy(pipe: number, file: number, at: number, most: number): number {
    const length = read(pipe, most);
    let done = 0;
    try {
      while (done < length) done += writeSync(file, buffer, done, length - done, at + done);
    } catch (error) {
      this.#lose(length - done);
      throw error;
    }
    return length;
  }

  /** Whether somebody can still write, as `take` tells it. */
  #look(pipe: number): number {
    return this.#plumbing.peek(pipe, 1)?.length === 0 ? 0 : NOTHING;
  }

  #wentWell(pipe: number, got: number): void {
    this.#file.wentWell(got);
    // All there was has found its place: nobody may ask again before there is more.
    if (got > 0 && this.#file.why !== null && this.#plumbing.pendingIn(pipe) === 0)
      this.#file.wentWell(NOTHING);
  }

  /** What finds no place is taken all the same, or whoever writes waits. */
  #drop(pipe: number): number {
    if (this.#file.settings.whenFull === 'block') return NOTHING;
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
function read(pipe: number, most = BUFFER_BYTES): number {
  try {
    return readSync(pipe, buffer, 0, Math.min(most, BUFFER_BYTES), null);
  } catch {
    return NOTHING;
  }
}
