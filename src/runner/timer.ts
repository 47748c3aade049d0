/** Timers of any length: one of the system's own that is to last longer than 25 days rings at once. */

const LONGEST_MS = 2 ** 31 - 1;

/** Calls back once, for Infinity never; the process stays alive for it. Returns what takes it back. */
export function after(ms: number, action: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    const ring = left > LONGEST_MS ? () => wait(left - LONGEST_MS) : action;
    timer = setTimeout(ring, Math.min(left, LONGEST_MS));
  };
  wait(ms);
  return () => clearTimeout(timer);
}

/** Promises alone keep no process alive; this does, until it is taken back. */
export const stayAlive = (): (() => void) => after(Number.POSITIVE_INFINITY, () => {});

/** @throws {RangeError} unless `value` is a number from 0, or Infinity: what is not would ring at once. */
export function checkMs(name: string, value: number): number {
  if (value >= 0) return value;
  throw new RangeError(`cannot use ${name} ${value}: it is a number of milliseconds from 0`);
}
