/** The last step: output out, the process ended, the signals given back, and whoever waits for it told. */
import type { ExitReason } from './exit-code.ts';
import type { HookFailure } from './hooks.ts';
import { flushed, type Host } from './host.ts';
import { after } from './timer.ts';

/** How it ended. */
export interface Outcome {
  readonly reason: ExitReason;
  /** The exit code that goes with it. */
  readonly code: number;
  /** Shutdown hooks that failed or took too long. */
  readonly failures: readonly HookFailure[];
}

export class Ending {
  /** Rejects where the runner was uninstalled first, and with what an exit throws. */
  readonly over: Promise<Outcome>;
  readonly #host: Host;
  readonly #exits: boolean;
  readonly #release: () => void;
  #resolve: (outcome: Outcome) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #isOver = false;
  #takeBackLimit: () => void = () => {};

  /** `release`: nothing more is heard, timed or told. */
  constructor(host: Host, exits: boolean, release: () => void) {
    this.#host = host;
    this.#exits = exits;
    this.#release = release;
    this.over = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** `flushMs`: how long it waits for output that nobody reads. The first call that comes so far wins. */
  begin(outcome: Outcome, flushMs: number): void {
    if (!this.#exits) {
      this.#end(outcome);
      return;
    }
    this.#takeBackLimit();
    this.#takeBackLimit = after(flushMs, () => this.#end(outcome));
    void flushed(this.#host).then(() => this.#end(outcome));
  }

  /** It is not going to end. Only for one that has not. */
  abandon(): void {
    this.#close();
    this.over.catch(() => {}); // nobody need wait for it
    this.#reject(new Error('cannot wait for the end: the runner was uninstalled'));
  }

  /** The signals stay ours until the process is gone: one that comes late must not make its end another. */
  #end(outcome: Outcome): void {
    if (this.#isOver) return;
    try {
      if (this.#exits) this.#host.exit(outcome.code);
      this.#resolve(outcome);
    } catch (error) {
      this.#reject(error); // of somebody's listener for `exit`, or of a test
    }
    this.#close();
  }

  #close(): void {
    this.#isOver = true;
    this.#takeBackLimit();
    this.#release();
  }
}
