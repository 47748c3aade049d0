/** What was seen in one round of a rehearsal: everything that a judgement may rest upon. Times are of one stopwatch, in ms. */
import type { ProgramPlan } from '../core/plan.ts';

export interface Round {
  /** `worker:4` */
  readonly instance: string;
  /** As the config has it. */
  readonly program: ProgramPlan;
  /** What the drain was given: the config's limit, or a shorter one that the user wanted. Null: none. */
  readonly drainTimeoutMs: number | null;
  /** The user's `--jobs`; null: he did not say. */
  readonly wantedJobs: number | null;
  /** It was played only to see how long its processes live. */
  readonly isForLearning: boolean;
  readonly beganAt: number;
  /** When the round was over. */
  readonly overAt: number;
  readonly leader: number | null;
  readonly readyAt: number | null;
  /** The drain's signal; null: it never came to that. */
  readonly signalAt: number | null;
  /** The same once more, to the main process or to its whole group; null where that was not tried. */
  readonly againAt: number | null;
  readonly overdueAt: number | null;
  /** When it was told to stop after the drain, by `stop.signal`. */
  readonly stopAt: number | null;
  readonly killedAt: number | null;
  readonly exit: Exit | null;
  /** Nothing was left. */
  readonly goneAt: number | null;
  readonly reports: readonly Report[];
  /** All but the leader. */
  readonly processes: readonly Sighting[];
  readonly troubles: readonly Trouble[];
  /** The last lines that it wrote. */
  readonly output: readonly string[];
}

/** A round in which the signal was sent. */
export type Drained = Round & { readonly signalAt: number };

export const isDrained = (round: Round): round is Drained => round.signalAt !== null;

/** One in which it was sent once more. */
export type Twice = Drained & { readonly againAt: number };

export const isTwice = (round: Round): round is Twice => isDrained(round) && round.againAt !== null;

export interface Exit {
  readonly at: number;
  readonly code: number | null;
  readonly signal: string | null;
  readonly oom: boolean;
}

/** What it said at one time. */
export interface Report {
  readonly at: number;
  readonly inFlight?: number;
  readonly stopping?: boolean;
  readonly drained?: boolean;
}

/** Something that went wrong on the way, in the daemon's words. */
export interface Trouble {
  readonly kind: 'spawn' | 'hook' | 'health' | 'watchdog';
  readonly detail: string;
}

/** One process of the run, from the first look that found it to the first that did not. */
export interface Sighting {
  readonly pid: number;
  readonly ppid: number;
  readonly group: number;
  readonly session: number;
  readonly command: string;
  /** The numbers of the signals that do not simply end it. */
  readonly heeded: { readonly ignored: readonly number[]; readonly caught: readonly number[] };
  readonly firstAt: number;
  /** When it was last seen alive. */
  readonly lastAt: number;
  /** Null: it was there when the looking ended. */
  readonly goneAt: number | null;
  /** The number of the signal that ended it, where that could be seen. */
  readonly killedBy: number | null;
}
