/** What says that a replacement has not worked out, and in which words. */
import { formatDuration } from '../../base/duration.ts';
import { describeExit } from '../../base/exit-status.ts';
import type { Instance } from '../instance/instance.ts';
import { bodyOf, type Ending, lifeOf, type Phase } from '../instance/phase.ts';
import { isFinal } from '../instance/settle.ts';
import type { Rollout, TurnStep } from './rollout.ts';

type Ended = Extract<Phase, { ending: Ending }>;
type Coming = Extract<TurnStep, { kind: 'starting' | 'settling' | 'checking' }>;

/** In one sentence without its name; null: nothing speaks against it. */
export function faultOf(step: Coming, seat: Instance, rollout: Rollout, isLate: boolean): string | null {
  const { phase } = seat;
  if (phase.kind === 'backoff' || phase.kind === 'failed') return phase.why;
  if (phase.kind === 'waiting') return 'ended before it was healthy';
  if (phase.kind === 'running' && phase.health.ok === false) return `is unhealthy: ${phase.health.why}`;
  if ('ending' in phase && !isFinishing(phase)) return whyEnding(phase);
  if (seat.lastRun !== step.newRun) return 'ended before it was healthy';
  if (!isLate) return null;
  return `was not healthy within ${formatDuration(rollout.target.rollout.healthyDeadlineMs ?? 0)}`;
}

function isFinishing(phase: Ended): boolean {
  const { ending } = phase;
  const life = lifeOf(phase);
  return life !== null && ending.cause === 'own' && ending.exit !== null && isFinal(life, ending.exit);
}

/** Of one that has ended by itself, how: that is what whoever has to mend it looks for first. */
function whyEnding(phase: Ended): string {
  const { cause, why, exit, since } = phase.ending;
  if (why !== undefined) return why;
  if (cause === 'planned') return 'was asked to end before it was healthy';
  if (cause === 'fault' || exit === null) return 'was not ready in time';
  const lived = since.mono - (lifeOf(phase)?.startedAt.mono ?? since.mono);
  const missed = bodyOf(phase)?.readyAt ? 'healthy' : 'ready';
  return `${describeExit(exit)} after ${formatDuration(lived)}, before it was ${missed}`;
}

/** It was done, and was given up since or crashes again and again: a build that works for a while does not work. */
export function relapseOf(seat: Instance, rollout: Rollout): string | null {
  const { phase, failures, generation, lastExit } = seat;
  if (generation !== rollout.generation) return null;
  if (phase.kind === 'failed') return phase.why;
  if (failures < RELAPSES || phase.kind === 'running' || 'ending' in phase) return null;
  if (phase.kind === 'backoff') return phase.why;
  // Without a backoff it is begun anew at once.
  return lastExit === null
    ? null
    : `${describeExit(lastExit.exit)} after ${formatDuration(lastExit.livedMs)}`;
}

/** Once may be chance: the rollout waits until it has worked for as long as makes a good stretch. */
const RELAPSES = 2;
