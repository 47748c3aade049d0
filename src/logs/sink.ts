/** Where what a program writes goes, behind the pipe that it writes into. */
export interface Sink {
  /**
   * Takes what is in the pipe, at most so much. So many bytes have left the pipe; 0: nobody can write any more; below
   * 0: there is nothing, or nothing can be taken for `heldMs`.
   */
  take(pipe: number, most: number): number;
  /** It holds up whoever waits for it: `takeAside` is for this. */
  readonly isSlow: boolean;
  /** What is in the pipe is to be left there for so long; 0: it can be taken. */
  readonly heldMs: number;
  /** The same as `take`, without waiting; nothing else is to be asked for meanwhile. */
  takeAside(pipe: number, most: number, done: (got: number) => void): void;
  close(): void;
}

/** What comes through one pipe, on its way to a sink. */
export interface Flow extends Pick<Sink, 'isSlow' | 'heldMs'> {
  /** As `Sink` has them. */
  take(most: number): number;
  takeAside(most: number, done: (got: number) => void): void;
  /** Bytes that are in the pipe, or on their way from there. */
  readonly pending: number;
  /** Some have left the pipe, and are not taken: whoever listens to the pipe does not hear of those. */
  readonly isUnderWay: boolean;
}

/** What could not be written. */
export interface Loss {
  /** Since this daemon began. */
  readonly droppedBytes: number;
  /** Why nothing can be written now; null: it can. */
  readonly why: string | null;
}
