/** Reads on in a file that somebody else writes: from a place, through truncation, and into what takes its place. */
import {
  closeSync,
  constants,
  type FSWatcher,
  fstatSync,
  openSync,
  readSync,
  type Stats,
  statSync,
  watch,
} from 'node:fs';
import { Lines } from './lines.ts';

/** What is read from one file before others get their turn. */
const BYTES_A_TURN = 64 * 1024;

// One at a time is read from, and what is held of it is copied.
const buffer = Buffer.allocUnsafe(BYTES_A_TURN);

export class Tail {
  private readonly path: string;
  /** What is to be opened: more than one may have been put aside since the last look. */
  private next: string;
  private readonly changed: () => void;
  private readonly lines = new Lines();
  private at: number;
  private file: { readonly descriptor: number; readonly watcher: FSWatcher | null } | null = null;

  /** `changed` may be called when there is something new, where the system tells. */
  constructor(path: string, from: number, changed: () => void) {
    this.path = path;
    this.next = path;
    this.at = from;
    this.changed = changed;
  }

  /** What has been written since; `more`: there is more, to be read in another turn. */
  read(): { readonly lines: readonly string[]; readonly more: boolean } {
    try {
      return this.readOn();
    } catch {
      this.close(); // it may be had again at the next look
      this.next = this.path;
      return { lines: [], more: false };
    }
  }

  close(): void {
    if (this.file === null) return;
    this.file.watcher?.close();
    closeSync(this.file.descriptor);
    this.file = null;
  }

  private readOn(): { lines: string[]; more: boolean } {
    this.file ??= this.open();
    if (this.file === null) return { lines: [], more: false };
    const { descriptor } = this.file;
    const stats = fstatSync(descriptor);
    if (stats.size < this.at) this.begin(); // it was cut short
    const length = readSync(descriptor, buffer, 0, BYTES_A_TURN, this.at);
    this.at += length;
    const lines = this.lines.push(buffer.subarray(0, length));
    if (length === BYTES_A_TURN) return { lines, more: true };
    const replaced = isReplaced(this.path, stats);
    if (replaced) {
      this.close();
      this.begin();
      this.next = successorOf(this.path, stats);
    }
    return { lines, more: replaced };
  }

  private begin(): void {
    this.at = 0;
    this.lines.reset();
  }

  private open(): Tail['file'] {
    // One that is not a file (a FIFO, a terminal) is not ours to read; opening it must not hold us up.
    const descriptor = openSync(this.next, constants.O_RDONLY | constants.O_NONBLOCK);
    if (fstatSync(descriptor).isFile()) return { descriptor, watcher: this.listen() };
    closeSync(descriptor);
    return null;
  }

  /** Null where the system has no more watches to give, or none for this kind of place. */
  private listen(): FSWatcher | null {
    try {
      const watcher = watch(this.path, { persistent: false }, () => this.changed());
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return null;
    }
  }
}

/** What was written after this one had been put aside: the one before it in the row of PATH.1, PATH.2 and so on. */
function successorOf(path: string, { dev, ino }: Stats): string {
  for (let n = 1; ; n++) {
    const stats = statSync(`${path}.${n}`, { throwIfNoEntry: false });
    if (stats === undefined) return path;
    if (stats.ino === ino && stats.dev === dev) return n === 1 ? path : `${path}.${n - 1}`;
  }
}

/** A file that has only been moved away is still written to by those who have it open. */
function isReplaced(path: string, open: Stats): boolean {
  const now = statSync(path, { throwIfNoEntry: false });
  return now !== undefined && (now.ino !== open.ino || now.dev !== open.dev);
}
