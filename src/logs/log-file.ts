/**
 * One log file at its path, whoever writes to it: opened when there is something to write, made anew where somebody
 * has moved it away or removed it, and put aside when it is full or old.
 */
import { close, closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import type { Plumbing } from '../ports/plumbing.ts';
import type { Compressor } from './compressor.ts';
import type { FileSettings, LogFileEvents } from './file-settings.ts';
import { isStillAt, makeLike, type OpenFile, openFile } from './open-file.ts';
import { putAside, putAsideSlowly } from './rotation.ts';
import { wordsFor } from './system-words.ts';
import { WriteFault } from './write-fault.ts';

/** A file that is written to without pause is looked for at its path so often. */
const LOOK_EVERY_MS = 100;
const TRY_EVERY_MS = 1000;
/** A line that has no end by then is torn: it is no line. */
const LINE_BYTES = 64 * 1024;
const NEWLINE = 10;

/** Where the next byte goes: after the last one that is there, so whoever cuts the file short leaves no hole in it. */
export interface Place extends OpenFile {
  readonly size: number;
}

/** What becomes of somebody's wish. `later`: when the line that is being written has ended, or the disk has answered. */
export type Handling = 'done' | 'nothing' | 'later' | 'failed';

export class LogFile {
  readonly path: string;
  settings: FileSettings;
  readonly #plumbing: Plumbing;
  readonly #fault: WriteFault;
  readonly #events: LogFileEvents;
  readonly #compressor: Compressor;
  #file: OpenFile | null = null;
  #isBusy = false;
  readonly #waiting: (() => void)[] = [];
  #lookAt = 0;
  /** Its size when it was first known to be due: after that the line that is being written may end. */
  #dueFrom: number | null = null;
  #isAskedToRotate = false;
  /** What an earlier daemon had put aside, and not compressed, has been looked for. */
  #isOpenedBefore = false;
  /** What was put aside a moment ago: whoever could read that can read what comes. */
  #before: Stats | null = null;
  /** Why it cannot be put aside. */
  #stuck: { readonly why: string; readonly tryAt: number } | null = null;

  constructor(
    path: string,
    settings: FileSettings,
    plumbing: Plumbing,
    events: LogFileEvents,
    compressor: Compressor,
  ) {
    this.path = path;
    this.settings = settings;
    this.#plumbing = plumbing;
    this.#events = events;
    this.#compressor = compressor;
    this.#fault = new WriteFault(
      (why) => events.failing(path, why, this.settings.whenFull),
      (droppedBytes) => events.well(path, droppedBytes),
    );
  }

  get isOpen(): boolean {
    return this.#file !== null;
  }

  /** Why nothing can be written now; null: it can. */
  get why(): string | null {
    return this.#fault.why;
  }

  /** Of what was to be written, since it was last known to be well. */
  get droppedBytes(): number {
    return this.#fault.droppedBytes;
  }

  /** Another thread writes to it, or puts it aside: nobody else may touch it until that is over. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  set isBusy(isBusy: boolean) {
    this.#isBusy = isBusy;
    while (!this.#isBusy && this.#waiting.length > 0) this.#waiting.shift()?.();
  }

  /** Calls back when no thread writes to it: within the call if that is so now. */
  whenFree(act: () => void): void {
    if (this.#isBusy) this.#waiting.push(act);
    else act();
  }

  /** Why it grows on although it is full; null: it does not. */
  get stuckFor(): string | null {
    return this.#stuck?.why ?? null;
  }

  /** `now` as performance.now() has it. @throws what the system says: to be told by `wentWrong`. */
  place(now: number): Place {
    if (this.#file !== null && now >= this.#lookAt) {
      if (!isStillAt(this.path, this.#file)) this.#letGo(this.#file);
      this.#lookAt = now + LOOK_EVERY_MS;
    }
    this.#file ??= this.#open();
    const size = this.#plumbing.sizeOf(this.#file.descriptor);
    // Of what nobody has written to yet, or has cut short, the first byte is what begins it.
    if (size === 0) this.#file.bornAtMs = Date.now();
    // One by one: a spread with something added takes V8 far more, and a part of that outlives many collections.
    const { descriptor, dev, ino, bornAtMs } = this.#file;
    return { descriptor, dev, ino, bornAtMs, size };
  }

  /** Has the descriptor from now on that it would need later, when there may be none. */
  prepare(): void {
    // It may be closed there, and another thread has it in its hands.
    if (this.isBusy) return;
    try {
      this.place(performance.now());
    } catch {
      // It is opened with what is to be written at the latest: that says what is wrong.
    }
  }

  /** It has reached its size or its age: no line is to begin in it any more. */
  isDue({ size, bornAtMs }: Place, now: number): boolean {
    if (size === 0 || (this.#stuck !== null && now < this.#stuck.tryAt)) return false;
    const { maxBytes, maxAgeMs } = this.settings;
    const isDue =
      this.#isAskedToRotate ||
      (maxBytes !== null && size >= maxBytes) ||
      (maxAgeMs !== null && Date.now() - bornAtMs >= maxAgeMs);
    this.#dueFrom = isDue ? (this.#dueFrom ?? size) : null;
    if (!isDue) this.#stuck = null;
    return isDue;
  }

  /**
   * For whoever writes whole lines: puts it aside if it is due. So many bytes may be written before it is due again,
   * and with them the line that goes beyond. @throws what the system says: to be told by `wentWrong`.
   */
  makeRoom(now: number): number {
    for (let place = this.place(now); ; place = this.place(now))
      if (!this.isDue(place, now) || !this.rotate(now)) return this.roomIn(place);
  }

  /** What may be written before it is to be looked at again; of one that is due: to end the line in it. */
  roomIn({ size }: Place): number {
    if (this.#dueFrom !== null) return this.#dueFrom + LINE_BYTES - size;
    const { maxBytes } = this.settings;
    return maxBytes === null || size >= maxBytes ? Number.POSITIVE_INFINITY : maxBytes - size;
  }

  /** Its last byte ends a line, as far as that can be told. */
  endsLine({ descriptor, size }: Place): boolean {
    const byte = Buffer.alloc(1);
    try {
      const own = openSync(`/proc/self/fd/${descriptor}`, 'r');
      try {
        return readSync(own, byte, 0, 1, size - 1) === 1 && byte[0] === NEWLINE;
      } finally {
        closeSync(own);
      }
    } catch {
      return false;
    }
  }

  /** Puts it aside. Where that is not possible it grows on. False: it is where it was. */
  rotate(now: number): boolean {
    const file = this.#file;
    if (file === null || !isStillAt(this.path, file)) return this.#isElsewhere();
    try {
      putAside(this.path, this.settings.keep);
    } catch (error) {
      return this.#cannotRotate(error, now);
    }
    return this.#isPutAside(file);
  }

  /** The same where the disk takes its time: nothing waits for it but `done`. */
  rotateAside(now: number, done: () => void): void {
    const file = this.#file;
    if (file === null || !isStillAt(this.path, file)) {
      this.#isElsewhere();
      done();
      return;
    }
    this.isBusy = true;
    putAsideSlowly(this.path, this.settings.keep)
      .then(
        () => this.#isPutAside(file),
        (error: unknown) => this.#cannotRotate(error, now),
      )
      .then(() => {
        this.isBusy = false;
        done();
      });
  }

  /** Somebody wants it put aside now, whatever its size. `isWritten`: a line may be under way. */
  rotateByWish(isWritten: boolean): Handling {
    const now = performance.now();
    if (this.isBusy) return this.#rotateLater();
    try {
      const place = this.place(now);
      if (place.size === 0) return 'nothing';
      if (isWritten && !this.endsLine(place)) return this.#rotateLater();
      return this.rotate(now) ? 'done' : 'failed';
    } catch (error) {
      this.wentWrong(error, now);
      return 'failed';
    }
  }

  /** Somebody has put it aside: what comes goes to what is at its path now. */
  reopen(): Handling {
    this.#lookAt = 0;
    if (!this.isOpen) return 'nothing';
    if (this.isBusy) return 'later';
    this.close();
    try {
      this.place(performance.now());
      return 'done';
    } catch (error) {
      this.wentWrong(error, performance.now());
      return 'failed';
    }
  }

  /** It could not be written to a moment ago, so it is not tried again yet. */
  isResting(now: number): boolean {
    return this.#fault.restMs(now) > 0;
  }

  /** For so long. */
  restMs(now: number): number {
    return this.#fault.restMs(now);
  }

  wentWrong(error: unknown, now: number): void {
    this.close();
    this.#fault.wentWrong(error, now);
  }

  /** So many bytes are in it now; not above 0: there were none. */
  wentWell(written: number): void {
    this.#fault.wentWell(written);
  }

  /** So many bytes of what was to be written are gone. */
  dropped(bytes: number): void {
    this.#fault.dropped(bytes);
  }

  /** It is opened again with the next byte. */
  close(): void {
    if (this.#file !== null) closeSync(this.#file.descriptor);
    this.#forget();
  }

  #open(): OpenFile {
    const file = openFile(this.path);
    if (this.#before !== null) makeLike(file, this.#before);
    this.#before = null;
    if (!this.#isOpenedBefore && this.#isToCompress) this.#compressor.look(this.path, true);
    this.#isOpenedBefore = true;
    return file;
  }

  get #isToCompress(): boolean {
    return this.settings.compress && this.settings.keep > 0;
  }

  #rotateLater(): Handling {
    this.#isAskedToRotate = true;
    return 'later';
  }

  /** Somebody was faster: what is at its path now is another one, and not ours to put aside. */
  #isElsewhere(): boolean {
    this.close();
    return true;
  }

  #isPutAside(file: OpenFile): boolean {
    this.#before = fstatSync(file.descriptor);
    if (this.settings.keep > 0) closeSync(file.descriptor);
    else close(file.descriptor);
    this.#forget();
    this.#stuck = null;
    this.#compressor.look(this.path, this.#isToCompress);
    return true;
  }

  #cannotRotate(error: unknown, now: number): boolean {
    const why = wordsFor(error);
    if (this.#stuck?.why !== why) this.#events.stuck(this.path, why);
    this.#stuck = { why, tryAt: now + TRY_EVERY_MS };
    this.#dueFrom = null;
    return false;
  }

  /** It has lost its name, and so may be removed with this: by another thread, for a big one takes its time. */
  #letGo({ descriptor }: OpenFile): void {
    close(descriptor);
    this.#forget();
  }

  #forget(): void {
    this.#file = null;
    this.#dueFrom = null;
    this.#isAskedToRotate = false;
  }
}
