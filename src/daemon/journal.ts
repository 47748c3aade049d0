/**
 * What the next daemon has to know, as a log of `key = value` lines in which the last one of a key counts.
 * A line is written whole or not at all. What cannot be read is kept aside and told of; what cannot be written, because
 * the disk is full say, is owed, and written as soon as it goes again: neither is a reason to end.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { keepAside, secondName } from './aside.ts';
import { makeFolder } from './folders.ts';
import { formatLine, journalLine, readJournalText } from './journal-text.ts';
import { Retry } from './retry.ts';

/** Values are JSON; null deletes the key. */
export type Journalled = Record<string, unknown> | readonly unknown[] | string | number | boolean | null;

const COMPACT_FROM_BYTES = 1024 * 1024;
/** A new daemon writes on up to there, or to as much again as counts: to write all anew waits for the disk. */
const TAKEN_UP_BYTES = 64 * 1024;
/** Of what cannot be read or written, so many are named. */
const NAMED = 5;

/** An open file, and what tells it from another one of the same name. */
interface Sheet {
  readonly fd: number;
  readonly inode: number;
}

export class Journal {
  readonly #path: string;
  readonly #warn: (text: string) => void;
  readonly #say: (text: string) => void;
  readonly #values: Map<string, string>;
  /** Null where none could be made so far. */
  #sheet: Sheet | null = null;
  #bytes = 0;
  #pending: string[] = [];
  /** As it was last written as a whole. */
  #compactBytes = 0;
  /** Keys whose last change could not be written. */
  readonly #owed = new Set<string>();
  readonly #changed = new Set<string>();
  #failure: string | null = null;
  readonly #retry = new Retry(() => this.#catchUp());
  /** What is wrong with what an earlier daemon has written. */
  readonly #faults: string[];
  readonly #unread: string[] = [];
  /** The file as it was, under another name. */
  #last: string | null = null;
  #closed = false;

  /** `warn`: takes what is to be seen in `status` as well, `say` what `trouble` tells as long as it holds. */
  constructor(path: string, warn: (text: string) => void, say = warn) {
    this.#path = path;
    this.#warn = warn;
    this.#say = say;
    const read = readJournalText(path);
    this.#values = read?.values ?? new Map();
    this.#faults = [...(read?.faults ?? [])];
    if (read?.laterFormat != null) this.#distrust(`it is of a later version (format ${read.laterFormat})`);
    if (read?.isFile === true) this.#last = secondName(path);
    else if (read !== null) this.#confess(keepAside(path));
    if (read?.wholeBytes == null || !this.#takeUp(read.wholeBytes)) this.#write(() => this.#replace());
  }

  get<T>(key: string, read: (value: unknown) => T | null): T | null {
    const text = this.#values.get(key);
    return text === undefined ? null : read(JSON.parse(text));
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** As it is written. */
  text(key: string): string | undefined {
    return this.#values.get(key);
  }

  /** Everything whose key begins so. */
  *under(prefix: string): Iterable<readonly [key: string, value: unknown]> {
    for (const [key, text] of this.#values) {
      if (key.startsWith(prefix)) yield [key.slice(prefix.length), JSON.parse(text)];
    }
  }

  /** Gathers a change; `flush` writes it. What is so already is not written again. */
  put(key: string, value: Journalled): void {
    const text = JSON.stringify(value);
    if (value === null ? !this.#values.has(key) : this.#values.get(key) === text) return;
    if (value === null) this.#values.delete(key);
    else this.#values.set(key, text);
    this.#changed.add(key);
    this.#pending.push(journalLine(key, text));
  }

  /** It cannot be made sense of: it is gone from here, and kept aside with the rest of the file. */
  reject(key: string): void {
    this.#unread.push(key);
    this.put(key, null);
  }

  /** Nothing of it can be trusted but what is a single word or number, and cannot mean anything else. */
  #distrust(why: string): void {
    this.#faults.push(why);
    for (const key of this.#values.keys()) if (!isPlain(key)) this.#values.delete(key);
  }

  /** As `#distrust`, for whoever has failed over what is written here. */
  disown(why: string): void {
    this.#distrust(why);
    this.#pending = [];
    this.#write(() => this.#replace());
  }

  /** All that an earlier daemon has written has been looked at: what was wrong with it is told, and the file kept. */
  settle(): void {
    const { length } = this.#unread;
    if (length > 0) this.#faults.push(`${length} records cannot be made sense of: ${named(this.#unread)}`);
    const last = this.#last;
    this.#last = null;
    if (this.#faults.length > 0) {
      this.#confess(last === null ? null : keepAside(this.#path, last));
      this.#write(() => this.#replace()); // what is kept aside may be the file that was taken up
    } else if (last !== null) rmSync(last, { force: true });
  }

  #confess(aside: string | null): void {
    const kept = aside === null ? 'it could not be kept aside' : `it is kept as ${aside}`;
    const faults = this.#faults.splice(0).join('; ');
    this.#warn(
      `${this.#path} cannot be read as a whole: ${faults}; ${kept}; what can be read of it counts, and what runs was looked for among all processes`,
    );
  }

  /** What is not written down, as long as that is so. */
  get trouble(): string | null {
    if (this.#failure === null) return null;
    const { size } = this.#owed;
    const owed = `${size} changed ${size === 1 ? 'record is' : 'records are'} not written down`;
    const which = size === 0 ? '' : ` (${named([...this.#owed])})`;
    return `cannot write ${this.#path}: ${this.#failure}; ${owed}${which}, but written as soon as it goes again`;
  }

  /** One write for all that has gathered. Never throws: a full disk must not stop the daemon. */
  flush(): void {
    // Once closed, the number of the descriptor may be that of another file.
    if (this.#closed || this.#pending.length === 0) return;
    const text = this.#pending.join('');
    this.#pending = [];
    if (this.#failure !== null) this.#owe();
    else this.#write(() => this.#add(text));
  }

  /** Its place may have been taken away: it is put there again, with all that counts. */
  ensure(): void {
    if (this.#closed || this.#failure !== null) return;
    this.#write(() => {
      if (!this.#isInPlace()) this.#replace();
    });
  }

  /** What is still owed is tried once more. */
  close(): void {
    if (this.#closed) return;
    this.flush();
    if (this.#failure !== null) this.#catchUp();
    this.#closed = true;
    this.#retry.stop();
    if (this.#sheet !== null) closeSync(this.#sheet.fd);
  }

  #write(act: () => void): void {
    try {
      act();
      this.#changed.clear();
    } catch (error) {
      this.#failure = reason(error);
      this.#owe();
      this.#say(`cannot write ${this.#path}: ${this.#failure}; it is tried again until it goes`);
      this.#retry.start();
    }
  }

  #owe(): void {
    for (const key of this.#changed) this.#owed.add(key);
    this.#changed.clear();
  }

  /** True when there is nothing owed any more. */
  #catchUp(): boolean {
    try {
      this.#replace();
    } catch (error) {
      this.#failure = reason(error);
      return false;
    }
    const { size } = this.#owed;
    this.#failure = null;
    this.#owed.clear();
    this.#retry.stop();
    this.#say(`${this.#path} is written again, with all that was owed: ${size} records`);
    return true;
  }

  /** Goes on with the file as it is, where that is as we would have made it, and most of it counts. */
  #takeUp(bytes: number): boolean {
    const live = [...this.#values].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    if (bytes > Math.max(TAKEN_UP_BYTES, 2 * live)) return false;
    this.#sheet = openOwn(this.#path, bytes);
    this.#bytes = bytes;
    this.#compactBytes = live;
    return this.#sheet !== null;
  }

  #add(text: string): void {
    if (this.#bytes + text.length > this.#limit() || !this.#isInPlace()) this.#replace();
    else this.#append(text);
  }

  /** Whoever has removed the folder has not stopped us from writing into what is not there any more. */
  #isInPlace(): boolean {
    return this.#sheet !== null && inodeAt(this.#path) === this.#sheet.inode;
  }

  #append(text: string): void {
    const bytes = Buffer.from(text);
    const { fd } = this.#sheet ?? { fd: -1 };
    try {
      writeAll(fd, bytes, this.#bytes);
    } catch (error) {
      cutBack(fd, this.#bytes);
      throw error;
    }
    this.#bytes += bytes.length;
  }

  /** Writes what counts into a new file and moves it into place. */
  #replace(): void {
    const made = makeFolder(dirname(this.#path), 'state_dir', 0o700);
    if (!made.ok) throw new Error(made.error);
    const lines = [...this.#values].map(([key, value]) => journalLine(key, value));
    const bytes = Buffer.from(formatLine() + lines.join(''));
    const fresh = `${this.#path}.new`;
    rmSync(fresh, { force: true }); // what a crash has left may have any mode
    const fd = openSync(fresh, 'wx', 0o600);
    try {
      writeAll(fd, bytes, 0);
      fsyncSync(fd);
      renameSync(fresh, this.#path);
    } catch (error) {
      closeSync(fd);
      rmSync(fresh, { force: true });
      throw error;
    }
    if (this.#sheet !== null) closeSync(this.#sheet.fd);
    this.#sheet = { fd, inode: inodeAt(this.#path) ?? -1 };
    this.#pending = [];
    this.#bytes = bytes.length;
    this.#compactBytes = bytes.length;
  }

  /** Grown by as much again as counted, so that writing it anew stays rare however much that is. */
  #limit(): number {
    return Math.max(COMPACT_FROM_BYTES, 2 * this.#compactBytes);
  }
}

/** Numbers that must not be given out twice, and wishes: the same in every version. */
const PLAIN = ['boot', 'next_run', 'next_rollout', 'generation/', 'stopped/', 'wanted/'];
const isPlain = (key: string): boolean =>
  PLAIN.some((plain) => key === plain || (plain.endsWith('/') && key.startsWith(plain)));

const named = (keys: readonly string[]): string =>
  [...keys.slice(0, NAMED), ...(keys.length > NAMED ? [`${keys.length - NAMED} more`] : [])].join(', ');

const inodeAt = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

/** Null where it is not a file of ours that only we may read and write, or has changed since. */
function openOwn(path: string, bytes: number): Sheet | null {
  let fd: number | null = null;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
    const stat = fstatSync(fd);
    const isOwn = stat.uid === process.geteuid?.() && (stat.mode & 0o777) === 0o600 && stat.isFile();
    if (isOwn && stat.size === bytes) return { fd, inode: stat.ino };
  } catch {
    // Then it is written anew, or that says why not.
  }
  if (fd !== null) closeSync(fd);
  return null;
}

/** No half of a line is to stay. Where it cannot be taken back, it is passed over by whoever reads. */
function cutBack(fd: number, bytes: number): void {
  try {
    ftruncateSync(fd, bytes);
  } catch {
    // What stood in the way of the line is what is told.
  }
}

/** What goes in first may be less than all; what stops the rest is then said by the next call. */
function writeAll(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const more = writeSync(fd, bytes, done, bytes.length - done, position + done);
    if (more === 0) throw new Error('nothing more can be written');
    done += more;
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
