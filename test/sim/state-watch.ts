/** What must hold of every instance after each step: who waits says for what, and nobody is forgotten. */
import type { InstanceId } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import { type Fleet, rolloutUnderWay, seatsOf } from '../../src/core/fleet/fleet.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import { lifeOf, type Phase } from '../../src/core/instance/phase.ts';
import type { HookName } from '../../src/core/plan.ts';
import { isMet, isWell, unmet } from './begin-watch.ts';
import { broken } from './broken.ts';
import type { System } from './system.ts';

export class StateWatch {
  readonly #fleet: Fleet;
  readonly #system: System;
  /** Which essential instance was given up while the fleet ran. */
  fault: InstanceId | null = null;
  /** One was given up that a rollout tries out: whether others worked at that very moment, nobody here knows. */
  mayBeFault = false;

  constructor(fleet: Fleet, system: System) {
    this.#fleet = fleet;
    this.#system = system;
  }

  /** What ended the last daemon is not what this one ends with. */
  raised(): void {
    this.fault = null;
    this.mayBeFault = false;
  }

  /** The step may go on from there, but whoever was given up was given up. */
  effect(effect: FleetEffect, before: ReadonlyMap<InstanceId, Instance>, wasRunning: boolean): void {
    if (!wasRunning || effect.type !== 'record' || effect.what.kind !== 'instance') return;
    const { id, phase, program } = effect.what.instance;
    const isNew = phase.kind === 'failed' && before.get(id)?.phase.kind !== 'failed';
    if (!isNew || !program.essential) return;
    if (this.#isOnTrial(effect.what.instance)) this.mayBeFault = true;
    else this.fault ??= id;
  }

  ended(fault: string | null): void {
    const isKnown = fault === null ? this.fault === null : this.fault !== null || this.mayBeFault;
    if (!isKnown) broken(`it ends with ${fault}`);
  }

  /** A build that is tried out: as long as others of the program work, that is for its rollout to judge. */
  #isOnTrial({ id, program, generation, leaving }: Instance): boolean {
    if (leaving) return true;
    // It may be over by the end of the step, or on its way back because of this very failure.
    return [...this.#fleet.rollouts.values()].some(
      (rollout) =>
        rollout.program === program.name &&
        (rollout.generation === generation || rollout.reverting?.from === generation) &&
        rollout.turns.some((turn) => turn.id === id),
    );
  }

  /** After the step. `before`: the instances as they were when the event came. */
  check(event: FleetEvent, before: ReadonlyMap<InstanceId, Instance>): void {
    for (const instance of this.#fleet.instances.values()) {
      const was = before.get(instance.id);
      if (instance.phase.kind === 'waiting') this.#waits(instance);
      if (was === instance) continue;
      this.#isLookedAt(instance);
      if (was === undefined) continue;
      this.#isReplaced(instance, was);
      if (event.type === 'start') this.#started(instance, was, event.ids);
    }
    if (this.fault !== null && this.#fleet.mode.kind === 'running') {
      broken(`${this.fault} is essential and given up, and the fleet goes on`);
    }
  }

  #waits(instance: Instance): void {
    const { id, phase, program, wish } = instance;
    if (phase.kind !== 'waiting') return;
    if (wish.want === 'down') broken(`${id} waits, and nobody wants it`);
    if (phase.what.kind === 'schedule') {
      if (program.schedule === null) broken(`${id} waits for a time that it does not have`);
      return;
    }
    const { on, condition, why } = phase.what;
    if (program.dependsOn[on] !== condition)
      broken(`${id} waits for ${on} ${condition}, which it does not need`);
    if (why === '') broken(`${id} waits, and does not say why`);
    if (unmet(this.#fleet, instance) === null) broken(`${id} waits, and everything that it needs is there`);
    if (isMet(this.#fleet, on, condition))
      broken(`${id} says that it waits for ${on}, which is ${condition}`);
  }

  /** One that is worn goes only while all others work, and in no rollout. */
  #isReplaced(instance: Instance, was: Instance): void {
    const { id, phase, program } = instance;
    if (was.phase.kind !== 'running' || phase.kind !== 'draining') return;
    if (phase.ending.because !== 'memory' && phase.ending.because !== 'age') return;
    if (rolloutUnderWay(this.#fleet, program.name) !== undefined)
      broken(`${id} is replaced during a rollout`);
    for (const other of seatsOf(this.#fleet, program.name).values()) {
      if (other.id === id || other.wish.want === 'down' || other.leaving) continue;
      // What has been given up would be waited for without end, and what waits for its time is well.
      const isTimed = other.phase.kind === 'waiting' && other.phase.what.kind === 'schedule';
      const rests = other.phase.kind === 'exited' || other.phase.kind === 'failed' || isTimed;
      if (!rests && !isWell(other)) broken(`${id} is replaced while ${other.id} is ${other.phase.kind}`);
    }
  }

  /** Nobody whom the operator has stopped is brought up by a start of others. */
  #started({ id, wish }: Instance, was: Instance, ids: readonly InstanceId[]): void {
    const kept = was.wish.want === 'down' && was.wish.because === 'operator' && !ids.includes(id);
    if (kept && wish.want === 'up') broken(`${id} is started, and the operator had stopped it`);
  }

  /** What is looked at and which hook runs is what the phase calls for, and nothing else. */
  #isLookedAt({ id, phase }: Instance): void {
    const run = lifeOf(phase)?.run;
    if (run === undefined) return;
    const open = this.#system.looks.of(run).map(({ purpose }) => purpose);
    const due = looksFor(phase);
    if (open.toSorted().join() !== due.toSorted().join()) {
      broken(`of ${id}, which is ${phase.kind}, ${open.join(' and ') || 'nothing'} is looked at`);
    }
    const hook = this.#system.hooks.of(run);
    const wanted = hookFor(phase);
    if (wanted !== null && hook?.name !== wanted)
      broken(`${id} is ${phase.kind}, and no ${wanted} hook runs`);
    if (hook !== undefined && hook.name !== wanted && !hook.cancelled) {
      broken(`${id} is ${phase.kind}, and its ${hook.name} hook runs on`);
    }
  }
}

function looksFor(phase: Phase): string[] {
  if (!('body' in phase)) return [];
  const { ready, health, maxMemory, drain } = phase.body.life.program;
  if (phase.kind === 'starting' && !phase.hook) {
    return ready.when === 'log' ? ['log'] : ready.when === 'check' ? ['ready'] : [];
  }
  if (phase.kind === 'running') return [...(health ? ['health'] : []), ...(maxMemory ? ['memory'] : [])];
  const asks =
    phase.kind === 'draining' && phase.asked && phase.ending.exit === null && !phase.body.said.drained;
  return asks && drain.doneWhen === 'check' ? ['drain'] : [];
}

function hookFor(phase: Phase): HookName | null {
  if (phase.kind === 'preparing') return 'pre_start';
  if (phase.kind === 'cleaning') return 'post_stop';
  if (phase.kind === 'starting' && phase.hook) return 'post_start';
  return phase.kind === 'draining' && !phase.asked ? 'pre_drain' : null;
}
