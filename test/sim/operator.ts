/** Somebody who types commands at random. */
import type { InstanceId, RolloutId } from '../../src/base/ids.ts';
import { rolloutUnderWay, seatsOf } from '../../src/core/fleet/fleet.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { drawProgram } from './plans.ts';
import type { World } from './world.ts';

const NAMES = ['worker', 'mailer'];

export class Operator {
  readonly #world: World;
  #version = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** So many commands, spread over so many milliseconds. */
  busy(commands: number, ms: number): void {
    const { agenda, dice } = this.#world;
    for (let i = 0; i < commands; i++) {
      agenda.after(dice.int(0, ms), () => {
        const ids = this.#someIds();
        this.#command(ids);
        // Second thoughts, before the first have had their effect.
        if (dice.chance(0.5)) agenda.after(dice.pick(0, dice.int(0, 300)), () => this.#command(ids));
      });
    }
  }

  start(ids: readonly InstanceId[]): void {
    this.#world.post({ type: 'start', ids, because: this.#world.dice.pick('start', 'operator') });
  }

  steer(id: RolloutId, command: 'pause' | 'resume' | 'abort'): void {
    this.#world.post({ type: 'steer_rollout', id, command });
  }

  beginRollout(): void {
    const { dice, fleet } = this.#world;
    const program = this.#somePlan();
    const seats = [...seatsOf(fleet, program.name).keys()];
    const ids = dice.chance(0.8) ? seats : dice.some(seats);
    const maxParallel = dice.pick(1, 1, 2, seats.length);
    this.#world.post({ type: 'begin_rollout', program, ids, maxParallel });
  }

  #someIds(): InstanceId[] {
    const { dice, fleet } = this.#world;
    const all = [...fleet.instances.keys()];
    return dice.chance(0.3) ? all : dice.some(all);
  }

  #command(few: readonly InstanceId[]): void {
    const { dice } = this.#world;
    const what = dice.pick('start', 'stop', 'stop', 'restart', 'roll', 'roll', 'steer', 'steer');
    if (what === 'start') this.start(few);
    else if (what === 'stop') {
      this.#world.post({ type: 'stop', ids: few, how: dice.pick('drain', 'drain', 'now', 'kill') });
    } else if (what === 'restart') {
      this.#world.post({ type: 'restart', ids: few, programs: dice.chance(0.5) ? [this.#somePlan()] : [] });
    } else if (what === 'roll') this.beginRollout();
    else this.#steerSome();
  }

  #steerSome(): void {
    const { dice, fleet } = this.#world;
    for (const rollout of fleet.rollouts.values()) {
      if (dice.chance(0.3)) this.steer(rollout.id, dice.pick('pause', 'resume', 'resume', 'abort'));
    }
  }

  /** One of its programs, as it is or changed. */
  #somePlan(): ProgramPlan {
    const { dice, fleet } = this.#world;
    const programs = NAMES.flatMap((name) => {
      const seat = [...fleet.instances.values()].find(({ program }) => program.name === name);
      return seat === undefined ? [] : [seat.program];
    });
    const [first, ...rest] = programs;
    if (first === undefined) throw new Error('a world without programs');
    const program = dice.pick(first, ...rest);
    return dice.chance(0.5) ? program : drawProgram(dice, program.name, ++this.#version, program.instances);
  }
}

/** Rollouts that are not over. */
export const underWay = (world: World) =>
  NAMES.flatMap((name) => {
    const seat = [...world.fleet.instances.values()].find(({ program }) => program.name === name);
    return seat === undefined ? [] : (rolloutUnderWay(world.fleet, seat.program.name) ?? []);
  });
