/** The real clock. */
import { type Moment, mono, wall } from '../base/clock.ts';

export function now(): Moment {
  return { mono: mono(performance.now()), wall: wall(Date.now()) };
}
