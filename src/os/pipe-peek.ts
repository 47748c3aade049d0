/**
 * Reads what is in a pipe and leaves it there. Who has read and is killed before it has written down what that means
 * takes it along; who only takes it out afterwards leaves it to be read again.
 */
import { closeSync, readSync } from 'node:fs';
import type { Libc } from './libc.ts';

/** What is read from one pipe before others get their turn: what a pipe holds, and so what a copy of it does. */
export const PEEK_BYTES = 64 * 1024;

// One at a time is read from, and what is handed out is a copy.
const buffer = Buffer.allocUnsafe(PEEK_BYTES);

export class PipePeek {
  readonly #libc: Libc;
  #copy: { readonly read: number; readonly write: number } | null = null;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** What there is, at most so much; null: nothing. */
  at(pipe: number): Buffer | null {
    this.#copy ??= this.#makeCopy();
    // Without a descriptor to spare there is nothing left but to take it out.
    if (this.#copy === null) return read(pipe, PEEK_BYTES);
    const length = this.#libc.copyPipe(pipe, this.#copy.write, PEEK_BYTES);
    return length > 0 ? read(this.#copy.read, length) : null;
  }

  /** What there is, at most so much, and never taken out; null: nothing; empty: nobody can write any more. */
  look(pipe: number, most: number): Buffer | null {
    this.#copy ??= this.#makeCopy();
    const least = Math.min(most, PEEK_BYTES);
    // Without a descriptor to spare nothing can be known but that there is something.
    if (this.#copy === null) return this.#libc.pendingIn(pipe) > 0 ? Buffer.alloc(least) : null;
    const length = this.#libc.copyPipe(pipe, this.#copy.write, least);
    if (length < 0) return null;
    return length === 0 ? Buffer.alloc(0) : read(this.#copy.read, length);
  }

  /** Takes out what has been dealt with. */
  pass(pipe: number, length: number): void {
    if (this.#copy !== null) read(pipe, length);
  }

  close(): void {
    if (this.#copy === null) return;
    closeSync(this.#copy.read);
    closeSync(this.#copy.write);
    this.#copy = null;
  }

  #makeCopy(): { readonly read: number; readonly write: number } | null {
    const made = this.#libc.makePipe();
    return 'errno' in made ? null : made;
  }
}

function read(pipe: number, most: number): Buffer | null {
  try {
    const length = readSync(pipe, buffer, 0, most, null);
    return length > 0 ? Buffer.from(buffer.subarray(0, length)) : null;
  } catch {
    return null; // EAGAIN: nothing there
  }
}
