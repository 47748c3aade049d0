/** Two kinds of time that must not be mixed: a stopwatch for deadlines, a calendar for people. */
declare const kind: unique symbol;

/** Milliseconds on a clock that never jumps; comparable only within one daemon's life. */
export type Mono = number & { readonly [kind]: 'Mono' };
/** Milliseconds since 1970 as the calendar has it; may jump. */
export type Wall = number & { readonly [kind]: 'Wall' };

/** One moment read from both clocks. */
export interface Moment {
  readonly mono: Mono;
  readonly wall: Wall;
}

export const mono = (ms: number): Mono => ms as Mono;
export const wall = (ms: number): Wall => ms as Wall;
export const after = (from: Mono, ms: number): Mono => (from + ms) as Mono;

/** The calendar date of a stopwatch deadline, as seen from `now`. */
export const dateOf = (deadline: Mono, now: Moment): Wall => (now.wall + (deadline - now.mono)) as Wall;
/** The stopwatch reading of a calendar date, as seen from `now`: for deadlines that outlived a daemon. */
export const deadlineOf = (date: Wall, now: Moment): Mono => (now.mono + (date - now.wall)) as Mono;
