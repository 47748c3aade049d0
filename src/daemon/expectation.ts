/** When a rollout is over, if its turns take as long as those seen so far: of this one first, else of the last ones of its program. */
import { after, type Moment, type Mono } from '../base/clock.ts';
import type { ProgramPlan } from '../core/plan.ts';
import { isActive, isOver, type Rollout, type Turn } from '../core/rollout/rollout.ts';
import type { RolloutStatus } from '../protocol/status.ts';

/** How long a turn takes, in milliseconds. */
export interface Pace {
  /** Until the old run is gone. */
  readonly drainMs: number;
  /** From there until the turn is over. */
  readonly restMs: number;
  /** From so many turns. */
  readonly from: number;
}

interface Seen {
  readonly drainMs: number | null;
  /** Of the whole turn; null: it is not over. */
  readonly tookMs: number | null;
}

/** Null: nothing is known. `past`: those of the program that are over, the newest last. */
export function paceOf(plan: ProgramPlan, own: readonly Turn[], past: readonly RolloutStatus[]): Pace | null {
  const seen = own.map(seenOf);
  if (seen.some(({ tookMs }) => tookMs !== null)) return pace(plan, seen);
  return pace(plan, seenLast(past)) ?? pace(plan, seen);
}

function seenOf({ extra, step }: Turn): Seen {
  if (extra) return { drainMs: null, tookMs: null };
  const drainMs = 'drainMs' in step ? step.drainMs : null;
  return { drainMs, tookMs: step.kind === 'done' ? step.tookMs : null };
}

/** Turns of the last rollout that has any which was done. */
function seenLast(past: readonly RolloutStatus[]): Seen[] {
  for (const { turns } of past.toReversed()) {
    const done = turns.filter(({ step, extra }) => step === 'done' && !extra);
    if (done.length > 0) return done.map((turn) => ({ drainMs: turn.drain_ms, tookMs: turn.elapsed_ms }));
  }
  return [];
}

function pace({ rollout }: ProgramPlan, seen: readonly Seen[]): Pace | null {
  const drains = seen.flatMap(({ drainMs }) => drainMs ?? []);
  const rests = seen.flatMap(({ drainMs, tookMs }) => (tookMs === null ? [] : [tookMs - (drainMs ?? 0)]));
  const from = Math.max(drains.length, rests.length);
  if (from === 0) return null;
  return { drainMs: median(drains) ?? 0, restMs: median(rests) ?? rollout.minHealthyTimeMs, from };
}

export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return null;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? null;
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Null: it is over, does not go on by itself, or nothing is known. `begins`: when the one ahead of it is over. */
export function expectedEnd(
  rollout: Rollout,
  past: readonly RolloutStatus[],
  begins: Mono | null,
  now: Moment,
): Mono | null {
  if (isOver(rollout) || rollout.state === 'paused' || begins === null) return null;
  const own = paceOf(rollout.target, rollout.turns, past);
  const held = holdMs(rollout, now);
  if (own === null || held === null) return null;
  const from = Math.max(begins, rollout.notBefore?.at ?? now.mono, now.mono);
  return after(
    after(now.mono, from - now.mono),
    turnsMs(rollout, own, now) + extrasMs(rollout.turns, own) + held,
  );
}

/** What is still to be held for; null: until somebody promotes it. */
function holdMs({ canary, target, turns }: Rollout, now: Moment): number | null {
  if (canary.kind === 'held') return canary.until === null ? null : Math.max(0, canary.until - now.mono);
  const isFirst = canary.kind === 'first' && canary.count < turns.filter(({ extra }) => !extra).length;
  return isFirst ? target.rollout.canaryHoldMs : 0;
}

/** Each turn that is to come begins as soon as one of those under way is over. */
function turnsMs({ turns, maxParallel }: Rollout, own: Pace, now: Moment): number {
  const active = turns.filter((turn) => isActive(turn) && !turn.extra);
  const pending = turns.filter(({ step, extra }) => step.kind === 'pending' && !extra);
  const busyMs = active.map((turn) => remainingMs(turn, own, now));
  return inTurnMs(pending.length, own, maxParallel, busyMs);
}

/** `busyMs`: how long each turn that is under way still takes. */
export function inTurnMs(
  count: number,
  { drainMs, restMs }: Pace,
  parallel: number,
  busyMs: readonly number[] = [],
): number {
  const lanes = [...busyMs];
  while (lanes.length < Math.min(parallel, count + busyMs.length)) lanes.push(0);
  for (let turn = 0; turn < count; turn++) {
    const free = lanes.indexOf(Math.min(...lanes));
    lanes[free] = (lanes[free] ?? 0) + drainMs + restMs;
  }
  return Math.max(0, ...lanes);
}

function remainingMs({ step }: Turn, { drainMs, restMs }: Pace, now: Moment): number {
  if (step.kind === 'draining') return Math.max(0, drainMs - (now.mono - step.since.mono)) + restMs;
  if (!('began' in step)) return 0;
  const begun = 'drainMs' in step ? now.mono - step.began.mono - (step.drainMs ?? 0) : 0;
  return Math.max(0, restMs - begun);
}

/** Extra instances come before all others, and go after them. */
function extrasMs(turns: readonly Turn[], { drainMs, restMs }: Pace): number {
  const extras = turns.filter(({ extra }) => extra);
  const isComing = extras.some((turn) => isActive(turn) || turn.step.kind === 'pending');
  const isGoing = extras.some(({ step }) => step.kind !== 'done' && step.kind !== 'skipped');
  return (isComing ? restMs : 0) + (isGoing ? drainMs : 0);
}
