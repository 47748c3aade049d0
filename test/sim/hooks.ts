/** Hooks that succeed, fail, or hang until their time is over or somebody ends them. Each is answered in the end. */
import type { Run } from '../../src/base/ids.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { HookName, HookPlan } from '../../src/core/plan.ts';
import type { Agenda } from './agenda.ts';
import { broken } from './broken.ts';
import type { Dice } from './dice.ts';

interface Hook {
  readonly era: number;
  readonly run: Run;
  readonly name: HookName;
  answered: boolean;
  cancelled: boolean;
}

export class Hooks {
  readonly #dice: Dice;
  readonly #agenda: Agenda;
  readonly #post: (event: FleetEvent) => void;
  /** Of each run the last one, until core has taken its answer. */
  readonly #current = new Map<Run, Hook>();
  #unanswered = 0;
  /** So many daemons have died. */
  #era = 0;
  #calm = false;

  constructor(dice: Dice, agenda: Agenda, post: (event: FleetEvent) => void) {
    this.#dice = dice;
    this.#agenda = agenda;
    this.#post = post;
  }

  get size(): number {
    return this.#unanswered;
  }

  /** The hook of the run that core still waits for or has ended. */
  of(run: Run): { readonly name: HookName; readonly cancelled: boolean } | undefined {
    return this.#current.get(run);
  }

  start(run: Run, name: HookName, plan: HookPlan): void {
    const before = this.#current.get(run);
    if (before !== undefined && !before.cancelled && !before.answered) {
      broken(`${name} of run ${run} begins while ${before.name} runs`);
    }
    const hook: Hook = { era: this.#era, run, name, answered: false, cancelled: false };
    this.#current.set(run, hook);
    this.#unanswered++;
    const dice = this.#dice;
    if (this.#calm) this.#answer(hook, dice.int(0, 20), true);
    else if (dice.chance(0.2))
      this.#answer(hook, plan.timeoutMs, false); // hangs
    else if (dice.chance(0.3)) this.#ended(hook, !dice.chance(0.25));
    else this.#answer(hook, Math.min(plan.timeoutMs, dice.int(0, 400)), !dice.chance(0.25));
  }

  cancel(run: Run): void {
    const hook = this.#current.get(run) ?? broken(`run ${run} has no hook that could be ended`);
    if (hook.cancelled || hook.answered) return; // somebody insists; or core will hear of its end in a moment
    hook.cancelled = true;
    if (this.#dice.chance(0.3)) this.#ended(hook, false);
    else this.#answer(hook, this.#dice.pick(0, this.#dice.int(0, 100)), this.#dice.chance(0.1)); // it may just have ended well
  }

  /** The loop takes an event. */
  taken(event: FleetEvent): void {
    if (event.type !== 'hooked') return;
    const hook = this.#current.get(event.run);
    if (hook?.answered && hook.name === event.hook) this.#current.delete(event.run);
  }

  /** The daemon has died: nobody hears of them any more, and the next one begins its own. */
  die(): void {
    this.#era++;
    this.#current.clear();
    this.#unanswered = 0;
  }

  calm(): void {
    this.#calm = true;
    for (const hook of this.#current.values()) this.#answer(hook, this.#dice.int(0, 20), !hook.cancelled);
  }

  #answer(hook: Hook, inMs: number, ok: boolean): void {
    this.#agenda.after(inMs, () => this.#ended(hook, ok));
  }

  #ended(hook: Hook, ok: boolean): void {
    if (hook.answered || hook.era !== this.#era) return;
    hook.answered = true;
    this.#unanswered--;
    const { run, name } = hook;
    const detail = ok ? 'has ended well' : 'exited with code 1';
    const event: FleetEvent = { type: 'hooked', run, hook: name, ok, detail };
    this.#post(event);
    if (!this.#calm && this.#dice.chance(0.05)) {
      this.#agenda.after(this.#dice.int(0, 500), () => {
        const isLast = (this.#current.get(run) ?? hook) === hook;
        if (hook.era === this.#era && isLast) this.#post(event);
      });
    }
  }
}
