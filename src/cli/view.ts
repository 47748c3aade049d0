/** A viewer that has something to give back when the watching ends. */
import type { Seen } from './begun.ts';
import type { Viewer } from './follow.ts';

export interface View extends Viewer {
  /** Gives the terminal back; `ended`: how all stands in the end, unless only the watching ended. */
  close(ended?: Seen): Promise<void>;
}

/** Said while nobody answers, and when somebody does again. */
export const AWAY = 'the daemon does not answer: waiting for the next one';
export const BACK = 'a daemon answers again';

/** Where events tell everything, looking is for the case that they do not. */
const SELDOM_MS = 5000;

export const silent: View = {
  everyMs: SELDOM_MS,
  showsInstances: false,
  event: () => {},
  look: () => {},
  away: () => {},
  close: async () => {},
};
