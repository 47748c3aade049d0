/** The plan of a rehearsal: one extra instance of one program, in folders of its own, and nothing else of the fleet. */
import { type InstanceId, instanceId } from '../base/ids.ts';
import type { BackoffPlan, Plan, ProgramPlan } from '../core/plan.ts';

export type Folders = Pick<Plan, 'runDir' | 'stateDir' | 'logDir'>;

/** So that a program can choose a test queue. */
export const REHEARSAL_VARIABLE = 'TSUP_VISOR_REHEARSAL';

/** The first number that the config does not use: what is kept apart by number stays apart. */
export const rehearsedInstance = ({ name, instances }: ProgramPlan): InstanceId =>
  instanceId(name, instances);

/** `drainLimitMs`: waits no longer for a drain, whatever the config says; null: as long as that says. */
export function reduce(
  plan: Plan,
  program: ProgramPlan,
  folders: Folders,
  drainLimitMs: number | null = null,
): Plan {
  return {
    ...plan,
    ...folders,
    shutdownTimeoutMs: null,
    groups: {},
    programs: [rehearsed(program, drainLimitMs)],
  };
}

/** What would begin another run, or keep this one from being begun, is left out; how a run is begun and ended is not. */
function rehearsed(program: ProgramPlan, drainLimitMs: number | null): ProgramPlan {
  return {
    ...program,
    // Only the last of them is started.
    instances: program.instances + 1,
    autostart: false,
    environment: { ...program.environment, [REHEARSAL_VARIABLE]: '1' },
    dependsOn: {},
    schedule: null,
    restart: 'never',
    backoff: ONE_TRY,
    maxAgeMs: null,
    maxMemory: null,
    essential: false,
    health: program.health === null ? null : { ...program.health, action: 'none' },
    drain: { ...program.drain, timeoutMs: lesser(program.drain.timeoutMs, drainLimitMs) },
    // The files of the others are not to hold what this one writes.
    logs: { ...program.logs, stdout: { kind: 'default' }, stderr: 'merge' },
  };
}

const ONE_TRY: BackoffPlan = {
  initialMs: 0,
  factor: 1,
  maxMs: 0,
  jitter: 0,
  resetAfterMs: 0,
  giveUpAfter: 1,
};

/** Null is no limit. */
export const lesser = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);
