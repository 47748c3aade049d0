/** Where a turn that has failed goes on when the rollout is resumed. */
import { type Moment, mono, wall } from '../../base/clock.ts';
import type { Instance } from '../instance/instance.ts';
import { lifeOf, type Phase } from '../instance/phase.ts';
import type { Rollout, Turn } from './rollout.ts';
import { startingStep } from './turn.ts';

/** A replacement that has recovered by itself, or is about to, is not replaced once more. */
export function again(step: Failed, rollout: Rollout, seat: Instance | undefined, now: Moment): Turn['step'] {
  const life = seat === undefined ? null : lifeOf(seat.phase);
  if (!isComingUp(seat?.phase) || life?.generation !== rollout.generation) return { kind: 'pending' };
  const { tookMs, drainMs } = step;
  const began = { mono: mono(now.mono - tookMs), wall: wall(now.wall - tookMs) };
  return startingStep(rollout, { newRun: life.run, began, drainMs }, now);
}

type Failed = Extract<Turn['step'], { kind: 'failed' }>;

const isComingUp = (phase: Phase | undefined): boolean =>
  phase?.kind === 'spawning' || phase?.kind === 'preparing'
    ? phase.end === null
    : phase?.kind === 'starting' || phase?.kind === 'running';
