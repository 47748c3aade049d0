/** The one owner of the signals that ask for an end. Handlers of others stay as they are. */
import type { Host } from './host.ts';

export interface Signals {
  /** Gives the signals back: without a handler of somebody else's they do what they do by default. */
  close(): void;
}

export interface SignalRules {
  readonly names: readonly NodeJS.Signals[];
  /**
   * What comes within so many milliseconds of one that was heeded is the same wish: a signal to the group and its
   * forward by a parent (npm, a shell) arrive together, and nobody insists that fast.
   */
  readonly debounceMs: number;
}

/** `times`: 1 for the first wish, and so on. @throws what the host does for a signal that cannot be caught. */
export function ownSignals(
  host: Host,
  { names, debounceMs }: SignalRules,
  asked: (signal: NodeJS.Signals, times: number) => void,
): Signals {
  let times = 0;
  const same = new Window(debounceMs);
  const hear = (signal: NodeJS.Signals): void => {
    if (same.isOpen) return;
    same.open();
    asked(signal, ++times);
  };
  const close = (): void => {
    for (const name of names) host.off(name, hear);
    same.close();
  };
  try {
    for (const name of names) host.on(name, hear);
  } catch (error) {
    close();
    throw error;
  }
  return { close };
}

/**
 * Open for a while, and until the loop has then looked once for signals: what had arrived while the program kept it
 * busy would otherwise be taken for a late one.
 */
class Window {
  isOpen = false;
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  open(): void {
    this.isOpen = this.#ms > 0;
    if (!this.isOpen || this.#ms > LONGEST_MS) return;
    this.#timer = setTimeout(() => {
      this.#look = setImmediate(() => this.close()); // after the loop's look for signals, which is after its timers
    }, this.#ms).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#look);
    this.isOpen = false;
  }
}

/** For as long as a timer can wait, which is longer than anybody waits between two wishes. */
const LONGEST_MS = 2 ** 31 - 1;
