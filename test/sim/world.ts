/** One world: a fleet, a rude system, a virtual clock, and a loop between them that is the daemon's in small. */
import { type Moment, mono, wall } from '../../src/base/clock.ts';
import { adoptRuns } from '../../src/core/fleet/adopt.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import { createFleet, type Fleet, NO_MEMORY } from '../../src/core/fleet/fleet.ts';
import { stepFleet } from '../../src/core/fleet/step.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { courseOf } from '../../src/daemon/loop.ts';
import { plan } from '../core/rig.ts';
import { Agenda } from './agenda.ts';
import { Archive } from './archive.ts';
import { broken } from './broken.ts';
import { Dice } from './dice.ts';
import { drawFlavour, drawPrograms, type Flavour } from './plans.ts';
import { Story } from './story.ts';
import { System } from './system.ts';
import { Timers } from './timers.ts';
import { Recorder, type Transitions } from './transitions.ts';
import { Watch } from './watch.ts';

/** More events than this at one moment are a busy loop. */
const BUSY = 2000;
/** Whoever behaves has come to rest long before. */
const RESTLESS_MS = 120_000;

export class World {
  readonly dice: Dice;
  readonly agenda = new Agenda();
  /** Of the daemon that lives; the next one puts its own into this very object. */
  readonly fleet: Fleet;
  readonly system: System;
  readonly timers: Timers;
  readonly story = new Story();
  steps = 0;
  finished = false;
  readonly flavour: Flavour;
  /** As the config file has them when the world begins. */
  readonly programs: readonly ProgramPlan[];
  /** As it has them now. */
  file: readonly ProgramPlan[];
  /** What happens while no daemon lives. */
  meanwhile = (): void => {};
  /** Whether a daemon lives. */
  isUp = true;
  deaths = 0;
  /** Only where daemons die anything is written down. */
  readonly #archive: Archive | null;
  /** The daemon dies after so many deeds more. */
  #fuse: number | null = null;
  /** A new daemon may die as well, and at once. */
  #isMortal = false;
  /** A new daemon has not come to what is under way yet. */
  #isRising = false;
  readonly watch: Watch;
  readonly #recorder: Recorder;
  #queue: FleetEvent[] = [];
  #busy = false;
  #stepsNow = { at: -1, count: 0 };

  constructor(seed: number, transitions: Transitions) {
    this.dice = new Dice(seed);
    this.flavour = drawFlavour(this.dice);
    this.programs = drawPrograms(this.dice, this.flavour);
    this.file = this.programs;
    this.fleet = createFleet(plan(this.programs), NO_MEMORY);
    const post = (event: FleetEvent): void => this.post(event);
    this.system = new System(this.dice, this.agenda, post);
    this.timers = new Timers(this.dice, this.agenda, this.fleet, post);
    const zero = (): number => this.timers.mono - this.agenda.now;
    this.watch = new Watch(this.fleet, this.system, this.agenda, this.programs, zero);
    this.#archive = this.flavour.deaths
      ? new Archive(this.fleet, this.system, () => this.now, plan(this.programs))
      : null;
    this.#recorder = new Recorder(transitions);
    for (const instance of this.fleet.instances.values()) this.#recorder.see({ kind: 'instance', instance });
  }

  get now(): Moment {
    return { mono: mono(this.timers.mono), wall: wall(this.agenda.now + 1e12) };
  }

  /** The daemon dies within the next deeds, between any two of them. */
  lightFuse(): void {
    if (this.#archive === null || !this.isUp || this.finished) return;
    this.#isMortal = true;
    this.#fuse = this.dice.int(0, 8);
  }

  /** No more of that; and one that is dead is followed by another. */
  calm(): void {
    this.#isMortal = false;
    this.#fuse = null;
    while (!this.isUp) this.agenda.next();
  }

  /** Somebody has the daemon take the file at its word for these. */
  take(programs: readonly ProgramPlan[]): void {
    this.#archive?.follow(programs);
  }

  /** As the daemon's loop: whatever an event causes is queued behind it. */
  post(event: FleetEvent): void {
    if (!this.isUp) return; // nobody hears it
    this.#queue.push(event);
    if (!this.#busy) this.#loop(() => {});
  }

  /** Whatever is posted meanwhile comes behind it. */
  #loop(first: () => void): void {
    this.#busy = true;
    first();
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

  #take(event: FleetEvent): void {
    this.#count();
    if (this.#isOver()) {
      this.#die(event, null);
      return;
    }
    this.story.tell(this.agenda.now, '>', event);
    this.timers.taken(event);
    this.system.hooks.taken(event);
    this.watch.event(event);
    const { records, signals, others } = courseOf(stepFleet(this.fleet, event, this.now));
    // What is to be found again is on the disk before anything is done about it.
    for (const effect of records) this.#perform(effect, event);
    this.#archive?.flush();
    const deeds = [...signals, ...others];
    this.#archive?.signalling(signals.flatMap((effect) => (effect.type === 'signal' ? [effect.run] : [])));
    // Null: all signals were sent, and that is written down.
    for (const effect of [...signals, null, ...others]) {
      if (effect?.type === 'signal') this.#archive?.turn(effect.run);
      if (this.#isOver()) {
        this.#die(event, effect === null ? others : deeds.slice(deeds.indexOf(effect)));
        return;
      }
      if (effect === null) this.#archive?.signalled();
      else this.#perform(effect, event);
    }
    // Every change leaves a record: where there is none, all is as it was when it was looked at last.
    if (records.length + deeds.length === 0) return;
    this.watch.check(event);
    if (!this.#isRising) this.timers.check(this.fleet);
  }

  #isOver(): boolean {
    if (this.#fuse === null || this.finished) return false;
    return --this.#fuse < 0;
  }

  /** `undone`: what it had decided and did not live to do; null: it had not begun to. */
  #die(event: FleetEvent, undone: readonly FleetEffect[] | null): void {
    this.story.tell(this.agenda.now, '†', event);
    this.#fuse = null;
    this.#queue = [];
    this.isUp = false;
    this.deaths++;
    for (const effect of undone ?? []) this.watch.effect(effect, event);
    // In the very act. Who comes after it has not been asked, and the next daemon knows.
    const act = undone?.[0];
    if (act?.type === 'signal' && event.type !== 'signal') this.system.owes(act.run);
    this.watch.died(undone === null ? null : event);
    this.timers.die();
    this.system.die();
    this.agenda.after(this.dice.pick(0, this.dice.int(0, 300), this.dice.int(0, 3000)), () => this.#raise());
  }

  /** As the daemon does when it starts: see daemon.ts there. */
  #raise(): void {
    this.meanwhile();
    this.timers.raise();
    this.system.raise();
    const found = this.#archive?.reopen(plan(this.file), (known, memory) => {
      Object.assign(this.fleet, createFleet(known, memory));
    });
    this.isUp = true;
    const { instances, rollouts } = this.fleet;
    this.#recorder.begin(instances.values(), rollouts.values());
    this.watch.raised(this.file);
    this.story.tell(this.agenda.now, '*', null);
    if (this.#isMortal && this.dice.chance(0.15)) this.lightFuse();
    this.#isRising = true;
    this.#loop(() => {
      for (const effect of adoptRuns(this.fleet)) this.#effected(effect, null);
      for (const { run, pid } of found?.begun ?? []) {
        this.system.adopt(run);
        this.post({ type: 'spawned', run, pid });
      }
    });
    for (const event of found?.events ?? []) this.post(event);
    this.#isRising = false;
    const started = [...instances.values()].filter(
      ({ program, leaving, wish, phase }) =>
        program.autostart &&
        !leaving &&
        phase.kind !== 'exited' &&
        !(wish.want === 'down' && wish.because === 'operator'),
    );
    this.post({ type: 'start', ids: started.map(({ id }) => id), because: 'start' });
    if (this.isUp) this.watch.risen();
  }

  #perform(effect: FleetEffect, event: FleetEvent): void {
    this.watch.effect(effect, event);
    this.#effected(effect, event);
  }

  /** `event`: null where a new daemon takes up what it has found. */
  #effected(effect: FleetEffect, event: FleetEvent | null): void {
    if (effect.type !== 'announce' && effect.type !== 'record')
      this.story.tell(this.agenda.now, '  <', effect);
    switch (effect.type) {
      case 'spawn':
        this.system.spawn(effect.life, effect.instance.id);
        break;
      case 'prepare':
        this.system.gates.prepare(effect.life);
        break;
      case 'unprepare':
        this.system.gates.unprepare(effect.run);
        break;
      case 'signal':
        this.system.signal(effect.run, effect.signal, event?.type === 'signal');
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
      case 'judge':
        this.system.judges.begin(effect);
        break;
      case 'unjudge':
        this.system.judges.end(effect.rollout, effect.attempt);
        break;
      case 'adopt':
        this.system.adopt(effect.run);
        break;
      case 'arm':
        this.timers.arm(effect.timer, effect.at);
        break;
      case 'disarm':
        this.timers.disarm(effect.timer);
        break;
      case 'record':
        this.#recorder.see(effect.what);
        this.#archive?.keep(effect.what);
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
}
