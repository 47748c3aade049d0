/** The port through which output is carried from programs into files: FIFOs, and moves that look at no byte. */
import type { Result } from '../base/result.ts';

export interface Plumbing {
  /** For its owner alone. @throws what node:fs would throw */
  makeFifo(path: string): void;
  /**
   * How much it holds before whoever writes has to wait: `bytes`, or as much of that as the system grants, which it
   * returns.
   */
  enlarge(pipe: number, bytes: number): number;
  /** Bytes that are in it now. */
  pendingIn(pipe: number): number;
  /** Bytes of a file that is open. Asked at every move, so the answer costs no memory. @throws what node:fs would throw */
  sizeOf(file: number): number;
  /**
   * What is in it, at most so much and never more than 64 KiB; it stays there. Null: nothing now; empty: nobody can
   * write any more.
   */
  peek(pipe: number, most: number): Buffer | null;
  /**
   * Moves what is there, at most so much, to the place `at` in a file, in one call of the system: what has left the
   * pipe is in the file, whoever dies. Never waits for bytes. 0: nobody can write any more; below 0: an errno.
   */
  splice(pipe: number, file: number, at: number, most: number): number;
  /** The same, by another thread, for a disk that takes its time. */
  spliceAside(pipe: number, file: number, at: number, most: number, done: (moved: number) => void): void;
  /**
   * Moves what is there into another pipe, at most so much and as much as that has room for. No byte is copied, so it
   * takes no time, and nothing is ever in neither of them or in both. Answers as `splice` does.
   */
  shift(from: number, to: number, most: number): number;
  /**
   * Calls back while there is something to read or nobody can write any more: at once after a while of silence, else
   * together with others, up to 200 ms later where they are many.
   */
  watch(pipe: number, readable: () => void): boolean;
  /** To be called before the descriptor is closed. */
  unwatch(pipe: number): void;
  /**
   * What is in these, and in no others, outlives whoever wrote it, also while there is no daemon; `file` is for this
   * alone. `lost`: that has come to an end, and is to be asked for again. Fails in one sentence.
   */
  keep(pipes: readonly number[], file: string, lost: () => void): Result<null, string>;
  /** What is kept stays so for the next daemon. */
  close(): void;
}
