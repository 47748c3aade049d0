/**
 * Output into a file line by line, each dressed on its way. A line that has no end yet waits for it in the spool, and so
 * does what could not be written when somebody was killed. While the file cannot be written to, whole lines are dropped.
 */
import { readSync } from 'node:fs';
import { constants } from 'node:os';
import type { Plumbing } from '../ports/plumbing.ts';
import type { FileSettings } from './file-settings.ts';
import { LineFormat, type LineStyle, PIECE_BYTES } from './format.ts';
import type { Label } from './label.ts';
import type { LogFile, Place } from './log-file.ts';
import type { LogFiles } from './log-files.ts';
import { parcel } from './parcel.ts';
import { hasArrived } from './passage.ts';
import type { Loss, Sink } from './sink.ts';
import { Slowness } from './slowness.ts';
import type { Spool } from './spool.ts';
import { errorOf, wordsFor } from './system-words.ts';
import { writeAll, writeAllAside } from './write-all.ts';

const NEWLINE = 10;
const BUFFER_BYTES = 64 * 1024;
const NOTHING = -constants.errno.EAGAIN;
const INTERRUPTED = -constants.errno.EINTR;

/** Lines, and where they go. */
interface Batch {
  readonly place: Place;
  readonly output: Buffer;
}

export class LineSink implements Sink {
  readonly #spool: Spool;
  readonly #plumbing: Plumbing;
  readonly #files: LogFiles;
  readonly #file: LogFile;
  #format: LineFormat;
  #droppedBytes = 0;
  readonly #slowness = new Slowness();
  /** So much of what is held has no end of a line in it. */
  #searchedBytes = 0;
  #isClosed = false;

  /** `spool` bears that label. */
  constructor(
    spool: Spool,
    { path, style }: Label,
    settings: FileSettings,
    plumbing: Plumbing,
    files: LogFiles,
  ) {
    this.#spool = spool;
    this.#plumbing = plumbing;
    this.#files = files;
    this.#file = files.hold(path, settings);
    this.#format = new LineFormat(style);
    this.#takeBack();
  }

  get path(): string {
    return this.#file.path;
  }

  get loss(): Loss {
    return { droppedBytes: this.#droppedBytes, why: this.#file.why };
  }

  get isSlow(): boolean {
    return this.#file.isBusy || this.#slowness.isSlow;
  }

  get heldMs(): number {
    return this.#file.settings.whenFull === 'block' ? this.#file.restMs(performance.now()) : 0;
  }

  /** Nothing of a line is held, and none is begun. */
  get isAtBeginning(): boolean {
    return this.#spool.heldBytes === 0 && this.#spool.mood === 'fresh';
  }

  get style(): LineStyle {
    return this.#format.style;
  }

  /** Of what ends from now on. @throws what the system says */
  restyle(style: LineStyle): void {
    this.#spool.mark({ path: this.path, style });
    this.#format = new LineFormat(style);
  }

  follow(settings: FileSettings): void {
    this.#file.settings = settings;
  }

  prepare(): void {
    this.#file.prepare();
  }

  take(pipe: number, most: number): number {
    const now = performance.now();
    if (this.#file.isBusy || this.#isToWait(now)) return NOTHING;
    const got = this.#fetch(pipe, most, now);
    this.#carry(got === 0, now);
    if (this.#file.why !== null && this.#plumbing.pendingIn(pipe) === 0) this.#file.wentWell(0);
    return this.#told(got);
  }

  takeAside(pipe: number, most: number, done: (got: number) => void): void {
    this.#file.whenFree(() => {
      const now = performance.now();
      if (this.#isToWait(now)) {
        done(NOTHING);
        return;
      }
      const got = this.#fetch(pipe, most, now);
      this.#carryAside(got === 0, () => done(this.#told(got)));
    });
  }

  /** Nobody goes on with the line that has no end yet. */
  finish(): void {
    this.#file.whenFree(() => {
      const now = performance.now();
      if (!this.#isClosed && !this.#isToWait(now)) this.#carry(true, now);
    });
  }

  /** What is held has another name from now on. */
  setAside(): void {
    this.#spool.setAside();
  }

  /** What is held stays where it is. */
  close(): void {
    this.#isClosed = true;
    this.#files.letGo(this.#file);
    this.#spool.close();
  }

  remove(): void {
    this.#isClosed = true;
    this.#files.letGo(this.#file);
    this.#spool.remove();
  }

  /** Nobody can write any more: that is not told before all is where it belongs. */
  #told(got: number): number {
    return got === 0 && !this.isAtBeginning ? NOTHING : got;
  }

  /** What comes stays in the pipe until the file can be written to. */
  #isToWait(now: number): boolean {
    return this.#file.settings.whenFull === 'block' && this.#file.isResting(now);
  }

  /** What is in the pipe is in the spool then, as `take` tells it. */
  #fetch(pipe: number, most: number, now: number): number {
    const got = this.#spool.take(pipe, most, this.#plumbing);
    if (got >= 0 || got === NOTHING || got === INTERRUPTED) return got;
    this.#file.wentWrong(new Error(`${wordsFor(errorOf(-got))} at ${this.#spool.path}`), now);
    return this.#isToWait(now) ? NOTHING : this.#drop(pipe);
  }

  /** `isEnding`: what has no end is a line too. */
  #carry(isEnding: boolean, now: number): void {
    try {
      for (let batch = this.#next(isEnding, now); batch !== null; batch = this.#next(isEnding, now)) {
        this.#slowness.begin();
        const began = performance.now();
        writeAll(batch.place.descriptor, batch.output, batch.place.size);
        this.#slowness.end(began);
        this.#arrived(batch);
      }
    } catch (error) {
      this.#wentWrong(error, isEnding, now);
    }
  }

  #carryAside(isEnding: boolean, done: () => void): void {
    const began = performance.now();
    this.#slowness.begin();
    const batch = this.#nextOrNone(isEnding, began);
    if (batch === null) {
      done();
      return;
    }
    this.#file.isBusy = true;
    const { bytes, release } = parcel(batch.output);
    writeAllAside(batch.place.descriptor, bytes, batch.place.size, (error) => {
      release();
      this.#slowness.end(began, 2);
      if (error === null) this.#arrived(batch);
      else this.#wentWrong(error, isEnding, performance.now());
      this.#file.isBusy = false;
      // Somebody else may have waited for that.
      this.#file.whenFree(() => this.#carryAside(isEnding, done));
    });
  }

  #nextOrNone(isEnding: boolean, now: number): Batch | null {
    try {
      return this.#next(isEnding, now);
    } catch (error) {
      this.#wentWrong(error, isEnding, now);
      return null;
    }
  }

  /** What is to be written next: it is noted down where it goes. Null: there is nothing, or it cannot be written. */
  #next(isEnding: boolean, now: number): Batch | null {
    if (this.#file.isResting(now)) {
      if (!this.#isToWait(now)) this.#discard(isEnding);
      return null;
    }
    const { heldBytes, mood } = this.#spool;
    if (isEnding ? this.isAtBeginning : heldBytes <= PIECE_BYTES && !this.#hasEnd()) return null;
    const bytes = this.#spool.read();
    const isAll = bytes.length === heldBytes;
    const dressed = this.#format.dress(bytes, 0, {
      timeMs: Date.now(),
      mood,
      room: this.#file.makeRoom(now),
      isEnding: isEnding && isAll,
    });
    this.#searchedBytes = 0;
    if (dressed.output.length === 0) {
      this.#spool.pass(dressed.to, dressed.mood);
      return null;
    }
    const { output } = dressed;
    const place = this.#file.place(now);
    const { dev, ino, size } = place;
    this.#spool.depart({ dev, ino, size, length: output.length, to: dressed.to, mood: dressed.mood });
    return { place, output };
  }

  /** Each byte is searched once. */
  #hasEnd(): boolean {
    const { heldBytes } = this.#spool;
    if (this.#searchedBytes >= heldBytes) return false;
    if (this.#spool.read(this.#searchedBytes).includes(NEWLINE)) return true;
    this.#searchedBytes = heldBytes;
    return false;
  }

  #arrived({ output }: Batch): void {
    this.#spool.arrive();
    this.#file.wentWell(output.length);
  }

  /** Part of it may be there: then none is. */
  #wentWrong(error: unknown, isEnding: boolean, now: number): void {
    this.#takeBack();
    this.#file.wentWrong(error, now);
    if (!this.#isToWait(now)) this.#discard(isEnding);
  }

  #takeBack(): void {
    const { passage } = this.#spool;
    if (passage === null) return;
    try {
      if (hasArrived(this.path, passage)) this.#spool.arrive();
      else this.#spool.turnBack();
    } catch {
      this.#spool.turnBack();
    }
  }

  /** Whole lines are, where that can be had: what comes after them is a line. */
  #discard(isEnding: boolean): void {
    for (;;) {
      const bytes = this.#spool.read();
      const whole = isEnding ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
      const isPiece = whole === 0 && bytes.length > PIECE_BYTES;
      const length = isPiece ? bytes.length : whole;
      if (length === 0) return;
      this.#spool.pass(length, isPiece ? 'within' : 'fresh');
      this.#lose(length);
    }
  }

  /** What the spool cannot take. */
  #drop(pipe: number): number {
    const length = readFrom(pipe);
    if (length > 0) this.#lose(length);
    return length;
  }

  #lose(bytes: number): void {
    this.#droppedBytes += bytes;
    this.#file.dropped(bytes);
  }
}

function readFrom(pipe: number): number {
  try {
    return readSync(pipe, Buffer.allocUnsafe(BUFFER_BYTES));
  } catch {
    return NOTHING;
  }
}
