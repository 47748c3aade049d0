/** What a request for a rolling restart asks for, in numbers; and what it would do. */
import type { InstanceId } from '../base/ids.ts';
import { takesExtras } from '../core/fleet/begin-rollout.ts';
import { stayingOf } from '../core/fleet/fleet.ts';
import type { Instance } from '../core/instance/instance.ts';
import { lifeOf } from '../core/instance/phase.ts';
import type { ProgramPlan, Share } from '../core/plan.ts';
import { inOrder } from '../core/rollout/order.ts';
import { whyLeftOut } from '../core/rollout/turn.ts';
import type { PlannedRollout, RolloutStatus, TurnStatus } from '../protocol/status.ts';
import type { ApiParts } from './api-parts.ts';
import { mostOf } from './describe-rollout.ts';
import { inTurnMs, type Pace, paceOf } from './expectation.ts';

/** A rolling restart of one program. */
export interface Roll {
  readonly program: ProgramPlan;
  /** In the order in which they would come now. */
  readonly seats: readonly Instance[];
  readonly maxParallel: number;
  readonly surge: number;
  readonly canary: number;
}

/** As asked for on the wire, in the place of what is configured. */
export interface Asked {
  readonly max_parallel?: string | undefined;
  readonly canary?: string | undefined;
}

/** Of these instances; those of other programs among them are left out. */
export function rollOf(
  { fleet }: ApiParts,
  program: ProgramPlan,
  ids: readonly InstanceId[],
  asked: Asked = {},
): Roll {
  const all = stayingOf(fleet, program.name);
  const { maxParallel, maxSurge, canary, order } = program.rollout;
  const chosen = new Set(ids);
  const seats = inOrder(
    all.filter(({ id }) => chosen.has(id)),
    order,
  );
  const parallel = countOf(asked.max_parallel ?? maxParallel, all.length, Math.floor);
  const first = countOf(asked.canary ?? canary, all.length, Math.ceil);
  return {
    program,
    seats,
    maxParallel: Math.max(1, parallel), // one always may
    surge: takesExtras(program) ? countOf(maxSurge, all.length, Math.ceil) : 0,
    canary: first < seats.length ? first : 0, // with nothing after it there is nothing to hold
  };
}

/** Of a share, `round` decides; a text is as on the wire. */
function countOf(share: Share | string, of: number, round: (count: number) => number): number {
  if (typeof share === 'string') return countOf(shareIn(share), of, round);
  return share.kind === 'count' ? share.count : round((share.percent * of) / 100);
}

const shareIn = (text: string): Share =>
  text.endsWith('%')
    ? { kind: 'percent', percent: Number(text.slice(0, -1)) }
    : { kind: 'count', count: Number(text) };

/** Whether an instance has one of these numbers: `0-3`, `0,2,5-7`. */
export function numberFilter(text: string): (index: number) => boolean {
  const ranges = text.split(',').map((part) => {
    const [from, to = from] = part.split('-').map(Number);
    return { from: from ?? 0, to: to ?? 0 };
  });
  return (index) => ranges.some(({ from, to }) => index >= from && index <= to);
}

/** What it would do, in which order, and how long that would take. `past`: the program's rollouts that are over. */
export function dryRun(
  roll: Roll,
  cause: RolloutStatus['cause'],
  past: readonly RolloutStatus[],
): PlannedRollout {
  const { program, seats, maxParallel, surge, canary } = roll;
  const turns = seats.map((seat) => plannedTurn(seat, program));
  const pace = paceOf(program, [], past);
  const count = turns.filter(({ step }) => step === 'pending').length;
  return {
    id: null,
    program: program.name,
    state: 'running',
    done: 0,
    total: seats.length,
    failures: 0,
    current: [],
    reason: null,
    blocker: null,
    max_parallel: maxParallel,
    canary:
      canary === 0
        ? null
        : { count: canary, state: 'first', until: null, hold_ms: program.rollout.canaryHoldMs },
    after: null,
    reverting: null,
    reverted_revision: null,
    drains_ms: [],
    killed: [],
    cause,
    started_at: null,
    ended_at: null,
    expected_end: null,
    revision: program.revision,
    from_revision: mostOf(seats.map(planOf).map(({ revision }) => revision)),
    turns,
    surge,
    expected_ms: pace === null ? null : Math.round(lengthOf(roll, count, pace)),
    expected_from: pace?.from ?? 0,
  };
}

/** Of its run, or else of its next one. */
const planOf = ({ phase, program }: Instance): ProgramPlan => lifeOf(phase)?.program ?? program;

function plannedTurn(seat: Instance, program: ProgramPlan): TurnStatus {
  const why = whyLeftOut(seat, program);
  const turn = { instance: seat.id, extra: false, elapsed_ms: null, drain_ms: null, deadline: null };
  return why === null ? { ...turn, step: 'pending' } : { ...turn, step: 'skipped', why };
}

function lengthOf({ program, maxParallel, surge, canary }: Roll, turns: number, pace: Pace): number {
  const first = Math.min(canary, turns);
  const rest = turns - first;
  const hold = first > 0 && rest > 0 ? (program.rollout.canaryHoldMs ?? 0) : 0;
  const extras = surge > 0 ? pace.restMs + pace.drainMs : 0;
  return inTurnMs(first, pace, maxParallel) + hold + inTurnMs(rest, pace, maxParallel) + extras;
}
