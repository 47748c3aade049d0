/**
 * One log file at its path, whoever writes to it: opened when there is something to write, made anew where somebody
 * has moved it away or removed it, and what is wrong with it while nothing can be written.
 */
import { closeSync, fstatSync } from 'node:fs';
import type { LogSettings } from '../core/plan.ts';
import { isStillAt, type OpenFile, openFile } from './open-file.ts';
import { wordsFor } from './system-words.ts';

/** A file that is written to without pause is looked for at its path so often. */
const LOOK_EVERY_MS = 100;
const TRY_EVERY_MS = 1000;
/** What was full has room again when so much has found its place, or all there is. */
const WELL_AFTER_BYTES = 1024 * 1024;

/** What of the settings is a file's affair, whatever its lines look like. */
export type FileSettings = Pick<LogSettings, 'maxBytes' | 'keep' | 'maxAgeMs' | 'compress' | 'whenFull'>;

export interface LogFileEvents {
  /** Once, until it is well again. */
  failing(path: string, why: string): void;
  /** `droppedBytes` in between. */
  well(path: string, droppedBytes: number): void;
}

/** Where the next byte goes: after the last one that is there, so whoever cuts the file short leaves no hole in it. */
export interface Place extends OpenFile {
  readonly size: number;
}

interface Fault {
  readonly why: string;
  tryAt: number;
  /** Written since it was last tried. */
  writtenBytes: number;
}

export class LogFile {
  readonly path: string;
  settings: FileSettings;
  readonly #events: LogFileEvents;
  #file: OpenFile | null = null;
  #lookAt = 0;
  #fault: Fault | null = null;
  /** Since it was last known to be well. */
  #droppedBytes = 0;

  constructor(path: string, settings: FileSettings, events: LogFileEvents) {
    this.path = path;
    this.settings = settings;
    this.#events = events;
  }

  get isOpen(): boolean {
    return this.#file !== null;
  }

  /** Why nothing can be written now; null: it can. */
  get why(): string | null {
    return this.#fault?.why ?? null;
  }

  /** `now` as performance.now() has it. @throws what the system says: to be told by `wentWrong`. */
  place(now: number): Place {
    if (this.#file !== null && now >= this.#lookAt) {
      if (!isStillAt(this.path, this.#file)) this.close();
      this.#lookAt = now + LOOK_EVERY_MS;
    }
    this.#file ??= openFile(this.path);
    const { descriptor, dev, ino } = this.#file;
    return { descriptor, dev, ino, size: fstatSync(descriptor).size };
  }

  /** Has the descriptor from now on that it would need later, when there may be none. */
  prepare(): void {
    try {
      this.place(performance.now());
    } catch {
      // It is opened with what is to be written at the latest: that says what is wrong.
    }
  }

  /** It could not be written to a moment ago, so it is not tried again yet. */
  isResting(now: number): boolean {
    return this.#fault !== null && now < this.#fault.tryAt;
  }

  wentWrong(error: unknown, now: number): void {
    this.close();
    const tryAt = now + TRY_EVERY_MS;
    if (this.#fault !== null) {
      Object.assign(this.#fault, { tryAt, writtenBytes: 0 });
      return;
    }
    const why = wordsFor(error);
    this.#fault = { why, tryAt, writtenBytes: 0 };
    this.#events.failing(this.path, why);
  }

  /** So many bytes are in it now; not above 0: there were none. */
  wentWell(written: number): void {
    const fault = this.#fault;
    if (fault === null) return;
    // What is nearly full takes a little, and then no more: that is not well yet.
    fault.writtenBytes += Math.max(0, written);
    if (fault.writtenBytes === 0 || (written > 0 && fault.writtenBytes < WELL_AFTER_BYTES)) return;
    this.#fault = null;
    this.#events.well(this.path, this.#droppedBytes);
    this.#droppedBytes = 0;
  }

  /** So many bytes of what was to be written are gone. */
  dropped(bytes: number): void {
    this.#droppedBytes += bytes;
  }

  /** It is opened again with the next byte. */
  close(): void {
    if (this.#file !== null) closeSync(this.#file.descriptor);
    this.#file = null;
  }
}
