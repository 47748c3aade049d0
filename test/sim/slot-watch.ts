/** What must hold of the slots: there are as many as the config or the operator says, and what goes is written off. */
import type { InstanceId, ProgramName } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import { type Fleet, rolloutUnderWay } from '../../src/core/fleet/fleet.ts';
import { type Instance, isAtRest } from '../../src/core/instance/instance.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { broken } from './broken.ts';
import type { System } from './system.ts';

export class SlotWatch {
  readonly #fleet: Fleet;
  readonly #system: System;
  /** What the config says, and how many there are to be. */
  readonly #configured: Map<ProgramName, number>;
  readonly #wanted: Map<ProgramName, number>;
  readonly #writtenOff = new Set<InstanceId>();

  constructor(fleet: Fleet, system: System, programs: readonly ProgramPlan[]) {
    this.#fleet = fleet;
    this.#system = system;
    this.#configured = new Map(programs.map(({ name, instances }) => [name, instances]));
    this.#wanted = new Map(this.#configured);
  }

  /** Before core sees it. */
  event(event: FleetEvent): void {
    if (this.#fleet.mode.kind !== 'running') return;
    if (event.type === 'reload') this.#reloaded(event.programs);
    if (event.type !== 'scale' || !this.#wanted.has(event.program)) return;
    this.#wanted.set(event.program, event.instances);
  }

  /** A new daemon has read the file. */
  raised(file: readonly ProgramPlan[]): void {
    this.#writtenOff.clear();
    this.#reloaded(file);
  }

  effect(effect: FleetEffect): void {
    if (effect.type !== 'record') return;
    if (effect.what.kind === 'removed') this.#writtenOff.add(effect.what.id);
    if (effect.what.kind === 'instance') this.#writtenOff.delete(effect.what.instance.id);
  }

  /** After the step. `before`: the instances as they were when the event came. */
  check(before: ReadonlyMap<InstanceId, Instance>): void {
    for (const id of before.keys()) {
      if (this.#fleet.instances.has(id)) continue;
      if (!this.#writtenOff.delete(id)) broken(`${id} is gone, and that is not written down`);
      if (this.#system.livingOf(id) > 0) broken(`${id} is gone, and something of it lives`);
    }
    for (const id of this.#writtenOff) {
      if (this.#fleet.instances.has(id)) broken(`${id} is written off, and still there`);
    }
    this.#writtenOff.clear();
    this.#count();
  }

  #count(): void {
    const staying = new Map<ProgramName, number>();
    for (const instance of this.#fleet.instances.values()) {
      const { id, index, leaving, program } = instance;
      const wanted = this.#wanted.get(program.name) ?? 0;
      if (leaving && isAtRest(instance) && this.#fleet.mode.kind === 'running' && !this.#isHeld(instance)) {
        broken(`${id} is to go, is at rest, and still there`);
      }
      if (leaving) continue;
      if (index >= wanted) broken(`${id} is one too many of ${wanted}`);
      staying.set(program.name, (staying.get(program.name) ?? 0) + 1);
    }
    for (const [name, wanted] of this.#wanted) {
      const there = staying.get(name) ?? 0;
      if (there !== wanted) broken(`there are ${there} of ${name}, not ${wanted}`);
    }
  }

  /** An extra one of a rollout under way, that was given up: whoever has to see to it is to find it. */
  #isHeld({ id, wish, program }: Instance): boolean {
    const turns = rolloutUnderWay(this.#fleet, program.name)?.turns ?? [];
    return wish.want === 'up' && turns.some((turn) => turn.extra && turn.id === id);
  }

  #reloaded(programs: readonly ProgramPlan[]): void {
    const names = new Set(programs.map(({ name }) => name));
    for (const name of this.#wanted.keys()) if (!names.has(name)) this.#wanted.delete(name);
    for (const { name, instances } of programs) {
      // The operator's number gives way when the config's has changed.
      if (this.#configured.get(name) !== instances || !this.#wanted.has(name))
        this.#wanted.set(name, instances);
    }
    this.#configured.clear();
    for (const { name, instances } of programs) this.#configured.set(name, instances);
  }
}
