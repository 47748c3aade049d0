/** The user's own checks of the turns of rollouts that are being asked. Each is answered once, unless nobody wants that any more. */
import type { RolloutId } from '../base/ids.ts';
import type { FleetEffect } from '../core/fleet/effect.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Checks } from '../ports/checks.ts';
import type { CommandResult } from '../ports/processes.ts';
import { asker } from './asking.ts';
import type { Surroundings } from './spawn-request.ts';

type Judge = Extract<FleetEffect, { type: 'judge' }>;

interface JudgeParts {
  readonly checks: Checks;
  readonly surroundings: Surroundings;
  judged(rollout: RolloutId, attempt: number, result: CommandResult): void;
}

export class Judges {
  readonly #parts: JudgeParts;
  /** What cancels each, by rollout and attempt. */
  readonly #cancels = new Map<string, () => void>();

  constructor(parts: JudgeParts) {
    this.#parts = parts;
  }

  /** Those that are being asked. */
  get size(): number {
    return this.#cancels.size;
  }

  begin({ rollout: id, attempt, plan, life, instance }: Judge, rollout: Rollout | undefined): void {
    this.end(id, attempt);
    const { check, timeoutMs } = plan;
    const more = rollout === undefined ? {} : variables(rollout, instance.id);
    const ask = asker(instance, life, { check, timeoutMs, purpose: 'rollout', more }, this.#parts);
    const key = keyOf(id, attempt);
    // Never within the call: an answer is an event of its own.
    const cancel = ask((result) => {
      if (!this.#cancels.delete(key)) return;
      this.#parts.judged(id, attempt, result);
    });
    this.#cancels.set(key, cancel);
  }

  end(rollout: RolloutId, attempt: number): void {
    const key = keyOf(rollout, attempt);
    const cancel = this.#cancels.get(key);
    this.#cancels.delete(key);
    cancel?.();
  }

  /** For good: what is being asked is ended, and nobody is told. */
  close(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }
}

const keyOf = (rollout: RolloutId, attempt: number): string => `${rollout}/${attempt}`;

function variables({ id, turns }: Rollout, instance: string): Readonly<Record<string, string>> {
  const turn = turns.find((one) => one.id === instance);
  const done = turns.filter(({ extra, step }) => !extra && step.kind === 'done').length;
  return {
    TSUP_VISOR_ROLLOUT: String(id),
    // With this one, which is about to be; an extra instance is not counted.
    TSUP_VISOR_TURN: String(done + (turn?.extra === true ? 0 : 1)),
    TSUP_VISOR_FROM_REVISION: turn?.before.program.revision ?? '',
  };
}
