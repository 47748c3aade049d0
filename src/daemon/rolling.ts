/** What a request for a rolling restart asks for beside the config. */
import type { Instance } from '../core/instance/instance.ts';
import type { MaxParallel, ProgramPlan } from '../core/plan.ts';
import { whyLeftOut } from '../core/rollout/turn.ts';
import type { PlannedRollout } from '../protocol/status.ts';

/** How many may be away at once: as asked for, else as configured; a share is rounded down, but one always may. */
export function resolveParallel(asked: string | undefined, program: ProgramPlan, instances: number): number {
  const plan = asked === undefined ? program.rollout.maxParallel : parseParallel(asked);
  if (plan.kind === 'count') return plan.count;
  return Math.max(1, Math.floor((plan.percent / 100) * instances));
}

const parseParallel = (text: string): MaxParallel =>
  text.endsWith('%')
    ? { kind: 'percent', percent: Number(text.slice(0, -1)) }
    : { kind: 'count', count: Number(text) };

/** What it would do, in which order. */
export function dryRun(program: ProgramPlan, seats: readonly Instance[]): PlannedRollout {
  return {
    id: null,
    program: program.name,
    state: 'running',
    done: 0,
    total: seats.length,
    current: [],
    reason: null,
    blocker: null,
    started_at: null,
    ended_at: null,
    revision: program.revision,
    turns: seats.map((seat) => {
      const why = whyLeftOut(seat, program);
      const turn = { instance: seat.id, elapsed_ms: null };
      return why === null ? { ...turn, step: 'pending' } : { ...turn, step: 'skipped', why };
    }),
  };
}
