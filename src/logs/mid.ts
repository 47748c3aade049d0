/**
 * A second FIFO, behind that of a stream that has proved fast. Nobody can write into the first one while its bytes are
 * copied into a file; from here they are copied while the program goes on. It lies beside the first one, so that the
 * next daemon finds what is in it, and the daemon has both of its ends: it never comes to an end by itself.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, renameSync } from 'node:fs';
import type { Plumbing } from '../ports/plumbing.ts';
import { link, removeFifo, removeIfThere } from './fifo.ts';

const END = '.mid';
export const isMid = (name: string): boolean => name.endsWith(END);
/** Of the FIFO that it is behind. */
export const firstOf = (name: string): string => name.slice(0, -END.length);

export class Mid {
  readonly descriptor: number;
  readonly #first: string;
  #path: string;

  /** `first`: the path of the FIFO that it is behind. @throws what the system says */
  private constructor(first: string) {
    this.#first = first;
    this.#path = first + END;
    this.descriptor = openBoth(this.#path);
  }

  /** Null: an earlier daemon has left none. @throws what the system says */
  static find(first: string): Mid | null {
    return lstatSync(first + END, { throwIfNoEntry: false })?.isFIFO() === true ? new Mid(first) : null;
  }

  /** @throws what the system says */
  static make(first: string, plumbing: Plumbing): Mid {
    plumbing.makeFifo(first + END);
    return new Mid(first);
  }

  /**
   * The name is that of another from now on. The next daemon finds what is in this one as a FIFO like any other, which
   * leads to `target`, and which nobody writes into any more.
   */
  setAside(target: string): void {
    const path = asideOf(this.#first);
    const before = this.#path;
    this.#path = path;
    try {
      link(path, target);
      renameSync(before, path);
    } catch {
      // Somebody has removed it, or the folder takes no names: it is held for as long as this daemon lives.
      for (const name of [path, before]) removeIfPossible(name);
    }
  }

  /** Nobody has removed it: the next daemon would find it. */
  get isNamed(): boolean {
    return fstatSync(this.descriptor).nlink > 0;
  }

  close(): void {
    closeSync(this.descriptor);
  }

  /** There is nothing in it, and its name is nobody else's. */
  remove(): void {
    if (this.#path === this.#first + END) removeIfThere(this.#path);
    else removeFifo(this.#path);
  }
}

/** One whose FIFO somebody has removed is a FIFO by itself. Its name. @throws what the system says */
export function standAlone(first: string, target: string): string {
  const path = asideOf(first);
  link(path, target);
  renameSync(first + END, path);
  return path;
}

const asideOf = (first: string): string => `${first}.${process.pid}-${Date.now()}`;

function removeIfPossible(path: string): void {
  try {
    removeFifo(path);
  } catch {
    // Then nobody can make another one there, either.
  }
}

function openBoth(path: string): number {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  if (fstatSync(descriptor).isFIFO()) return descriptor;
  closeSync(descriptor);
  throw new Error(`${path} is not a FIFO`);
}
