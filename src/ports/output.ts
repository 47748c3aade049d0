/** The port through which a program is given its stdout and stderr. */
import type { Result } from '../base/result.ts';
import type { SpawnRequest } from './processes.ts';

/** What to hand to `spawn` as stdout and stderr, and how to let go of it in the parent. */
export interface Output {
  readonly stdout: number | 'ignore' | 'pipe';
  readonly stderr: number | 'ignore' | 'pipe';
  close(): void;
}

/**
 * Fails in one sentence. `isAhead`: the run before it still writes, so this fails too where the same could not be given
 * without a change of anything; it is asked for again when the run begins.
 */
export type OpenOutput = (
  request: Pick<SpawnRequest, 'run' | 'id' | 'stdout' | 'stderr' | 'logging' | 'credentials'>,
  isAhead?: boolean,
) => Result<Output, string>;
