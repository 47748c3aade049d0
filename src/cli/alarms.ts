/** Rings where a rollout comes to need somebody: it has paused, or is held after its canary. */
import type { RolloutStatus } from '../protocol/status.ts';
import type { Screen } from './screen.ts';

/** Rings once for each rollout that comes to need somebody, and names the window after it for as long as it does. */
export class Alarms {
  readonly #screen: Screen;
  #ringing = new Map<number, string>();

  constructor(on: Screen) {
    this.#screen = on;
  }

  check(rollouts: readonly RolloutStatus[]): void {
    const now = new Map(
      rollouts.flatMap((rollout) => {
        const word = needOf(rollout);
        return word === undefined ? [] : [[rollout.id, `${rollout.program}: ${word}`] as const];
      }),
    );
    const fresh = [...now].find(([id, words]) => this.#ringing.get(id) !== words);
    if (fresh !== undefined) this.#screen.alarm(fresh[1]);
    else if (now.size === 0 && this.#ringing.size > 0) this.#screen.alarm(null);
    this.#ringing = now;
  }
}

/** What it waits for somebody with; undefined where nobody is needed. */
function needOf({ state, canary, done, total }: RolloutStatus): string | undefined {
  if (state === 'paused') return `paused at ${done} of ${total}`;
  return state === 'running' && canary?.state === 'held' ? `held at ${done} of ${total}` : undefined;
}
