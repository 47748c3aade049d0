/** One world: a fleet, a rude system, a virtual clock, and a loop between them that is the daemon's in small. */
import { mono, wall } from '../../src/base/clock.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import { createFleet, type Fleet, NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import { stepFleet } from '../../src/core/fleet/step.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { plan } from '../core/rig.ts';
import { Agenda } from './agenda.ts';
import { broken } from './broken.ts';
import { Dice } from './dice.ts';
import { drawFlavour, drawPrograms, type Flavour } from './plans.ts';
import { System } from './system.ts';
import { Timers } from './timers.ts';
import { Recorder, type Transitions } from './transitions.ts';
import { Watch } from './watch.ts';

/** More events than this at one moment are a busy loop. */
const BUSY = 2000;
const KEPT = Number(process.env.SIM_STORY ?? 60);
/** Whoever behaves has come to rest long before. */
const RESTLESS_MS = 120_000;

export class World {
  readonly dice: Dice;
  readonly agenda = new Agenda();
  readonly fleet: Fleet;
  readonly system: System;
  readonly timers: Timers;
  /** What happened last, for whoever has to find out why a rule was broken. */
  readonly #story: (readonly [at: number, mark: string, what: FleetEvent | FleetEffect])[] = [];
  steps = 0;
  finished = false;
  readonly flavour: Flavour;
  /** As the config file has them when the world begins. */
  readonly programs: readonly ProgramPlan[];
  readonly watch: Watch;
  readonly #recorder: Recorder;
  readonly #queue: FleetEvent[] = [];
  #busy = false;
  #stepsNow = { at: -1, count: 0 };

  constructor(seed: number, transitions: Transitions) {
    this.dice = new Dice(seed);
    this.flavour = drawFlavour(this.dice);
    this.programs = drawPrograms(this.dice, this.flavour);
    this.fleet = createFleet(plan(this.programs), NO_MEMORY);
    const post = (event: FleetEvent): void => this.post(event);
    this.system = new System(this.dice, this.agenda, post);
    this.timers = new Timers(this.dice, this.agenda, this.fleet, post);
    this.watch = new Watch(this.fleet, this.system, this.agenda, this.programs);
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

  runUntil(limit: number): void {
    while (this.agenda.next(limit));
  }

  /** Until nothing is left to happen but what goes on for ever. */
  settle(): void {
    const limit = this.agenda.now + RESTLESS_MS;
    while (this.agenda.ahead > 0) if (!this.agenda.next(limit)) broken('the world does not come to rest');
  }

  /** In the words of people: that takes its time, and is seldom asked for. */
  story(): string {
    return this.#story
      .slice(-KEPT)
      .map(([at, mark, what]) => `${at} ${mark} ${brief(what)}`)
      .join('\n');
  }

  /** Everybody in short, for people. */
  state(): string {
    const words = [...this.fleet.instances.values()].map(({ id, phase, wish, leaving, program }) => {
      const what = phase.kind === 'waiting' ? ` for ${JSON.stringify(phase.what)}` : '';
      const needs = JSON.stringify(program.dependsOn);
      return `${id} ${phase.kind}${what} ${wish.want} (${wish.because})${leaving ? ', leaving' : ''} ${needs}`;
    });
    const rollouts = [...this.fleet.rollouts.values()].map(({ id, program, state, reason, turns }) => {
      const steps = turns.map((turn) => `${turn.id} ${turn.step.kind}`).join(', ');
      return `rollout ${id} of ${program} ${state} (${reason}): ${steps}`;
    });
    return [...words, ...rollouts].join('; ');
  }

  #take(event: FleetEvent): void {
    this.#count();
    const { now } = this.agenda;
    this.#tell('>', event);
    this.timers.taken(event);
    this.system.hooks.taken(event);
    this.watch.event(event);
    const effects = stepFleet(this.fleet, event, { mono: mono(now), wall: wall(now + 1e12) });
    for (const effect of effects) this.#perform(effect, event);
    this.watch.check(event);
    this.timers.check(this.fleet);
  }

  #perform(effect: FleetEffect, event: FleetEvent): void {
    if (effect.type !== 'announce' && effect.type !== 'record') this.#tell('  <', effect);
    this.watch.effect(effect, event);
    switch (effect.type) {
      case 'spawn':
        this.system.spawn(effect.life, effect.instance.id);
        break;
      case 'signal':
        this.system.signal(effect.run, effect.signal, event.type === 'signal');
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
      case 'hook':
        this.system.hooks.start(effect.life.run, effect.hook, effect.plan);
        break;
      case 'unhook':
        this.system.hooks.cancel(effect.run);
        break;
      case 'watch':
        this.system.looks.watch(effect.life, effect.watch);
        break;
      case 'unwatch':
        this.system.looks.unwatch(effect.run, effect.purpose);
        break;
      case 'adopt':
        broken('a run is adopted, and no daemon has died');
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

  #count(): void {
    this.steps++;
    const { at, count } = this.#stepsNow;
    this.#stepsNow = at === this.agenda.now ? { at, count: count + 1 } : { at: this.agenda.now, count: 1 };
    if (this.#stepsNow.count > BUSY) broken('a busy loop');
  }

  #tell(mark: string, what: FleetEvent | FleetEffect): void {
    this.#story.push([this.agenda.now, mark, what]);
    if (this.#story.length > 2 * KEPT) this.#story.splice(0, KEPT);
  }
}

function brief(what: FleetEvent | FleetEffect): string {
  const { type, ...rest } = what;
  return `${type} ${JSON.stringify(rest, (key, value) => (key === 'instance' ? value.id : key === 'program' && typeof value === 'object' ? value.name : HIDDEN.has(key) ? undefined : value))}`;
}

const HIDDEN = new Set(['programs', 'startedAt', 'plan']);
