/** The text of a journal, read whatever has become of it: line by line, and never more of it than can be of use. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Another one with other lines or another meaning of them. A journal without this line is of the first one. */
export const FORMAT = 1;
const FORMAT_KEY = 'format';

/** A journal is written anew long before it is that large. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Of one record. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 10;

export interface JournalText {
  /** Of each key, its value as JSON. */
  readonly values: Map<string, string>;
  /** What is wrong with it, each in a few words. */
  readonly faults: readonly string[];
  /** Of a later version; null: ours, or older. */
  readonly laterFormat: number | null;
  /** Whether anything was read from it: otherwise it is no file that can be written on. */
  readonly isFile: boolean;
  /** Of a file that may be written on as it is: all of it was read, and it says that it is of our format. */
  readonly wholeBytes: number | null;
}

/** Null: there is none. */
export function readJournalText(path: string): JournalText | null {
  const found = new Found();
  try {
    // A named pipe would wait for somebody who writes.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) return nothing('it is not a file');
      const bytes = readLines(descriptor, Buffer.allocUnsafe(Math.min(stat.size + 1, CHUNK_BYTES)), found);
      return found.text(bytes);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    return nothing(error instanceof Error ? error.message : String(error));
  }
}

const nothing = (fault: string): JournalText => ({
  values: new Map(),
  faults: [fault],
  laterFormat: null,
  isFile: false,
  wholeBytes: null,
});

export const journalLine = (key: string, json: string): string => `${JSON.stringify(key)}\t${json}\n`;
export const formatLine = (): string => journalLine(FORMAT_KEY, String(FORMAT));

class Found {
  readonly #values = new Map<string, string>();
  #unreadable = 0;
  #torn = false;
  #isTooLarge = false;
  #format = FORMAT;
  #saysFormat = false;

  line(text: string): void {
    const entry = parseLine(text);
    if (entry === null) this.#unreadable++;
    else if (entry.key === FORMAT_KEY) {
      this.#format = Number(entry.value);
      this.#saysFormat = true;
    } else if (entry.value === 'null') this.#values.delete(entry.key);
    else this.#values.set(entry.key, entry.value);
  }

  overlong(): void {
    this.#unreadable++;
  }

  torn(): void {
    this.#torn = true;
  }

  tooLarge(): void {
    this.#isTooLarge = true;
  }

  text(bytes: number): JournalText {
    const faults = [
      ...(this.#unreadable === 0 ? [] : [`${this.#unreadable} of its lines cannot be read`]),
      ...(this.#torn ? ['its last line was cut off'] : []),
      ...(this.#isTooLarge ? [`it has more than ${MAX_BYTES} bytes, of which no more were read`] : []),
    ];
    // What is no number is no format of ours either.
    const laterFormat = this.#format <= FORMAT ? null : this.#format;
    const isWhole = faults.length === 0 && this.#saysFormat && this.#format === FORMAT;
    return { values: this.#values, faults, laterFormat, isFile: true, wholeBytes: isWhole ? bytes : null };
  }
}

/** Feeds all whole lines to `found`, and tells of the rest. Returns the bytes read. Throws what the system says. */
function readLines(descriptor: number, chunk: Buffer, found: Found): number {
  let parts: Buffer[] = [];
  let held = 0;
  const hold = (part: Buffer): void => {
    held += part.length;
    if (held > MAX_LINE_BYTES) parts = [];
    else if (part.length > 0) parts.push(Buffer.from(part)); // the chunk is used again
  };
  const end = (): void => {
    if (held > MAX_LINE_BYTES) found.overlong();
    else found.line(Buffer.concat(parts).toString('utf8'));
    parts = [];
    held = 0;
  };
  let read = 0;
  for (;;) {
    const length = readSync(descriptor, chunk, 0, chunk.length, read);
    if (length === 0) break;
    read += length;
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0 && to < length; to = chunk.indexOf(NEWLINE, from)) {
      hold(chunk.subarray(from, to));
      end();
      from = to + 1;
    }
    hold(chunk.subarray(from, length));
    if (read >= MAX_BYTES) break;
  }
  if (readSync(descriptor, chunk, 0, 1, read) > 0) found.tooLarge();
  else if (held > 0) found.torn();
  return read;
}

function parseLine(text: string): { key: string; value: string } | null {
  const [key, value, more] = text.split('\t');
  if (key === undefined || value === undefined || more !== undefined) return null;
  try {
    const name: unknown = JSON.parse(key);
    JSON.parse(value);
    return typeof name === 'string' ? { key: name, value } : null;
  } catch {
    return null;
  }
}
