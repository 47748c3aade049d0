/** One world: a fleet, a rude system, a virtual clock, and a loop between them that is the daemon's in small. */
import { mono, wall } from '../../src/base/clock.ts';
import type { InstanceId } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import { createFleet, type Fleet, NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import { stepFleet } from '../../src/core/fleet/step.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { plan } from '../core/rig.ts';
import { Agenda } from './agenda.ts';
import { broken } from './broken.ts';
import { Dice } from './dice.ts';
import { drawProgram } from './plans.ts';
import { RolloutWatch } from './rollout-watch.ts';
import { System } from './system.ts';
import { Timers } from './timers.ts';
import { Recorder, type Transitions } from './transitions.ts';
import { Watch } from './watch.ts';

/** More events than this at one moment are a busy loop. */
const BUSY = 2000;
const KEPT = 60;

export class World {
  readonly dice: Dice;
  readonly agenda = new Agenda();
  readonly fleet: Fleet;
  readonly system: System;
  readonly timers: Timers;
  /** What happened last, for whoever has to find out why a rule was broken. */
  readonly story: string[] = [];
  steps = 0;
  finished = false;
  readonly #watch: Watch;
  readonly #rollouts: RolloutWatch;
  readonly #recorder: Recorder;
  readonly #queue: FleetEvent[] = [];
  #busy = false;
  #stepsNow = { at: -1, count: 0 };
  #seen: ReadonlyMap<InstanceId, Instance>;

  constructor(seed: number, transitions: Transitions) {
    this.dice = new Dice(seed);
    const programs = drawPrograms(this.dice);
    this.fleet = createFleet(plan(programs), NO_MEMORY);
    this.#seen = new Map(this.fleet.instances);
    const post = (event: FleetEvent): void => this.post(event);
    this.system = new System(this.dice, this.agenda, post);
    this.timers = new Timers(this.dice, this.agenda, post);
    this.#watch = new Watch(this.fleet, this.system, this.agenda);
    this.#rollouts = new RolloutWatch(this.fleet, this.#watch, this.agenda);
    this.#recorder = new Recorder(transitions);
    for (const instance of this.fleet.instances.values()) this.#recorder.see({ kind: 'instance', instance });
  }

  /** As the daemon's loop: whatever an event causes is queued behind it. */
  post(event: FleetEvent): void {
    this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#take(next);
    this.#busy = false;
  }

  /** Until nothing is left to happen, or the time is over. */
  runUntil(limit = Number.POSITIVE_INFINITY): void {
    while (this.agenda.next(limit));
  }

  #take(event: FleetEvent): void {
    this.#count();
    const { now } = this.agenda;
    this.#tell('>', event);
    this.timers.taken(event);
    this.#watch.event(event);
    const effects = stepFleet(this.fleet, event, { mono: mono(now), wall: wall(now + 1e12) });
    for (const effect of effects) this.#perform(effect);
    this.#check();
  }

  #perform(effect: FleetEffect): void {
    if (effect.type !== 'announce' && effect.type !== 'record') this.#tell('  <', effect);
    this.#watch.effect(effect);
    switch (effect.type) {
      case 'spawn':
        this.system.spawn(effect.life, effect.instance.id);
        break;
      case 'signal':
        this.system.signal(effect.run, effect.signal);
        break;
      case 'signal_tree':
        this.system.signalTree(effect.run, effect.signal);
        break;
      case 'survey':
        this.system.survey(effect.run);
        break;
      case 'forget':
        this.system.forget(effect.run);
        break;
      case 'arm':
        this.timers.arm(effect.timer, effect.at);
        break;
      case 'disarm':
        this.timers.disarm(effect.timer);
        break;
      case 'record':
        this.#recorder.see(effect.what);
        break;
      case 'announce':
        break;
      case 'finish':
        this.finished = true;
    }
  }

  #check(): void {
    for (const [id, instance] of this.fleet.instances) {
      if (this.#seen.get(id) !== instance) this.#watch.rest(instance);
    }
    this.#rollouts.check(this.#seen);
    this.timers.check(this.fleet);
    this.#seen = new Map(this.fleet.instances);
  }

  #count(): void {
    this.steps++;
    const { at, count } = this.#stepsNow;
    this.#stepsNow = at === this.agenda.now ? { at, count: count + 1 } : { at: this.agenda.now, count: 1 };
    if (this.#stepsNow.count > BUSY) broken('a busy loop');
  }

  #tell(mark: string, what: FleetEvent | FleetEffect): void {
    this.story.push(`${this.agenda.now} ${mark} ${brief(what)}`);
    if (this.story.length > 2 * KEPT) this.story.splice(0, KEPT);
  }
}

function drawPrograms(dice: Dice): ProgramPlan[] {
  const names = dice.pick(['worker'], ['worker', 'mailer']);
  return names.map((name) => drawProgram(dice, name, 0, dice.int(1, 5)));
}

function brief(what: FleetEvent | FleetEffect): string {
  const { type, ...rest } = what;
  return `${type} ${JSON.stringify(rest, (key, value) => (key === 'instance' ? value.id : HIDDEN.has(key) ? undefined : value))}`;
}

const HIDDEN = new Set(['program', 'programs', 'startedAt']);
