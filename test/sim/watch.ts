/** What must hold at each step, whatever happens. Knows the plans and the clock, and nothing of how core decides. */
import type { InstanceId, Run } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { Fleet } from '../../src/core/fleet/fleet.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import { isAtRest } from '../../src/core/instance/instance.ts';
import { lifeOf } from '../../src/core/instance/phase.ts';
import type { Agenda } from './agenda.ts';
import { broken } from './broken.ts';
import { RunWatch } from './run-watch.ts';
import type { System } from './system.ts';

export class Watch {
  readonly #fleet: Fleet;
  readonly #system: System;
  readonly #agenda: Agenda;
  readonly #runs = new Map<Run, RunWatch>();
  #finished = false;

  constructor(fleet: Fleet, system: System, agenda: Agenda) {
    this.#fleet = fleet;
    this.#system = system;
    this.#agenda = agenda;
  }

  /** Before core sees it: whom does it give leave to be harder? */
  event(event: FleetEvent): void {
    if (this.#finished) return;
    for (const [id, instance] of this.#fleet.instances) {
      const run = lifeOf(instance.phase)?.run;
      const watched = run === undefined ? undefined : this.#runs.get(run);
      if (watched !== undefined) this.#hear(watched, id, instance, event);
    }
  }

  effect(effect: FleetEffect): void {
    if (this.#finished && effect.type !== 'announce' && effect.type !== 'record')
      broken(`${effect.type} after the end`);
    switch (effect.type) {
      case 'spawn':
        this.#spawned(effect.instance, effect.life.run);
        break;
      case 'signal':
        this.#of(effect.run).signalled(effect.signal, effect.instance);
        break;
      case 'signal_tree':
        this.#of(effect.run).treeSignalled(effect.signal, effect.instance);
        break;
      case 'forget':
        if (this.#system.livingIn(effect.run) > 0) broken(`run ${effect.run} is forgotten while it lives`);
        break;
      case 'finish':
        this.#finished = true;
        break;
      default:
        break;
    }
  }

  /** After the step: what is at rest has no process. */
  rest(instance: Instance): void {
    const quiet = isAtRest(instance) || instance.phase.kind === 'backoff';
    if (quiet && this.#system.livingOf(instance.id) > 0) {
      broken(`${instance.id} is ${instance.phase.kind}, and something of it lives`);
    }
    const life = lifeOf(instance.phase);
    if (life !== null && this.#fleet.runs.get(life.run) !== instance.id)
      broken(`run ${life.run} is nobody's`);
  }

  of(run: Run): RunWatch | undefined {
    return this.#runs.get(run);
  }

  #of(run: Run): RunWatch {
    return this.#runs.get(run) ?? broken(`run ${run} is signalled and was never spawned`);
  }

  #spawned(instance: Instance, run: Run): void {
    if (this.#runs.has(run)) broken(`run ${run} is used a second time`);
    if (this.#system.livingOf(instance.id) > 0) {
      broken(`${instance.id} is spawned while something of an earlier run lives`);
    }
    const life = lifeOf(instance.phase) ?? broken('spawned without a life');
    this.#runs.set(run, new RunWatch(life, this.#agenda, this.#system));
  }

  #hear(watched: RunWatch, id: InstanceId, instance: Instance, event: FleetEvent): void {
    switch (event.type) {
      case 'stop':
        if (event.ids.includes(id)) watched.insist(event.how);
        break;
      case 'restart':
        if (event.ids.includes(id) && instance.wish.want === 'up') watched.insist('drain');
        break;
      case 'shutdown':
        watched.insist(event.how);
        break;
      case 'due':
        if (event.timer.of === 'shutdown') watched.insist('now');
        break;
      case 'notified':
        if (event.run === watched.run) watched.heard(event.message, instance.phase);
        break;
      case 'spawned':
        if (event.run === watched.run && instance.phase.kind === 'spawning')
          watched.bornAt = this.#agenda.now;
        break;
      case 'tree':
        if (event.run === watched.run) watched.left = event.left;
        break;
      default:
        break;
    }
  }
}
