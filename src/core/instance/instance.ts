/** One slot of a program: the wish, the fact, and what is remembered between its runs. */
import type { Wall } from '../../base/clock.ts';
import type { ExitStatus } from '../../base/exit-status.ts';
import type { InstanceId, Run } from '../../base/ids.ts';
import type { ProgramPlan } from '../plan.ts';
import type { Because } from './because.ts';
import type { Phase } from './phase.ts';

export interface Instance {
  readonly id: InstanceId;
  readonly index: number;
  readonly wish: Wish;
  readonly phase: Phase;
  /** What the next run is started with; the present run keeps the plan of its own start. */
  readonly program: ProgramPlan;
  readonly generation: number;
  /** Consecutive ones, since the last good stretch. */
  readonly failures: number;
  /** Runs after the first, but for those at the times of a schedule. */
  readonly restarts: number;
  readonly lastRun: Run | null;
  readonly lastExit: ExitRecord | null;
  /** It goes when it is at rest: the program was scaled down, or it was there for one run alone. */
  readonly leaving: boolean;
  /** Its time came while it still worked: it runs once more afterwards. */
  readonly queued: boolean;
}

export interface Wish {
  readonly want: 'up' | 'down';
  readonly because: Because;
}

export interface ExitRecord {
  readonly run: Run;
  readonly exit: ExitStatus;
  readonly at: Wall;
  readonly because: Because;
  readonly drained: boolean;
  readonly killed: boolean;
  /** How long the run had lived, in milliseconds. */
  readonly livedMs: number;
  /** Of one that did not drain: jobs that it had said to be under way. */
  readonly inFlight?: number;
  /** Of one that was killed: how long its end had taken by then and since, in milliseconds. */
  readonly endingMs?: number;
}

export function newInstance(id: InstanceId, index: number, program: ProgramPlan, wish: Wish): Instance {
  return {
    id,
    index,
    wish,
    phase: { kind: 'stopped' },
    program,
    generation: 0,
    failures: 0,
    restarts: 0,
    lastRun: null,
    lastExit: null,
    leaving: false,
    queued: false,
  };
}

/** Working, as far as anybody can tell: what a rollout counts on. */
export const isAvailable = ({ phase }: Instance): boolean =>
  phase.kind === 'running' && phase.health.ok !== false;

/** No process of it lives, and none will start by itself. */
export function isAtRest(instance: Instance): boolean {
  const { kind } = instance.phase;
  return kind === 'stopped' || kind === 'exited' || kind === 'failed';
}
