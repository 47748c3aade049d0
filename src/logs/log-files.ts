/** All log files that are written to, by path: whoever writes to the same one has the same in hand. */
import { type FileSettings, LogFile, type LogFileEvents } from './log-file.ts';

interface Held {
  readonly file: LogFile;
  holders: number;
}

export class LogFiles {
  readonly #events: LogFileEvents;
  readonly #held = new Map<string, Held>();

  constructor(events: LogFileEvents) {
    this.#events = events;
  }

  /** To be let go of as often as it was asked for. */
  hold(path: string, settings: FileSettings): LogFile {
    const held = this.#held.get(path) ?? { file: new LogFile(path, settings, this.#events), holders: 0 };
    held.file.settings = settings;
    held.holders++;
    this.#held.set(path, held);
    return held.file;
  }

  letGo(file: LogFile): void {
    const held = this.#held.get(file.path);
    if (held?.file !== file || --held.holders > 0) return;
    this.#held.delete(file.path);
    file.close();
  }
}
