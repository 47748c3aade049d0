/** What happened last in a world, for whoever has to find out why a rule was broken. */
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { Fleet } from '../../src/core/fleet/fleet.ts';

const KEPT = Number(process.env.SIM_STORY ?? 60);

export class Story {
  readonly #told: (readonly [at: number, mark: string, what: FleetEvent | FleetEffect | null])[] = [];

  /** `>`: taken. `<`: done. `†` and `*`: a daemon dies, another begins. */
  tell(at: number, mark: string, what: FleetEvent | FleetEffect | null): void {
    this.#told.push([at, mark, what]);
    if (this.#told.length > 2 * KEPT) this.#told.splice(0, KEPT);
  }

  /** In the words of people: that takes its time, and is seldom asked for. */
  text(): string {
    const lines = this.#told.slice(-KEPT);
    return lines.map(([at, mark, what]) => `${at} ${mark} ${what === null ? '' : brief(what)}`).join('\n');
  }
}

/** Everybody in short. */
export function stateOf(fleet: Fleet): string {
  const words = [...fleet.instances.values()].map(({ id, phase, wish, leaving, program }) => {
    const what = phase.kind === 'waiting' ? ` for ${JSON.stringify(phase.what)}` : '';
    const needs = JSON.stringify(program.dependsOn);
    return `${id} ${phase.kind}${what} ${wish.want} (${wish.because})${leaving ? ', leaving' : ''} ${needs}`;
  });
  const rollouts = [...fleet.rollouts.values()].map(({ id, program, state, reason, turns }) => {
    const steps = turns.map((turn) => `${turn.id} ${turn.step.kind}`).join(', ');
    return `rollout ${id} of ${program} ${state} (${reason}): ${steps}`;
  });
  return [...words, ...rollouts].join('; ');
}

function brief(what: FleetEvent | FleetEffect): string {
  const { type, ...rest } = what;
  return `${type} ${JSON.stringify(rest, (key, value) => (key === 'instance' ? value.id : key === 'program' && typeof value === 'object' ? value.name : HIDDEN.has(key) ? undefined : value))}`;
}

const HIDDEN = new Set(['programs', 'startedAt', 'plan']);
