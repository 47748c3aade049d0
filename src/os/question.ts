/** A question to the world: answered once, in time or not at all, and never within the call that asks. */
import { formatDuration } from '../base/duration.ts';
import type { CommandResult } from '../ports/processes.ts';
import { LONGEST_TIMER_MS } from './clock.ts';

/** Only the first call counts. */
export type Answer = (ok: boolean, detail: string) => void;

/** Asks, and returns what ends the question, be it answered or not. It never answers within the call. */
export type Question = (answer: Answer) => () => void;

/** Returns what cancels it: `done` is not called any more. */
export function askWithin(
  timeoutMs: number,
  ask: Question,
  done: (result: CommandResult) => void,
): () => void {
  let open = true;
  const close = (): void => {
    open = false;
    clearTimeout(timer);
    end();
  };
  const answer: Answer = (ok, detail) => {
    if (!open) return;
    close();
    done({ ok, detail });
  };
  const tooLate = (): void => answer(false, `took longer than ${formatDuration(timeoutMs)}`);
  const timer = setTimeout(tooLate, Math.min(timeoutMs, LONGEST_TIMER_MS));
  const end = ask(answer);
  return () => {
    if (open) close();
  };
}

/** For a no that is known at once. */
export function refuse(answer: Answer, detail: string): () => void {
  const immediate = setImmediate(() => answer(false, detail));
  return () => clearImmediate(immediate);
}
