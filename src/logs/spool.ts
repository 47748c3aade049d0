/**
 * What has left a pipe and is not yet in its log, in a file beside the FIFO: it is cut into lines and dressed on its way,
 * and whoever is killed meanwhile leaves everything that the next daemon needs to go on from there. A move out of the
 * pipe ends here at once; before anything is written to the log it is noted down what, and where.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { Plumbing } from '../ports/plumbing.ts';
import type { Mood } from './format.ts';
import { type Label, parseLabel } from './label.ts';
import { codeOf } from './system-words.ts';
import { input } from './workbench.ts';

const END = '.spool';
export const isSpool = (name: string): boolean => name.endsWith(END);
export const spoolOf = (path: string): string => path + END;

/** A part of this file, on its way to a place in a log. */
export interface Passage {
  /** The log, and how long it was. */
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  /** What is added to it. */
  readonly length: number;
  /** What that is made of ends here, counted from what `read` gives. */
  readonly to: number;
  /** And then. */
  readonly mood: Mood;
}

interface State {
  /** Where that begins which is in no log yet. */
  position: number;
  mood: Mood;
  passage: Passage | null;
  /** What is beyond is there twice: it is to be cut off. 0: nothing is. */
  cut: number;
}

/** So long are the notes; after them comes what is held. */
const DATA = 4096;
const LABEL = 512;
const LABEL_BYTES = DATA - LABEL;
/** "spool", and the version of the notes. */
const MAGIC = 0x73706f6f6c01;
const MOODS = ['fresh', 'within', 'bare'] as const;
/** What was dealt with is made room of when it is so much; later where much comes, for that costs a file system time. */
const COMPACT_BYTES = 64 * 1024;
const COMPACT_MUCH_BYTES = 4 * 1024 * 1024;
/** So much is looked at in one go. */
const WINDOW_BYTES = input.length;
const PRIVATE = 0o600;

const notes = new Float64Array(10);
const notesAsBytes = Buffer.from(notes.buffer);

export class Spool {
  #path: string;
  readonly #descriptor: number;
  #label: Label | null;
  #state: State;
  #end: number;
  /** Much came last. */
  #isBusy = false;

  /** Finds the one that is there, or makes it. @throws what the system says */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, PRIVATE);
    this.#end = fstatSync(this.#descriptor).size;
    this.#label = this.#readLabel();
    this.#state = this.#readState() ?? this.#begun();
    if (this.#state.cut > 0) this.#cutOff();
  }

  get path(): string {
    return this.#path;
  }

  /** Null: none of this is anybody's yet. */
  get label(): Label | null {
    return this.#label;
  }

  /** Bytes that are in no log yet. */
  get heldBytes(): number {
    return this.#end - this.#state.position;
  }

  get mood(): Mood {
    return this.#state.mood;
  }

  /** What was under way when an earlier daemon died. */
  get passage(): Passage | null {
    return this.#state.passage;
  }

  /** What is in it from now on is this. @throws what the system says */
  mark(label: Label, mood: Mood = this.mood): void {
    const text = Buffer.from(`${JSON.stringify(label)}\n`);
    if (text.length > LABEL_BYTES) throw new Error('its path is too long');
    writeSync(this.#descriptor, text, 0, text.length, LABEL);
    this.#label = label;
    if (mood !== this.mood) this.#note({ ...this.#state, mood });
  }

  /** Moves what is in the pipe, as splice(2) tells it. */
  take(pipe: number, most: number, plumbing: Plumbing): number {
    if (this.#state.cut > 0) this.#note({ ...this.#state, cut: 0 });
    const moved = plumbing.splice(pipe, this.#descriptor, this.#end, most);
    if (moved > 0) this.#end += moved;
    this.#isBusy = moved >= COMPACT_BYTES;
    return moved;
  }

  /** What is held from this byte of it on, as far as it can be looked at in one go; to be used before the next call. */
  read(from = 0): Buffer {
    const at = this.#state.position + from;
    const length = Math.min(WINDOW_BYTES, this.#end - at);
    return input.subarray(0, readSync(this.#descriptor, input, 0, length, at));
  }

  /** Before the first byte of that is written to the log. */
  depart(passage: Passage): void {
    this.#note({ ...this.#state, passage });
  }

  /** It has arrived. */
  arrive(): void {
    const { passage } = this.#state;
    if (passage !== null) this.pass(passage.to, passage.mood);
  }

  /** It has not, and nothing of it is there. */
  turnBack(): void {
    this.#note({ ...this.#state, passage: null });
  }

  /** So many bytes are dealt with. */
  pass(bytes: number, mood: Mood): void {
    const position = this.#state.position + bytes;
    this.#note({ position, mood, passage: null, cut: 0 });
    const done = position - DATA;
    // What is left must not be written over before it is noted down where it is now.
    if (
      done >= (this.#isBusy ? COMPACT_MUCH_BYTES : COMPACT_BYTES) &&
      this.heldBytes <= Math.min(done, WINDOW_BYTES)
    )
      this.#compact();
  }

  /** Its name is another's from now on; it still is one that the next daemon finds. */
  setAside(): void {
    const path = spoolOf(`${this.#path}.${process.pid}-${Date.now()}`);
    try {
      renameSync(this.#path, path);
      this.#path = path;
    } catch (error) {
      // Somebody has removed it: it is held for as long as this daemon lives.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  remove(): void {
    this.close();
    try {
      unlinkSync(this.path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }

  #compact(): void {
    const rest = this.read();
    writeSync(this.#descriptor, rest, 0, rest.length, DATA);
    this.#note({ ...this.#state, position: DATA, cut: DATA + rest.length });
    this.#cutOff();
  }

  #cutOff(): void {
    ftruncateSync(this.#descriptor, this.#state.cut);
    this.#end = this.#state.cut;
  }

  #begun(): State {
    ftruncateSync(this.#descriptor, 0);
    this.#end = DATA;
    writeSync(this.#descriptor, Buffer.alloc(DATA), 0, DATA, 0);
    this.#label = null;
    const state: State = { position: DATA, mood: 'fresh', passage: null, cut: 0 };
    this.#note(state);
    return state;
  }

  /** In one call, which is done or not done, whoever dies. */
  #note(state: State): void {
    const { position, mood, passage, cut } = state;
    const { dev = 0, ino = 0, size = 0, length = 0, to = 0, mood: then = 'fresh' } = passage ?? {};
    notes.set([MAGIC, position, MOODS.indexOf(mood), cut, to, MOODS.indexOf(then), dev, ino, size, length]);
    writeSync(this.#descriptor, notesAsBytes, 0, notesAsBytes.length, 0);
    this.#state = state;
  }

  /** Null: there are no notes that can be read. */
  #readState(): State | null {
    if (readSync(this.#descriptor, notesAsBytes, 0, notesAsBytes.length, 0) < notesAsBytes.length)
      return null;
    const [magic, position = 0, mood = 0, cut = 0, to = 0, then = 0, dev = 0, ino = 0, size = 0, length = 0] =
      notes;
    if (magic !== MAGIC || this.#label === null || position < DATA || position > this.#end) return null;
    const passage = { dev, ino, size, length, to, mood: MOODS[then] ?? 'fresh' };
    return { position, mood: MOODS[mood] ?? 'fresh', cut, passage: to > 0 ? passage : null };
  }

  #readLabel(): Label | null {
    const text = Buffer.alloc(LABEL_BYTES);
    const length = readSync(this.#descriptor, text, 0, LABEL_BYTES, LABEL);
    return parseLabel(text.toString('utf8', 0, Math.max(0, text.subarray(0, length).indexOf(10))));
  }
}
