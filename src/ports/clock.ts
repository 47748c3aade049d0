/** Where the time comes from. */
import type { Moment } from '../base/clock.ts';

export interface Clock {
  now(): Moment;
}
