/** What must hold of every rollout: nobody is touched too soon, nothing is called done that is not. */
import type { InstanceId, RolloutId } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import { type Fleet, seatsOf } from '../../src/core/fleet/fleet.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { isActive, isLate, isOver, type Rollout, type Turn } from '../../src/core/rollout/rollout.ts';
import type { Agenda } from './agenda.ts';
import { isWell, unmet, wasWell } from './begin-watch.ts';
import { broken } from './broken.ts';
import { CanaryWatch } from './canary-watch.ts';
import { CapacityWatch } from './capacity-watch.ts';
import { EndWatch, intolerable } from './end-watch.ts';
import { GateWatch, turnOf } from './gate-watch.ts';
import { needsNewRun } from './reload-watch.ts';
import { RevivalWatch } from './revival-watch.ts';
import type { Watch } from './watch.ts';

export class RolloutWatch {
  readonly #fleet: Fleet;
  readonly #watch: Watch;
  readonly #agenda: Agenda;
  readonly #seen = new Map<RolloutId, Rollout>();
  readonly #excused = new Set<string>();
  /** In this step. */
  readonly #spawned: Instance[] = [];
  /** Whose turns have come. */
  readonly #began = new Set<string>();
  /** How long each has to stay healthy, by the plan of the moment in which it became ready. */
  readonly #healthyMs = new Map<string, number>();

  readonly #gates: GateWatch;
  readonly #canary: CanaryWatch;
  readonly #capacity: CapacityWatch;
  readonly #ends: EndWatch;
  readonly #revival: RevivalWatch;

  constructor(fleet: Fleet, watch: Watch, agenda: Agenda, zero: () => number) {
    this.#gates = new GateWatch(fleet, agenda);
    this.#canary = new CanaryWatch(agenda);
    this.#capacity = new CapacityWatch(fleet);
    this.#ends = new EndWatch(fleet);
    this.#revival = new RevivalWatch(fleet, zero);
    this.#fleet = fleet;
    this.#watch = watch;
    this.#agenda = agenda;
  }

  /** Before core sees it. */
  event(event: FleetEvent): void {
    this.#gates.event(event);
  }

  effect(effect: FleetEffect, event: FleetEvent): void {
    this.#gates.effect(effect, event);
    if (effect.type === 'spawn') this.#spawned.push(effect.instance);
  }

  died(): void {
    this.#spawned.length = 0;
    this.#revival.died();
  }

  /** `file`: the config as it stands now. */
  raised(file: readonly ProgramPlan[]): void {
    this.#revival.raised(file);
    for (const rollout of this.#fleet.rollouts.values()) {
      this.#seen.set(rollout.id, rollout);
      this.#ends.raised(rollout);
    }
  }

  /** After each step. `before`: the instances as they were when the event came. */
  check(event: FleetEvent, before: ReadonlyMap<InstanceId, Instance>): void {
    this.#capacity.check(before);
    for (const { id, generation } of this.#spawned.splice(0)) this.#hasItsTurn(id, generation, before);
    const underWay = new Set<string>();
    for (const rollout of this.#fleet.rollouts.values()) {
      if (!isOver(rollout)) {
        if (underWay.has(rollout.program)) broken(`two rollouts of ${rollout.program} at once`);
        underWay.add(rollout.program);
      }
      this.#isPatient(rollout);
      const last = this.#seen.get(rollout.id);
      if (last === rollout) continue;
      this.#seen.set(rollout.id, rollout);
      if (last !== undefined && isOver(last)) broken(`rollout ${rollout.id} changes after its end`);
      this.#one(rollout, last, before);
      this.#canary.check(rollout, last, event);
      this.#gates.check(rollout, last);
    }
  }

  /** Whose turn has not come is begun with what it had. */
  #hasItsTurn(id: InstanceId, generation: number, before: ReadonlyMap<InstanceId, Instance>): void {
    for (const rollout of this.#fleet.rollouts.values()) {
      const turn = turnOf(rollout, id);
      if (isOver(rollout) || turn?.step.kind !== 'pending' || generation !== rollout.generation) continue;
      if (this.#began.has(`${rollout.id} ${id}`) || before.get(id)?.wish.want !== 'up') continue;
      broken(`${id} is begun with what rollout ${rollout.id} brings, and its turn has not come`);
    }
  }

  #one(rollout: Rollout, last: Rollout | undefined, before: ReadonlyMap<InstanceId, Instance>): void {
    if (last === undefined) this.#ends.begun(rollout);
    this.#says(rollout);
    const active = rollout.turns.filter((turn) => this.#counts(rollout, turn));
    if (!isOver(rollout) && active.length > rollout.maxParallel)
      broken(`rollout ${rollout.id} turns too many`);
    for (const turn of rollout.turns) {
      const was = turnOf(last, turn.id)?.step.kind ?? 'pending';
      if (was === turn.step.kind) continue;
      if (was === 'pending' && turn.step.kind !== 'skipped') this.#began.add(`${rollout.id} ${turn.id}`);
      // On the way back also what was done, or in the middle of its turn.
      const isAnew = turn.step.kind === 'draining' || was === 'pending' || was === 'failed';
      if (isActive(turn) && isAnew) this.#begun(rollout, turn, before);
      if (turn.step.kind === 'settling') {
        this.#healthyMs.set(`${rollout.id} ${turn.step.newRun}`, rollout.target.rollout.minHealthyTimeMs);
      }
      const isProved = turn.step.kind === 'done' && !turn.extra && was !== 'serving';
      if (turn.step.kind === 'serving' || isProved) this.#done(rollout, turn);
    }
    if (isOver(rollout)) this.#ends.check(rollout);
  }

  #says(rollout: Rollout): void {
    const { state, reason, turns, id } = rollout;
    if (state === 'paused' && !reason) broken(`rollout ${id} is paused and does not say why`);
    const isBusy = turns.some((turn) => isActive(turn) || isLate(turn) || turn.step.kind === 'leaving');
    if (state === 'running' && !reason && !isBusy) {
      broken(`rollout ${id} does nothing and does not say why`);
    }
    const failed = intolerable(rollout);
    if (state === 'running' && failed) broken(`rollout ${id} goes on although ${failed.id} has failed`);
    const isHeld = rollout.canary.kind === 'held' || rollout.after !== null || rollout.notBefore !== null;
    if (state === 'running' && !isBusy && !isHeld) this.#waitsInVain(rollout);
  }

  /** Who was given up does not come back by itself: one with a turn to come is cured by it, any other is to be told of. */
  #waitsInVain({ id, program, turns }: Rollout): void {
    const failed = new Set(turns.filter(({ step }) => step.kind === 'failed').map((turn) => turn.id));
    for (const seat of seatsOf(this.#fleet, program).values()) {
      if (failed.has(seat.id)) continue; // that is allowed
      const isGivenUp = seat.phase.kind === 'failed' && seat.wish.want === 'up' && !seat.leaving;
      if (isGivenUp) broken(`rollout ${id} waits for ${seat.id} without end`);
    }
  }

  /** A drain that was too long makes it wait for somebody who decides. */
  #isPatient(rollout: Rollout): void {
    if (rollout.state !== 'running') return;
    for (const { id, step } of rollout.turns) {
      const phase = this.#fleet.instances.get(id)?.phase;
      const waits = step.kind === 'draining' || step.kind === 'leaving';
      if (waits && phase?.kind === 'draining' && phase.overdue && phase.onTimeout !== 'skip') {
        broken(`rollout ${rollout.id} goes on although ${id} is overdue`);
      }
    }
  }

  /** One that works is touched only while every other wanted one works or is in its turn. */
  #begun(rollout: Rollout, turn: Turn, before: ReadonlyMap<InstanceId, Instance>): void {
    const phase = this.#fleet.instances.get(turn.id)?.phase;
    const asked = phase?.kind === 'draining' && phase.ending.because === `rollout ${rollout.id}`;
    if (!asked || before.get(turn.id)?.phase.kind !== 'running') return;
    if (this.#watch.of(phase.body.life.run)?.isWell === false) return; // it is taken first
    this.#gates.begun(rollout, turn);
    // What it needs may have had its own turn later in the step.
    const works = (seat: Instance): boolean => isWell(seat) || wasWell(before.get(seat.id));
    const missing = unmet(this.#fleet, { program: rollout.target }, undefined, works);
    if (missing !== null) broken(`${turn.id} is touched, and its next run would wait for ${missing}`);
    // One whose turn began together with this one may have failed within the same step.
    const begun = rollout.turns.filter(
      // And of those that have failed before, as many as may.
      ({ step }) => step.kind === 'failed',
    );
    const turning = new Set([...rollout.turns.filter(isActive), ...begun].map(({ id }) => id));
    const late = new Set(rollout.turns.filter(isLate).map(({ id }) => id));
    for (const other of seatsOf(this.#fleet, rollout.program).values()) {
      if (turning.has(other.id) || other.wish.want === 'down' || other.leaving) continue;
      const isWhole = isWell(other) || other.phase.kind === 'exited' || waitsForTime(other);
      // A rollout has gone on without it, and does so until it has ended.
      const drainsOn =
        (other.phase.kind === 'draining' && other.phase.overdue && other.phase.onTimeout === 'skip') ||
        (late.has(other.id) && 'ending' in other.phase);
      if (!isWhole && !drainsOn) broken(`${turn.id} is touched while ${other.id} is ${other.phase.kind}`);
    }
  }

  #done(rollout: Rollout, turn: Turn): void {
    const seat = this.#fleet.instances.get(turn.id) ?? broken(`${turn.id} is gone`);
    if (seat.generation !== rollout.generation) broken(`${turn.id} is done and of another generation`);
    if (turn.extra && seat.wish.want === 'down') return; // it leaves within the same step
    if (seat.phase.kind === 'exited' || waitsForTime(seat) || isWornNow(seat) || isFinishing(seat)) return;
    this.#gates.judged(rollout, turn);
    if (seat.phase.kind !== 'running') throw broken(`${turn.id} is done and ${seat.phase.kind}`);
    const { life } = seat.phase.body;
    const { ready } = life.program;
    const healthyMs =
      this.#healthyMs.get(`${rollout.id} ${life.run}`) ?? rollout.target.rollout.minHealthyTimeMs;
    const watched = this.#watch.of(life.run) ?? broken(`run ${life.run} was never spawned`);
    const readyAt = ready.when === 'spawned' ? watched.bornAt + ready.forMs : watched.readyHeardAt;
    if (readyAt === null) throw broken(`${turn.id} is done and never said that it is ready`);
    if (life.program.health !== null && watched.healthyHeardAt === null)
      broken(`${turn.id} is done, its health unknown`);
    if (this.#agenda.now < readyAt + healthyMs) broken(`${turn.id} is done too soon`);
    // What needs no new run may have changed since.
    if (needsNewRun(life.program, rollout.target)) broken(`${turn.id} is done with another plan`);
  }

  /** An extra one takes nothing away, and whoever has failed or drains for too long is away already. */
  #counts({ id }: Rollout, turn: Turn): boolean {
    const key = `${id} ${turn.id}`;
    if (turn.extra || turn.step.kind === 'failed' || isLate(turn)) this.#excused.add(key);
    return isActive(turn) && !this.#excused.has(key);
  }
}

const waitsForTime = ({ phase }: Instance): boolean =>
  phase.kind === 'waiting' && phase.what.kind === 'schedule';

/** It ends well and by itself, as its policy has it. */
const isFinishing = ({ phase }: Instance): boolean => 'ending' in phase && phase.ending.because === 'exit';

/** Once the rollout is over, one that is worn may go within the same step. */
const isWornNow = ({ phase }: Instance): boolean =>
  'ending' in phase && (phase.ending.because === 'memory' || phase.ending.because === 'age');
