/** How far each rollout is by its events alone, and which of them say nothing new. */
import type { WireEvent } from '../protocol/events.ts';
import type { RolloutStatus } from '../protocol/status.ts';
import { hasNotBegun, meantTurns } from './render/rollout.ts';

interface Course {
  /** As it was when somebody looked last. */
  rollout: RolloutStatus;
  /** What was told of it last: whether it moves, waits for another one, or has stopped. */
  told: 'moves' | 'waits' | 'rests';
  /** Those whose turns are done, or taken back. */
  done: Set<string>;
}

export class Progress {
  readonly #courses: Map<number, Course>;

  constructor(rollouts: readonly RolloutStatus[]) {
    this.#courses = new Map(rollouts.map((rollout) => [rollout.id, courseOf(rollout)]));
  }

  look(rollouts: readonly RolloutStatus[]): void {
    for (const rollout of rollouts) {
      const course = this.#courses.get(rollout.id);
      if (course !== undefined) course.rollout = rollout;
    }
  }

  /**
   * That it runs on when what it has waited for has come: the first line has said that it runs. And of an extra
   * instance that is not needed any more that it is back: it is gone.
   */
  isToldAlready(event: WireEvent): boolean {
    if (event.type === 'turn') return event.back === true && event.step === 'done' && this.#isExtra(event);
    if (event.type !== 'rollout') return false;
    const course = this.#courses.get(event.rollout);
    if (course === undefined) return false;
    const { told } = course;
    const { state, reason, begins } = event;
    if (begins === 'revert') course.done = new Set();
    if (state !== 'running') course.told = 'rests';
    else if (begins === undefined && reason !== null)
      return told === 'waits' && reason === course.rollout.reason;
    else course.told = 'moves';
    return state === 'running' && begins === undefined && told === 'moves';
  }

  /** ` (3 of 8)`, where a turn is done or back; empty for all else. */
  count(event: WireEvent): string {
    if (event.type !== 'turn' || event.step !== 'done') return '';
    const course = this.#courses.get(event.rollout);
    if (course === undefined) return '';
    const { rollout, done } = course;
    if (this.#isExtra(event)) return '';
    done.add(event.instance);
    const isBack = (rollout.reverting ?? null) !== null;
    // Nobody has looked since it turned round.
    if ((event.back === true) !== isBack) return '';
    return ` (${done.size} of ${meantTurns(rollout).length})`;
  }

  #isExtra({ rollout, instance }: { readonly rollout: number; readonly instance: string }): boolean {
    const turns = this.#courses.get(rollout)?.rollout.turns ?? [];
    return turns.some((turn) => turn.extra && turn.instance === instance);
  }
}

const courseOf = (rollout: RolloutStatus): Course => ({
  rollout,
  told: hasNotBegun(rollout) ? 'waits' : 'moves',
  done: new Set(meantTurns(rollout).flatMap(({ step, instance }) => (step === 'done' ? [instance] : []))),
});
