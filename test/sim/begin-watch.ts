/** What must hold when a run begins: it is wanted, its time has come, what it needs is there, its slot is free. */
import type { InstanceId, ProgramName, Run } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import { type Fleet, rolloutUnderWay } from '../../src/core/fleet/fleet.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import type { Phase } from '../../src/core/instance/phase.ts';
import type { DependencyCondition } from '../../src/core/plan.ts';
import { isActive, isLate, type Turn } from '../../src/core/rollout/rollout.ts';
import { broken } from './broken.ts';
import type { System } from './system.ts';

export class BeginWatch {
  readonly #fleet: Fleet;
  readonly #system: System;
  /** Whose time has come, and who has not run since. */
  readonly #tickets = new Set<InstanceId>();
  readonly #prepared = new Set<Run>();
  /** Who had its turn in a rolling restart when the event came. */
  readonly #turning = new Set<InstanceId>();

  constructor(fleet: Fleet, system: System) {
    this.#fleet = fleet;
    this.#system = system;
  }

  /** A daemon that dies takes with it who was about to begin. */
  raised(): void {
    this.#prepared.clear();
    this.#turning.clear();
  }

  /** `before`: the instances as they were when the event came. */
  effect(effect: FleetEffect, event: FleetEvent, before: ReadonlyMap<InstanceId, Instance>): void {
    const prepares = effect.type === 'hook' && effect.hook === 'pre_start';
    if (!prepares && effect.type !== 'spawn') return;
    const { instance, life } = effect;
    if (this.#system.livingOf(instance.id) > 0) {
      broken(`${instance.id} is spawned while something of an earlier run lives`);
    }
    if (this.#fleet.mode.kind !== 'running') broken(`${instance.id} is spawned while the fleet goes down`);
    if (instance.wish.want === 'down') broken(`${instance.id} is spawned, and nobody wants it`);
    const refused =
      event.type === 'hooked' && event.hook === 'pre_start' && event.run === life.run && !event.ok;
    if (refused && life.program.hooks.pre_start?.onFailure === 'fail') {
      broken(`${instance.id} is spawned, and its pre_start hook has failed`);
    }
    if (prepares) this.#prepared.add(life.run);
    else if (this.#prepared.delete(life.run)) return;
    else if (life.program.hooks.pre_start !== null) broken(`${instance.id} is spawned without its pre_start`);
    this.#begun(instance, event, before);
  }

  #begun(instance: Instance, event: FleetEvent, before: ReadonlyMap<InstanceId, Instance>): void {
    // What it needs may be touched later in the step; but what is restarted together is restarted in order.
    const works =
      event.type === 'restart' ? isWell : (seat: Instance) => isWell(seat) || wasWell(before.get(seat.id));
    const missing = unmet(this.#fleet, instance, this.#wasTurning, works);
    if (missing !== null) broken(`${instance.id} begins, and ${missing} is not as it needs it`);
    if (instance.program.schedule === null) return;
    const isTime = event.type === 'scheduled' && event.program === instance.program.name;
    const was = before.get(instance.id);
    const again = was !== undefined && mayTryAgain(was.phase);
    if (!isTime && !again && !this.#tickets.has(instance.id)) broken(`${instance.id} begins before its time`);
    if (!instance.queued) this.#tickets.delete(instance.id);
  }

  /** After the step: who is free to begin, and waits for something else, or for the end of its run. */
  check(event: FleetEvent, before: ReadonlyMap<InstanceId, Instance>): void {
    for (const [id, instance] of this.#fleet.instances) {
      const was = before.get(id);
      if (was === instance) continue;
      const isTime = event.type === 'scheduled' && event.program === instance.program.name;
      const mayBegin = isTime || (was !== undefined && mayTryAgain(was.phase));
      if (mayBegin && (instance.queued || waitsFor(instance.phase) === 'dependency')) this.#tickets.add(id);
    }
    this.#turning.clear();
    for (const { turns } of this.#fleet.rollouts.values()) {
      for (const turn of turns) if (isActive(turn) || isLate(turn)) this.#turning.add(turn.id);
    }
  }

  /** A turn may begin and end, or fail, later within the step. */
  readonly #wasTurning: Excuse = (turn, { id, phase }) =>
    isActive(turn) ||
    isLate(turn) ||
    this.#turning.has(id) ||
    (turn.step.kind === 'failed' && turn.step.tookMs === 0) ||
    (turn.step.kind === 'done' && waitsFor(phase) === 'schedule');
}

const mayTryAgain = (phase: Phase): boolean =>
  phase.kind === 'backoff' || ('ending' in phase && phase.ending.cause !== 'planned');

const waitsFor = (phase: Phase): string | null => (phase.kind === 'waiting' ? phase.what.kind : null);

/** The first of what it needs that is not as it needs it; null: nothing is missing. */
export function unmet(
  fleet: Fleet,
  { program }: Pick<Instance, 'program'>,
  isExcused = isTurning,
  works = isWell,
): ProgramName | null {
  for (const [name, condition] of Object.entries(program.dependsOn)) {
    const on = name as ProgramName; // the keys of dependsOn are names
    if (!isMet(fleet, on, condition, isExcused, works)) return on;
  }
  return null;
}

/** Whether this turn of a rolling restart excuses that its instance is away. */
type Excuse = (turn: Turn, seat: Instance) => boolean;

export function isMet(
  fleet: Fleet,
  on: ProgramName,
  condition: DependencyCondition,
  isExcused: Excuse = isTurning,
  works = isWell,
): boolean {
  const seats = [...fleet.instances.values()].filter(
    ({ program, leaving }) => program.name === on && !leaving,
  );
  const wanted = seats.filter(({ wish }) => wish.want === 'up');
  if (wanted.length === 0) return false;
  if (condition === 'completed') return wanted.every(({ phase }) => phase.kind === 'exited');
  const turns = rolloutUnderWay(fleet, on)?.turns ?? [];
  const excused = (seat: Instance): boolean =>
    turns.some((turn) => turn.id === seat.id && isExcused(turn, seat)) && wanted.some(works);
  if (condition === 'ready') return wanted.every((seat) => works(seat) || excused(seat));
  return wanted.every((seat) => isAlive(seat.phase) || works(seat) || excused(seat));
}

const isTurning: Excuse = (turn) => isActive(turn) || isLate(turn);

/** It has a process, and nobody has asked that to end; or it has run to its end. */
const isAlive = ({ kind }: Phase): boolean => kind === 'starting' || kind === 'running' || kind === 'exited';

export const isWell = ({ phase }: Instance): boolean => phase.kind === 'running' && phase.health.ok !== false;

export const wasWell = (seat: Instance | undefined): boolean => seat !== undefined && isWell(seat);

/** It works, or has nothing to do. */
export const isThere = (seat: Instance): boolean =>
  isWell(seat) ||
  seat.phase.kind === 'exited' ||
  (seat.phase.kind === 'waiting' && seat.phase.what.kind === 'schedule');
