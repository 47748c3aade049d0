/** What must hold when several are stopped at once: nobody is signalled while one that depends on it still has a process. */
import type { InstanceId, Run } from '../../src/base/ids.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { Fleet } from '../../src/core/fleet/fleet.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import { lifeOf, type Phase } from '../../src/core/instance/phase.ts';
import { broken } from './broken.ts';
import type { System } from './system.ts';

/** Those that are stopped together, each with the run that it had. */
type Request = Map<InstanceId, Run>;

export class OrderWatch {
  readonly #fleet: Fleet;
  readonly #system: System;
  readonly #requests = new Map<InstanceId, Request>();

  constructor(fleet: Fleet, system: System) {
    this.#fleet = fleet;
    this.#system = system;
  }

  /** Before core sees it. */
  event(event: FleetEvent): void {
    switch (event.type) {
      case 'stop':
        this.together(event.ids, event.how === 'kill');
        break;
      case 'shutdown':
        this.together([...this.#fleet.instances.keys()], event.how === 'kill');
        break;
      case 'start':
      case 'restart':
        for (const request of this.#requests.values()) for (const id of event.ids) request.delete(id);
        break;
      case 'due':
        if (event.timer.of === 'shutdown') this.#requests.clear(); // it has taken too long: no order any more
        break;
      default:
        break;
    }
  }

  /** What was asked of the daemon that died, the next one begins anew. */
  raised(): void {
    this.#requests.clear();
  }

  /** Its leader is asked or told to end, by core. */
  signalled(run: Run, instance: Instance): void {
    const { phase } = instance;
    const request = this.#requests.get(instance.id);
    if (request?.get(instance.id) !== run || !('ending' in phase)) return;
    if (!ASKED_FOR.has(phase.ending.because) || phase.ending.cause === 'own') return; // it ends on its own account
    const { name } = instance.program;
    for (const [id, other] of request) {
      const needs = this.#fleet.instances.get(id)?.program.dependsOn ?? {};
      if (name in needs && this.#system.livingIn(other) > 0) {
        broken(`${instance.id} is signalled while ${id}, which depends on it, still has a process`);
      }
    }
  }

  /** Whether it rightly waits: for one that depends on it and is on its way out as well. */
  waits({ program }: Instance): boolean {
    return [...this.#fleet.instances.values()].some(
      (other) => program.name in other.program.dependsOn && other.wish.want === 'down' && lifeOf(other.phase),
    );
  }

  together(ids: readonly InstanceId[], atOnce: boolean): void {
    const request: Request = new Map();
    for (const id of ids) {
      const instance = this.#fleet.instances.get(id);
      const run = instance === undefined ? undefined : lifeOf(instance.phase)?.run;
      this.#requests.delete(id);
      if (run === undefined || atOnce || instance === undefined || isGoing(instance.phase)) continue;
      request.set(id, run);
      this.#requests.set(id, request);
    }
  }
}

/** Its end has begun for another reason, and goes on as it would have. */
const isGoing = (phase: Phase): boolean => ('end' in phase && phase.end !== null) || 'ending' in phase;

const ASKED_FOR: ReadonlySet<string> = new Set(['operator', 'shutdown', 'reload']);
