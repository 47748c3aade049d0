/** What can be chosen when a runner is made, and what holds where nothing is. */
import type { Host } from './host.ts';
import { checkMs } from './timer.ts';

export interface RunnerOptions {
  /**
   * What asks for an end. An empty list switches it off: only `stop()` and `abort()` do. Default: SIGTERM, SIGINT.
   */
  readonly signals?: readonly NodeJS.Signals[];
  /** A signal that comes within so many milliseconds of one that was heeded is the same wish. Default: 250. */
  readonly debounceMs?: number;
  /**
   * From `quiet` to `cancel`, in milliseconds. Default: null, none: a supervisor has its own deadline, and signals
   * again when it is over.
   */
  readonly deadlineMs?: number | null;
  /** From `cancel` to the end of everything that did not heed it, in milliseconds. Default: 10000. */
  readonly cancelGraceMs?: number;
  /** `what` (`job 7`, `hook redis`, `child ffmpeg`) failed. Default: it is written to stderr. */
  readonly onError?: (what: string, error: unknown) => void;
  /** Whether the process is ended when all is done. Default: true. */
  readonly exit?: boolean;
  /** The process that this is in. For tests. */
  readonly host?: Host;
}

/** With every default, and nothing in it that cannot be meant. */
export interface Settings extends Required<Omit<RunnerOptions, 'host' | 'onError' | 'deadlineMs'>> {
  /** Infinity where there is none. */
  readonly deadlineMs: number;
}

/** @throws {RangeError} for a number that is none. */
export function settingsOf(options: RunnerOptions): Settings {
  const { signals = ['SIGTERM', 'SIGINT'], exit = true } = options;
  return {
    signals: [...new Set(signals)],
    debounceMs: checkMs('debounceMs', options.debounceMs ?? 250),
    deadlineMs: checkMs('deadlineMs', options.deadlineMs ?? Number.POSITIVE_INFINITY),
    cancelGraceMs: checkMs('cancelGraceMs', options.cancelGraceMs ?? 10_000),
    exit,
  };
}
