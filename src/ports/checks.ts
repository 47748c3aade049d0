/** The port through which health and readiness are asked for. */
import type { Wall } from '../base/clock.ts';
import type { Check, LogPattern } from '../core/plan.ts';
import type { CommandRequest, CommandResult } from './processes.ts';

export interface Checks {
  /**
   * Asks once; `check` has its templates filled in. `done` comes exactly once, never within the call.
   * `as`: who asks, where a command does it; its `timeoutMs` is the limit of every kind of check.
   * `since`: a file that is older than this does not count. Returns what cancels it: `done` is not called any more.
   */
  ask(
    check: Check,
    as: Omit<CommandRequest, 'command'>,
    since: Wall,
    done: (result: CommandResult) => void,
  ): () => void;
}

/** Reads on in files that somebody else writes. */
/** As it was written, each line behind its time, or each in an object of JSON. */
export type LogFormat = 'raw' | 'timestamps' | 'json';

export interface LineWatch {
  /** Where a file ends now, in bytes; 0 when there is none. */
  endOf(path: string): number;
  /**
   * Calls `found` once, with the line, when one that was written to any of these files after the given place has the
   * pattern in what the program wrote there (`format`: how that stands in the file). A file that is replaced or cut short is read from its beginning. Returns what ends it.
   */
  watch(
    places: readonly { readonly path: string; readonly from: number }[],
    pattern: LogPattern,
    found: (line: string) => void,
    format?: LogFormat,
  ): () => void;
}
