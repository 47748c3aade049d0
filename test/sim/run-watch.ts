/** One run as the rules see it: which signals it may be sent, and when. */
import type { Run } from '../../src/base/ids.ts';
import type { SignalName } from '../../src/base/signal-name.ts';
import type { Happened, Notified } from '../../src/core/instance/event.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import type { Body, How, Life, OnTimeout, Phase } from '../../src/core/instance/phase.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import type { Agenda } from './agenda.ts';
import { broken } from './broken.ts';
import type { System } from './system.ts';

const HARDNESS: Record<How, number> = { drain: 1, now: 2, kill: 3 };

/** No timer rings later than this: see timers.ts. */
const LATE_MS = 20;

export class RunWatch {
  readonly run: Run;
  readonly #plan: ProgramPlan;
  readonly #agenda: Agenda;
  readonly #system: System;
  /** When the system had it. */
  bornAt = 0;
  readyHeardAt: number | null = null;
  /** Since when its health check has said that it is well; null: it has not yet. */
  healthyHeardAt: number | null = null;
  /** By the last answer of its health check. */
  isWell = true;
  /** By the last answer to a survey. */
  left: number | null = null;
  /** How hard the operator has asked for its end: 0 not at all. */
  #insisted = 0;
  #asked: { readonly at: number; notBefore: number } | null = null;
  #onTimeout: OnTimeout = 'stop';
  #perhaps = false;
  /** There is to be no such instance any more: no rollout waits for ever for its drain. */
  #hasToGo = false;
  #drainedHeard = false;
  #drainsByItself = false;
  #told: { readonly at: number; notBefore: number } | null = null;
  #killed = false;
  /** It has been said to be well, to live on, or to hang. */
  #lastBeat = 0;
  #withinMs: number | null;
  #hangs = false;
  #hasLived = false;
  /** Its post_start hook has ended. */
  #isStarted = false;
  /** Its pre_drain hook has ended. */
  #isPrepared = false;
  #isCleaned = false;

  constructor(life: Life, agenda: Agenda, system: System) {
    this.run = life.run;
    this.#plan = life.program;
    this.#withinMs = life.program.watchdogMs;
    this.#agenda = agenda;
    this.#system = system;
  }

  /** Another daemon has taken it up: it listens anew. */
  adopted({ body }: Extract<Phase, { body: Body }>): void {
    const { now } = this.#agenda;
    this.isWell = true;
    this.healthyHeardAt = null;
    this.left = null;
    this.#lastBeat = now;
    this.#withinMs = body.said.watchdogMs;
  }

  insist(how: How): void {
    this.#insisted = Math.max(this.#insisted, HARDNESS[how]);
  }

  /** Before core sees it. */
  happens(event: Exclude<Happened, { type: 'due' }>, phase: Phase): void {
    if (event.type === 'hooked' && event.hook === 'pre_drain' && phase.kind === 'draining')
      this.#isPrepared = true;
    if (event.type === 'hooked' && event.hook === 'post_start') this.#isStarted = true;
    if (event.type === 'notified') this.#heard(event.message, phase);
    else if (event.type === 'spawned' && phase.kind === 'spawning') this.#born();
    else if (event.type === 'tree') this.left = event.left;
    else if (event.type === 'hooked' && event.hook === 'pre_drain') this.#mayDrain(phase);
    else if (event.type === 'checked') {
      if (event.purpose === 'health') this.isWell = event.ok;
      if (event.ok) this.#checked(event.purpose, phase);
    }
  }

  /** After each step, while it works. */
  isMinded(): void {
    const { now } = this.#agenda;
    if (this.#hangs) broken(`run ${this.run} says that it hangs, and nothing follows`);
    const by = this.#withinMs === null ? null : this.#lastBeat + this.#withinMs;
    if (by !== null && now > by + LATE_MS) broken(`run ${this.run} is silent, and nobody minds`);
  }

  /** Its leader has ended during the hook: its jobs have their time from now on all the same. */
  #mayDrain(phase: Phase): void {
    if (phase.kind !== 'draining' || phase.asked || phase.ending.exit === null) return;
    this.#asked = { at: this.#agenda.now, notBefore: this.#agenda.now + (this.#plan.drain.timeoutMs ?? 0) };
    this.#onTimeout = phase.onTimeout;
  }

  /** It begins to work. */
  works(): void {
    if (this.#plan.hooks.post_start !== null && !this.#isStarted)
      broken(`run ${this.run} works without its post_start`);
    this.#lastBeat = this.#agenda.now;
  }

  #born(): void {
    this.bornAt = this.#agenda.now;
    this.#hasLived = true;
  }

  /** Its post_stop hook begins. */
  cleaned(): void {
    if (this.#isCleaned) broken(`post_stop of run ${this.run} runs twice`);
    this.#isCleaned = true;
  }

  /** The slot goes on without it. */
  over(): void {
    if (this.#hasLived && this.#plan.hooks.post_stop !== null && !this.#isCleaned)
      broken(`run ${this.run} had no post_stop`);
  }

  #checked(purpose: string, phase: Phase): void {
    const { now } = this.#agenda;
    const { ready } = this.#plan;
    const isReady =
      (purpose === 'log' && ready.when === 'log') || (purpose === 'ready' && ready.when === 'check');
    if (isReady && phase.kind === 'starting') this.readyHeardAt ??= now;
    if (purpose === 'health' && phase.kind === 'running') this.healthyHeardAt ??= now;
    const asked = phase.kind === 'draining' && phase.asked;
    if (purpose === 'drain' && asked && this.#plan.drain.doneWhen === 'check') this.#drainedHeard = true;
  }

  #heard(message: Notified, phase: Phase): void {
    const { now } = this.#agenda;
    if (message.ready && this.#plan.ready.when === 'notify') this.readyHeardAt ??= now;
    const byWord = this.#plan.drain.doneWhen === 'notify';
    if (message.drained && byWord && phase.kind === 'draining') this.#drainedHeard = true;
    if (message.watchdogMs !== undefined) this.#withinMs = message.watchdogMs;
    if (message.watchdog === 'alive' || message.watchdogMs !== undefined) this.#lastBeat = now;
    if (message.watchdog === 'trigger' && phase.kind === 'running') this.#hangs = true;
    if ((message.stopping || message.drained) && phase.kind === 'draining') this.#drainsByItself = true;
    const least = now + (message.extendTimeoutMs ?? 0);
    // What is overdue has no deadline any more that could be moved.
    const moves = phase.kind === 'draining' && phase.deadline !== null;
    if (moves && this.#asked) this.#asked.notBefore = Math.max(this.#asked.notBefore, least);
    if (phase.kind === 'stopping' && this.#told) this.#told.notBefore = Math.max(this.#told.notBefore, least);
  }

  /** To the leader: asked once with the drain's signal, told once with the stop's. */
  signalled(signal: SignalName, instance: Instance): void {
    const { phase } = instance;
    const hook = this.#system.hooks.of(this.run);
    if (hook?.name === 'pre_drain' && !hook.cancelled && this.#insisted < HARDNESS.now) {
      broken(`${instance.id} is signalled while its pre_drain hook runs`);
    }
    if (phase.kind === 'draining') {
      if (this.#plan.hooks.pre_drain !== null && !this.#isPrepared) {
        broken(`${instance.id} is asked to drain without its pre_drain hook`);
      }
      if ((this.#asked && !this.#mayAskAgain()) ?? this.#told)
        broken(`${instance.id} is asked to drain a second time`);
      this.#perhaps = false;
      if (signal !== this.#plan.drain.signal) broken(`${instance.id} is asked to drain by ${signal}`);
      this.#asked = { at: this.#agenda.now, notBefore: this.#agenda.now + (this.#plan.drain.timeoutMs ?? 0) };
      this.#onTimeout = phase.onTimeout;
      if (phase.ending.because.startsWith('rollout')) this.#insisted = 0; // what was said before is not about this end
      this.#hasToGo = instance.leaving;
      return;
    }
    if (this.#told) broken(`${instance.id} is told to stop a second time`);
    if (signal !== this.#plan.stop.signal) broken(`${instance.id} is told to stop by ${signal}`);
    if (!this.#mayTell(instance)) broken(`${instance.id} is told to stop too soon`);
    this.#tellNow();
  }

  /** The daemon has died in the act: nobody knows whether it was asked. */
  mayNotBeAsked(): void {
    this.#perhaps = true;
  }

  /** Only when it has not been asked, or all the time that it would have had is over. */
  #mayAskAgain(): boolean {
    if (!this.#perhaps || this.#asked === null) return false;
    return !this.#system.wasAsked(this.run) || this.#agenda.now >= this.#asked.notBefore;
  }

  treeSignalled(signal: SignalName, instance: Instance): void {
    if (signal === 'KILL') this.#kill(instance);
    else this.#tellTree(signal, instance);
  }

  #tellTree(signal: SignalName, instance: Instance): void {
    if (signal !== this.#plan.stop.signal) broken(`what is left of ${instance.id} is told by ${signal}`);
    if (this.#system.leaderLives(this.run))
      broken(`the tree of ${instance.id} is signalled, its leader lives`);
    // Without a leader there is no word of it, and nobody who would wait for it, but a drain that waits for the tree.
    const waited = this.#asked !== null && this.#told === null && this.#plan.drain.waitFor === 'tree';
    if (waited && !this.#mayTell(instance)) broken(`what is left of ${instance.id} is told too soon`);
    this.#tellNow();
  }

  #tellNow(): void {
    const { now } = this.#agenda;
    this.#told = { at: now, notBefore: now + this.#plan.stop.timeoutMs };
  }

  #kill(instance: Instance): void {
    const { now } = this.#agenda;
    const insisted = this.#insisted >= HARDNESS.kill;
    const toldInVain = this.#told !== null && now >= this.#told.notBefore;
    const drainCut = this.#onTimeout === 'kill' && this.#insisted === 0 && this.#drainIsTooLong();
    if (!this.#killed && !insisted && !toldInVain && !drainCut) broken(`${instance.id} is killed too soon`);
    this.#killed = true;
  }

  #mayTell(instance: Instance): boolean {
    return (
      this.#insisted >= HARDNESS.now ||
      this.#wasNotReadyInTime(instance) ||
      this.#wasHung(instance) ||
      this.#hasDrained() ||
      (this.#patienceIsOurs() && this.#drainIsTooLong())
    );
  }

  /** A rollout's drain goes on for ever or is cut, as `on_timeout` has it, unless an operator takes it on. */
  #patienceIsOurs(): boolean {
    return this.#onTimeout === 'stop' || this.#insisted > 0 || this.#hasToGo;
  }

  #drainIsTooLong(): boolean {
    if (this.#asked === null || this.#plan.drain.timeoutMs === null) return false;
    // It must have had the signal, unless it has begun to drain by itself.
    const isAsked = this.#drainsByItself || this.#system.wasAsked(this.run);
    if (this.#system.leaderLives(this.run) && !isAsked) return false;
    return this.#agenda.now >= this.#asked.notBefore;
  }

  #hasDrained(): boolean {
    const { doneWhen, waitFor } = this.#plan.drain;
    if (doneWhen === 'exit' || !this.#drainedHeard) return false;
    return waitFor === 'leader' || this.left === 0;
  }

  #wasNotReadyInTime({ phase }: Instance): boolean {
    const { ready } = this.#plan;
    if (!('ending' in phase) || phase.ending.cause !== 'fault' || this.readyHeardAt !== null) return false;
    if (ready.when === 'spawned' || ready.timeoutMs === null) return false;
    return this.#agenda.now >= this.bornAt + ready.timeoutMs;
  }

  /** What does not say that it lives cannot drain. */
  #wasHung({ phase }: Instance): boolean {
    if (!('ending' in phase) || phase.ending.because !== 'watchdog') return false;
    return this.#hangs || (this.#withinMs !== null && this.#agenda.now >= this.#lastBeat + this.#withinMs);
  }
}
