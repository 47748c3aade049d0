/** What must hold when a turn begins: extra instances work, what comes first has succeeded, and no kill was just now. */
import { type InstanceId, type RolloutId, type Run, rolloutId } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { Fleet } from '../../src/core/fleet/fleet.ts';
import { isActive, isOver, ordinary, type Rollout, type Turn } from '../../src/core/rollout/rollout.ts';
import type { Agenda } from './agenda.ts';
import { isThere } from './begin-watch.ts';
import { broken } from './broken.ts';

export class GateWatch {
  readonly #fleet: Fleet;
  readonly #agenda: Agenda;
  /** Until when each touches nobody, because one was killed in its turn. */
  readonly #holds = new Map<RolloutId, number>();
  /** Those who were, and are not gone yet, where there is such a hold. */
  readonly #dying = new Map<Run, readonly [RolloutId, InstanceId]>();
  /** How long that is, by its plan before the step. */
  readonly #holdMs = new Map<RolloutId, number>();
  /** The last one that each had to wait for. */
  readonly #ahead = new Map<RolloutId, RolloutId>();
  readonly #asked = new Map<string, string>();
  readonly #passed = new Set<string>();

  constructor(fleet: Fleet, agenda: Agenda) {
    this.#fleet = fleet;
    this.#agenda = agenda;
  }

  /** Before core sees it. */
  event(event: FleetEvent): void {
    if (event.type !== 'judged' || !event.ok) return;
    const key = `${event.rollout} ${event.attempt}`;
    const asked = this.#asked.get(key);
    if (asked !== undefined) this.#passed.add(asked);
    this.#asked.delete(key);
  }

  effect(effect: FleetEffect, event: FleetEvent): void {
    if (effect.type === 'judge') {
      const turn = turnOf(this.#fleet.rollouts.get(effect.rollout), effect.instance.id);
      if (turn === undefined) broken(`${effect.instance.id} is judged and has no turn`);
      const key = `${effect.rollout} ${effect.attempt}`;
      this.#asked.set(key, `${effect.rollout} ${effect.instance.id} ${effect.life.run}`);
    }
    if (effect.type === 'unjudge') this.#asked.delete(`${effect.rollout} ${effect.attempt}`);
    if (effect.type === 'signal_tree' && effect.signal === 'KILL' && event.type !== 'signal') {
      this.#killed(effect.instance.id, effect.run);
    }
    if (effect.type === 'forget') this.#gone(effect.run);
  }

  #killed(id: InstanceId, run: Run): void {
    const { phase, wish } = this.#fleet.instances.get(id) ?? {};
    for (const rollout of this.#fleet.rollouts.values()) {
      const turn = turnOf(rollout, id);
      if (isOver(rollout) || turn?.step.kind !== 'draining' || wish?.want !== 'up') continue;
      if (phase?.kind !== 'killing' || phase.ending.because !== `rollout ${rollout.id}`) continue;
      if (rollout.target.rollout.afterKillHoldMs > 0) this.#dying.set(run, [rollout.id, id]);
      this.#hold(rollout);
    }
  }

  #gone(run: Run): void {
    const [by] = this.#dying.get(run) ?? [];
    const rollout = by === undefined ? undefined : this.#fleet.rollouts.get(by);
    if (rollout !== undefined) this.#hold(rollout);
    this.#dying.delete(run);
  }

  /** By the plan of this moment: another one, which came in this very step, decides about the next. */
  #hold({ id, target }: Rollout): void {
    const { afterKillHoldMs } = target.rollout;
    const ms = Math.min(afterKillHoldMs, this.#holdMs.get(id) ?? afterKillHoldMs);
    this.#holds.set(id, this.#agenda.now + ms);
  }

  /** Of an instance that works, in its own program. */
  begun(rollout: Rollout, turn: Turn): void {
    const { id, turns } = rollout;
    if (turn.extra) return;
    for (const other of turns) {
      if (!other.extra) continue;
      const seat = this.#fleet.instances.get(other.id);
      const isComing = other.step.kind === 'pending' || isActive(other);
      if (isComing) broken(`${turn.id} is touched before ${other.id}, an extra one, works`);
      if (other.step.kind === 'serving' && (seat === undefined || !isThere(seat)))
        broken(`${turn.id} is touched while ${other.id}, an extra one, does not work`);
    }
    const tooSoonMs = (this.#holds.get(id) ?? 0) - this.#agenda.now;
    if (tooSoonMs > 0) broken(`${turn.id} is touched ${tooSoonMs} ms too soon after a kill`);
    for (const [by, dying] of this.#dying.values()) {
      if (by !== id || turnOf(rollout, dying)?.step.kind !== 'draining') continue;
      broken(`${turn.id} is touched while ${dying}, which was killed, is not gone`);
    }
  }

  /** After each step in which it has changed. */
  check(rollout: Rollout, last: Rollout | undefined): void {
    if (rollout.after !== null) this.#ahead.set(rollout.id, rollout.after);
    this.#holdMs.set(rollout.id, rollout.target.rollout.afterKillHoldMs);
    this.#stopped(rollout);
    for (const turn of rollout.turns) {
      const was = turnOf(last, turn.id);
      if (was === undefined || was.step.kind === turn.step.kind) continue;
      if (isActive(turn) && was.step.kind === 'pending') this.#inOrder(rollout);
      if (turn.step.kind === 'leaving' && was.step.kind === 'serving') this.#leaves(rollout, turn);
    }
  }

  /** Somebody has stopped one meanwhile: its end is no matter of the rollout any more. */
  #stopped(rollout: Rollout): void {
    for (const [run, [by, id]] of this.#dying) {
      if (by === rollout.id && turnOf(rollout, id)?.step.kind !== 'draining') this.#dying.delete(run);
    }
  }

  #inOrder({ id, reverting }: Rollout): void {
    const ahead = this.#inTheEnd(this.#ahead.get(id));
    if (ahead === undefined || reverting !== null) return;
    if (ahead.state !== 'succeeded')
      broken(`rollout ${id} begins, and ${ahead.id} before it is ${ahead.state}`);
  }

  /** That rollout, or the one that has taken its place. */
  #inTheEnd(id: RolloutId | undefined): Rollout | undefined {
    const rollout = id === undefined ? undefined : this.#fleet.rollouts.get(id);
    const by = /^replaced by rollout (\d+)$/.exec(rollout?.reason ?? '')?.[1];
    return by === undefined ? rollout : this.#inTheEnd(rolloutId(Number(by)));
  }

  #leaves(rollout: Rollout, { id }: Turn): void {
    const isLast = ordinary(rollout).every(
      ({ step }) => step.kind === 'done' || step.kind === 'skipped' || step.kind === 'failed',
    );
    if (!isLast && rollout.reverting === null && !isOver(rollout))
      broken(`${id}, an extra one, leaves before all have had their turns`);
  }

  /** It is done, or serves: has the user's own check said yes to this very run? */
  judged(rollout: Rollout, { id, step }: Turn): void {
    if (rollout.target.rollout.check === null || rollout.reverting !== null) return;
    const run = 'newRun' in step ? step.newRun : null;
    if (!this.#passed.has(`${rollout.id} ${id} ${run}`))
      broken(`${id} is ${step.kind}, and nobody has judged it`);
  }
}

export const turnOf = (rollout: Rollout | undefined, id: InstanceId): Turn | undefined =>
  rollout?.turns.find((turn) => turn.id === id);
