/** The real clock. */
import { type Moment, mono, wall } from '../base/clock.ts';

export function now(): Moment {
  return { mono: mono(performance.now()), wall: wall(Date.now()) };
}

/** Longer than this Node's timers cannot wait: they would ring at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;
