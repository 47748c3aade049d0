/** What must hold of the runs that are got ready ahead of time: only whoever comes up again has one, with a number of its own. */
import type { InstanceId, Run } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { Fleet } from '../../src/core/fleet/fleet.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import { broken } from './broken.ts';

export class AheadWatch {
  readonly #fleet: Fleet;
  readonly #waiting = new Map<InstanceId, Run>();
  /** All numbers that were ever given out, by whichever daemon. */
  readonly #given = new Set<Run>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** Nothing of it outlives a daemon. */
  raised(): void {
    this.#waiting.clear();
  }

  effect(effect: FleetEffect): void {
    if (effect.type === 'prepare') this.#prepared(effect);
    else if (effect.type === 'unprepare') this.#let(effect);
    else if (effect.type === 'spawn') this.#spawned(effect);
    else if (effect.type === 'hook' && effect.hook === 'pre_start') this.#given.add(effect.life.run);
  }

  /** After the step. */
  check(): void {
    for (const [id, run] of this.#waiting) {
      const instance = this.#fleet.instances.get(id);
      if (instance === undefined || !comesAgain(instance))
        broken(`run ${run} of ${id} is got ready, and it is ${instance?.phase.kind ?? 'gone'}`);
    }
  }

  /** After the step, of each that has changed. */
  changed(instance: Instance): void {
    if (comesAgain(instance) && isEasy(instance) && !this.#waiting.has(instance.id))
      broken(`${instance.id} comes up again, and nothing is got ready for it`);
  }

  #prepared({ instance, life }: Extract<FleetEffect, { type: 'prepare' }>): void {
    const { id } = instance;
    if (this.#given.has(life.run)) broken(`run ${life.run} is given out a second time, to ${id}`);
    if (this.#waiting.has(id)) broken(`two runs of ${id} are got ready`);
    if (life.program !== instance.program || life.generation !== instance.generation)
      broken(`what is got ready for ${id} is not what it is to be`);
    this.#given.add(life.run);
    this.#waiting.set(id, life.run);
  }

  #let({ instance, run }: Extract<FleetEffect, { type: 'unprepare' }>): void {
    if (this.#waiting.get(instance.id) !== run) broken(`run ${run} is let go of, and never was got ready`);
    this.#waiting.delete(instance.id);
  }

  #spawned({ instance, life }: Extract<FleetEffect, { type: 'spawn' }>): void {
    const ready = this.#waiting.get(instance.id);
    const isHooked = life.program.hooks.pre_start !== null;
    if (ready !== undefined && ready !== life.run)
      broken(`${instance.id} is got ready, and begins another run`);
    if (ready === undefined && !isHooked && this.#given.has(life.run))
      broken(`run ${life.run} is given out a second time, to ${instance.id}`);
    this.#given.add(life.run);
    this.#waiting.delete(instance.id);
  }
}

/** It ends, and is wanted. */
const comesAgain = ({ phase, wish }: Instance): boolean =>
  'ending' in phase && phase.ending.cause === 'planned' && wish.want === 'up';

/** Nothing else is waited for, and nobody asks what follows. */
const isEasy = ({ phase, program, leaving }: Instance): boolean =>
  program.schedule === null &&
  program.hooks.pre_start === null &&
  !leaving &&
  !(phase.kind === 'draining' && !phase.asked);
