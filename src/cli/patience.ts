/** Waiting for the daemon as long as the user wants to: `--timeout` and Ctrl-C end the wait, never the work. */
import { formatDuration } from '../base/duration.ts';
import { EXIT } from '../protocol/errors.ts';
import type { Context } from './context.ts';
import { Refusal } from './refusal.ts';

export interface Limits {
  /** Null or undefined: none. */
  readonly timeoutMs: number | null | undefined;
  /** What goes on without the user, and where to look: `the start goes on; see "tsup-visor status"`. As it is then. */
  readonly goesOn: string | (() => string);
}

/** The result of `work`; throws a refusal with exit code 7 or 130 when the wait is over first. */
export async function patiently<T>(
  context: Context,
  limits: Limits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const { timeoutMs } = limits;
  const goesOn = () => (typeof limits.goesOn === 'string' ? limits.goesOn : limits.goesOn());
  const quiet = context.io.onInterrupt(() => over.abort(new Refusal(EXIT.interrupted, goesOn())));
  const timer =
    timeoutMs === null || timeoutMs === undefined
      ? undefined
      : setTimeout(() => over.abort(lateBy(timeoutMs, goesOn())), Math.min(timeoutMs, MAX_TIMER_MS));
  try {
    return await work(over.signal);
  } finally {
    quiet();
    clearTimeout(timer);
  }
}

/** Node's timers take no more; it is 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const lateBy = (timeoutMs: number, goesOn: string): Refusal =>
  new Refusal(EXIT.timeout, `not done after ${formatDuration(timeoutMs)}: ${goesOn}`);
