/** How the config file changes: in one key or in many, in what takes effect at once or needs a new run. */
import { revision } from '../../src/base/ids.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import type { Dice } from './dice.ts';
import { drawLinks, drawProgram, type Flavour, NAMES } from './plans.ts';

export class Edits {
  readonly #dice: Dice;
  readonly #flavour: Flavour;
  #version = 0;

  constructor(dice: Dice, flavour: Flavour) {
    this.#dice = dice;
    this.#flavour = flavour;
  }

  /** The same program, changed. */
  one(program: ProgramPlan): ProgramPlan {
    const dice = this.#dice;
    const { name, instances, dependsOn } = program;
    const drawn = { ...drawProgram(dice, this.#flavour, name, ++this.#version, instances), dependsOn };
    const { command, restart, schedule } = program;
    // Half a service and half a task, as it is between a reload and its rolling restart, could not be expected to end well.
    const other = drawn.command[0] === command[0] ? drawn : { ...drawn, command, restart, schedule };
    const what = dice.pick('live', 'live', 'next', 'rolling', 'everything');
    if (what === 'everything') return other;
    const { revision } = other;
    if (what === 'rolling') return { ...program, revision, environment: { VERSION: `${this.#version}` } };
    if (what === 'live') return { ...program, revision, ...this.#live(program, other) };
    const { drain, stop, hooks } = other;
    return { ...program, revision, ...dice.pick({ drain }, { stop }, { hooks }, { drain, stop, hooks }) };
  }

  /** A build that does not work. */
  bad(program: ProgramPlan): ProgramPlan {
    const environment = { VERSION: `${++this.#version}`, BUILD: 'bad' };
    return { ...program, revision: revision(`${program.name} ${this.#version}`), environment };
  }

  /** The whole file: some programs changed, one more or one less. */
  all(programs: readonly ProgramPlan[]): ProgramPlan[] {
    const dice = this.#dice;
    const kept = programs.filter(() => programs.length === 1 || !dice.chance(0.08));
    const edited = kept.map((program) => (dice.chance(0.4) ? this.#resized(this.one(program)) : program));
    const missing = NAMES.filter((name) => !edited.some((program) => program.name === name));
    const name = missing[0];
    const added =
      name !== undefined && dice.chance(0.12)
        ? [drawProgram(dice, this.#flavour, name, ++this.#version, dice.int(1, 2))]
        : [];
    return this.#linked([...edited, ...added]);
  }

  #resized(program: ProgramPlan): ProgramPlan {
    return this.#dice.chance(0.25) ? { ...program, instances: this.#dice.int(1, 4) } : program;
  }

  /** Nobody depends on what is not there; somebody may depend on something new. */
  #linked(programs: readonly ProgramPlan[]): ProgramPlan[] {
    return programs.map((program) => {
      const before = programs.filter(({ name }) => NAMES.indexOf(name) < NAMES.indexOf(program.name));
      const asks = Object.keys(program.dependsOn);
      const whole = asks.every((name) => programs.some((other) => other.name === name));
      if (whole && !this.#dice.chance(0.1)) return program;
      const linked = drawLinks(this.#dice, this.#flavour, program, before);
      const changed = whole && !this.#flavour.dependencies ? program : linked;
      return { ...changed, revision: revision(`${program.name} ${++this.#version}`) };
    });
  }

  /** Some of what takes effect at once. Whether it ends by itself is not among it: see `restart`. */
  #live(program: ProgramPlan, other: ProgramPlan): Partial<ProgramPlan> {
    const { health, maxMemory, maxAgeMs, essential, priority, successExitCodes, backoff } = other;
    const overlap = other.schedule?.overlap;
    const timed = program.schedule !== null && overlap !== undefined;
    return this.#dice.pick<Partial<ProgramPlan>>(
      { health },
      { maxMemory },
      { health: null, maxMemory: null },
      { maxAgeMs },
      { essential, priority },
      { successExitCodes, backoff },
      timed ? { schedule: { ...program.schedule, overlap } } : { priority },
    );
  }
}
