/** All log files that are written to, by path: whoever writes to the same one has the same in hand. */
import type { Plumbing } from '../ports/plumbing.ts';
import { Compressor } from './compressor.ts';
import type { FileSettings, LogFileEvents } from './file-settings.ts';
import { LogFile } from './log-file.ts';

interface Held {
  readonly file: LogFile;
  holders: number;
}

export class LogFiles {
  readonly #events: LogFileEvents;
  readonly #plumbing: Plumbing;
  readonly #compressor: Compressor;
  readonly #held = new Map<string, Held>();

  constructor(events: LogFileEvents, plumbing: Plumbing) {
    this.#events = events;
    this.#plumbing = plumbing;
    this.#compressor = new Compressor((path, why) => events.uncompressed(path, why));
  }

  /** To be let go of as often as it was asked for. */
  hold(path: string, settings: FileSettings): LogFile {
    const held = this.#held.get(path) ?? { file: this.#make(path, settings), holders: 0 };
    held.holders++;
    held.file.settings = settings;
    this.#held.set(path, held);
    return held.file;
  }

  letGo(file: LogFile): void {
    const held = this.#held.get(file.path);
    if (held?.file !== file || --held.holders > 0) return;
    this.#held.delete(file.path);
    file.close();
  }

  /** Somebody writes to it. */
  has(path: string): boolean {
    return this.#held.has(path);
  }

  get all(): readonly LogFile[] {
    return [...this.#held.values()].map(({ file }) => file);
  }

  /** Nothing is compressed any more. */
  close(): void {
    this.#compressor.close();
  }

  #make(path: string, settings: FileSettings): LogFile {
    return new LogFile(path, settings, this.#plumbing, this.#events, this.#compressor);
  }
}
