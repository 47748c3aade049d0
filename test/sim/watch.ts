/** What must hold at each step, whatever happens. Knows the plans and the clock, and nothing of how core decides. */
import type { InstanceId, Run } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { Fleet } from '../../src/core/fleet/fleet.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import { type Life, lifeOf } from '../../src/core/instance/phase.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import type { Agenda } from './agenda.ts';
import { AheadWatch } from './ahead-watch.ts';
import { BeginWatch } from './begin-watch.ts';
import { broken } from './broken.ts';
import { OrderWatch } from './order-watch.ts';
import { ReloadWatch } from './reload-watch.ts';
import { RolloutWatch } from './rollout-watch.ts';
import { RunWatch } from './run-watch.ts';
import { SlotWatch } from './slot-watch.ts';
import { StateWatch } from './state-watch.ts';
import type { System } from './system.ts';

export class Watch {
  readonly #fleet: Fleet;
  readonly #system: System;
  readonly #agenda: Agenda;
  readonly #runs = new Map<Run, RunWatch>();
  readonly #ahead: AheadWatch;
  readonly #begin: BeginWatch;
  readonly #slots: SlotWatch;
  readonly #states: StateWatch;
  readonly #rollouts: RolloutWatch;
  readonly #reload = new ReloadWatch();
  readonly order: OrderWatch;
  readonly #before: Map<InstanceId, Instance>;
  /** Those that are asked to drain in this step. */
  readonly #asking: RunWatch[] = [];
  /** As the daemon that died had it. */
  readonly #last = new Map<InstanceId, Instance>();
  #wasRunning = true;
  #finished = false;

  /** `zero`: what the stopwatch of the daemon said when the world began. */
  constructor(
    fleet: Fleet,
    system: System,
    agenda: Agenda,
    programs: readonly ProgramPlan[],
    zero: () => number,
  ) {
    this.#fleet = fleet;
    this.#system = system;
    this.#agenda = agenda;
    this.#ahead = new AheadWatch(fleet);
    this.#begin = new BeginWatch(fleet, system);
    this.#slots = new SlotWatch(fleet, system, programs);
    this.#states = new StateWatch(fleet, system);
    this.#rollouts = new RolloutWatch(fleet, this, agenda, zero);
    this.order = new OrderWatch(fleet, system);
    this.#before = new Map(fleet.instances);
  }

  /** Before core sees it: whom does it give leave to be harder? */
  event(event: FleetEvent): void {
    this.#wasRunning = this.#fleet.mode.kind === 'running';
    if (this.#finished) return;
    this.order.event(event);
    this.#slots.event(event);
    this.#rollouts.event(event);
    if ('run' in event) {
      const id = this.#fleet.runs.get(event.run);
      const instance = id === undefined ? undefined : this.#fleet.instances.get(id);
      if (instance !== undefined) this.#runs.get(event.run)?.happens(event, instance.phase);
    } else if (WISHES.has(event.type)) this.#wished(event);
  }

  /** `event`: in the middle of its step, of which everything is written down. Null: between two. */
  died(event: FleetEvent | null): void {
    if (event !== null) {
      for (const [id, instance] of this.#fleet.instances) this.#leaves(instance, this.#before.get(id));
      this.#begin.check(event, this.#before);
      this.#rollouts.check(event, this.#before);
    }
    for (const watched of this.#asking.splice(0)) watched.mayNotBeAsked();
    this.#rollouts.died();
    this.#last.clear();
    for (const [id, instance] of this.#fleet.instances) this.#last.set(id, instance);
  }

  /** Another daemon lives, with what it has found. `file`: the config as it stands now. */
  raised(file: readonly ProgramPlan[]): void {
    this.#finished = false;
    this.#ahead.raised();
    this.#begin.raised();
    this.#states.raised();
    this.#slots.raised(file);
    this.order.raised();
    for (const { phase } of this.#fleet.instances.values()) {
      if (!('body' in phase)) continue;
      const { run } = phase.body.life;
      this.#runs.get(run)?.adopted(phase);
    }
    this.#before.clear();
    this.#remember();
    this.#rollouts.raised(file);
  }

  effect(effect: FleetEffect, event: FleetEvent): void {
    if (this.#finished && effect.type !== 'announce' && effect.type !== 'record')
      broken(`${effect.type} after the end`);
    this.#ahead.effect(effect);
    this.#begin.effect(effect, event, this.#before);
    this.#slots.effect(effect);
    this.#rollouts.effect(effect, event);
    this.#states.effect(effect, this.#before, this.#wasRunning);
    switch (effect.type) {
      case 'spawn':
        this.#spawned(effect.instance, effect.life);
        break;
      case 'signal':
      case 'signal_tree':
        this.#signalled(effect, event);
        break;
      case 'hook':
        this.#hooked(effect);
        break;
      case 'forget':
        if (this.#system.livingIn(effect.run) > 0) broken(`run ${effect.run} is forgotten while it lives`);
        break;
      case 'finish':
        this.#finished = true;
        this.#states.ended(effect.fault);
        break;
      default:
        break;
    }
  }

  /** After the step. */
  check(event: FleetEvent): void {
    for (const [id, instance] of this.#fleet.instances) {
      const was = this.#before.get(id);
      if (was !== instance) this.#changed(instance, was);
      if (instance.phase.kind === 'running') this.#runs.get(instance.phase.body.life.run)?.isMinded();
    }
    if (this.#wasRunning && this.#fleet.mode.kind !== 'running' && event.type !== 'shutdown')
      this.#goesDown();
    this.#states.check(event, this.#before);
    this.#begin.check(event, this.#before);
    this.#ahead.check();
    this.#slots.check(this.#before);
    this.#rollouts.check(event, this.#before);
    this.#asking.length = 0;
    this.#remember();
  }

  /** It has come to all that was under way: what somebody has stopped stays so, and what was wanted still is. */
  risen(): void {
    if (this.#fleet.mode.kind !== 'running') return;
    for (const [id, { wish, leaving }] of this.#last) {
      const now = this.#fleet.instances.get(id);
      if (leaving || now === undefined || now.leaving) continue;
      const [wasStopped, isStopped] = [wish, now.wish].map(
        ({ want, because }) => want === 'down' && because === 'operator',
      );
      if (wasStopped && !isStopped) broken(`${id} was stopped, and the next daemon does not know`);
      if (wish.want === 'up' && now.wish.want !== 'up')
        broken(`${id} was wanted, and the next daemon does not know`);
    }
  }

  #changed(instance: Instance, was: Instance | undefined): void {
    this.#rests(instance);
    this.#leaves(instance, was);
    this.#ahead.changed(instance);
    this.#reload.check(instance, was);
  }

  /** Whoever has to go is drained, and no rollout decides any more how long that may take. */
  #leaves({ leaving, phase }: Instance, was: Instance | undefined): void {
    const run = leaving && was?.leaving === false ? lifeOf(phase)?.run : undefined;
    if (run !== undefined) this.#runs.get(run)?.insist('drain');
  }

  #remember(): void {
    const { instances } = this.#fleet;
    for (const id of this.#before.keys()) if (!instances.has(id)) this.#before.delete(id);
    for (const [id, instance] of instances)
      if (this.#before.get(id) !== instance) this.#before.set(id, instance);
  }

  /** By itself: what it cannot do without was given up. */
  #goesDown(): void {
    for (const run of this.#fleet.runs.keys()) this.#runs.get(run)?.insist('drain');
    this.order.together([...this.#fleet.instances.keys()], false);
  }

  of(run: Run): RunWatch | undefined {
    return this.#runs.get(run);
  }

  /** What is at rest has no process, and had its post_stop hook. */
  #rests({ id, phase }: Instance): void {
    if (QUIET.has(phase.kind) && this.#system.livingOf(id) > 0) {
      broken(`${id} is ${phase.kind}, and something of it lives`);
    }
    const was = this.#before.get(id);
    const [run, last] = [lifeOf(phase)?.run, was === undefined ? undefined : lifeOf(was.phase)?.run];
    if (run !== undefined && this.#fleet.runs.get(run) !== id) broken(`run ${run} is nobody's`);
    if (phase.kind === 'running' && was?.phase.kind !== 'running')
      this.#runs.get(phase.body.life.run)?.works();
    if (last !== undefined && last !== run) this.#runs.get(last)?.over();
  }

  #hooked({ instance, life, hook, plan }: Extract<FleetEffect, { type: 'hook' }>): void {
    const wanted = life.program.hooks[hook];
    if (JSON.stringify(wanted) !== JSON.stringify(plan)) broken(`${instance.id} runs another ${hook}`);
    const alone = hook === 'pre_start' || hook === 'post_stop';
    if (alone && this.#system.livingOf(instance.id) > 0) {
      broken(`${hook} of ${instance.id} begins while something of it lives`);
    }
    if (hook === 'post_stop') this.#runs.get(life.run)?.cleaned();
  }

  #signalled(effect: Extract<FleetEffect, { type: 'signal' | 'signal_tree' }>, event: FleetEvent): void {
    const { instance, run, signal } = effect;
    const watched = this.#runs.get(run) ?? broken(`run ${run} is signalled and was never spawned`);
    if (event.type === 'signal') {
      if (!event.ids.includes(instance.id) || event.signal !== signal)
        broken(`${instance.id} gets ${signal}`);
      if (event.tree !== (effect.type === 'signal_tree'))
        broken(`${instance.id} gets ${signal}, or its tree`);
      return;
    }
    if (effect.type === 'signal') this.order.signalled(run, instance);
    this.#reload.effect(effect, event, this.#before);
    if (effect.type === 'signal' && instance.phase.kind === 'draining') this.#asking.push(watched);
    if (effect.type === 'signal') watched.signalled(signal, instance);
    else watched.treeSignalled(signal, instance);
  }

  #spawned(instance: Instance, life: Life): void {
    if (this.#runs.has(life.run)) broken(`run ${life.run} is used a second time`);
    this.#runs.set(life.run, new RunWatch(life, this.#agenda, this.#system));
    if (this.#fleet.runs.get(life.run) !== instance.id) broken(`run ${life.run} is nobody's`);
  }

  #wished(event: FleetEvent): void {
    for (const [id, instance] of this.#fleet.instances) {
      const run = lifeOf(instance.phase)?.run;
      const watched = run === undefined ? undefined : this.#runs.get(run);
      if (watched !== undefined) this.#hear(watched, id, instance, event);
    }
  }

  #hear(watched: RunWatch, id: InstanceId, instance: Instance, event: FleetEvent): void {
    switch (event.type) {
      case 'stop':
        if (event.ids.includes(id)) watched.insist(event.how);
        break;
      case 'restart':
        if (event.ids.includes(id) && instance.wish.want === 'up' && !instance.leaving)
          watched.insist('drain');
        break;
      case 'shutdown':
        watched.insist(event.how);
        break;
      case 'due':
        if (event.timer.of === 'shutdown') watched.insist('now');
        break;
      default:
        break;
    }
  }
}

const WISHES: ReadonlySet<FleetEvent['type']> = new Set([
  'stop',
  'restart',
  'scale',
  'reload',
  'shutdown',
  'due',
]);
const QUIET: ReadonlySet<string> = new Set([
  'stopped',
  'waiting',
  'preparing',
  'cleaning',
  'backoff',
  'exited',
  'failed',
]);
