/** Where failures go that end nothing else. */
import { ExecError } from './exec.ts';
import { RunnerAbort } from './reason.ts';

/** `what` (`job 7`) failed. Never throws. */
export type Tell = (what: string, error: unknown) => void;

/** One who is told and fails himself must not bring down what he was to look after, whether he is async or not. */
export function complaintsTo(onError: ((what: string, error: unknown) => unknown) | undefined): Tell {
  return (what, error) => {
    new Promise((resolve) => resolve((onError ?? complain)(what, error))).catch((defect: unknown) =>
      console.error('onError failed:', defect),
    );
  };
}

/** A command's end or a cancel says all; anything else may be a defect, and its place is what one wants to know. */
function complain(what: string, error: unknown): void {
  const isPlain = error instanceof ExecError || error instanceof RunnerAbort;
  console.error(`${what} failed:`, isPlain ? error.message : error);
}
