/** The one owner of the signals that ask for an end. Handlers of others stay as they are. */
import type { Host } from './host.ts';

export interface Signals {
  /** Gives the signals back: without a handler of somebody else's they do what they do by default. */
  close(): void;
}

export interface SignalRules {
  readonly names: readonly NodeJS.Signals[];
  /**
   * What comes within so many milliseconds of the last one is the same wish: a signal to the group and its forward by
   * a parent (npm, a shell) arrive together, and nobody insists that fast.
   */
  readonly debounceMs: number;
}

/** `times`: 1 for the first wish, and so on. */
export function ownSignals(
  host: Host,
  { names, debounceMs }: SignalRules,
  asked: (signal: NodeJS.Signals, times: number) => void,
): Signals {
  let times = 0;
  let last = Number.NEGATIVE_INFINITY;
  const hear = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    const same = now - last < debounceMs;
    last = now;
    if (!same) asked(signal, ++times);
  };
  for (const name of names) host.on(name, hear);
  return {
    close() {
      for (const name of names) host.off(name, hear);
    },
  };
}
