/** The fleet as the wire shows it. Nothing is decided here, only told. */
import { dateOf, type Moment, type Mono, type Wall } from '../base/clock.ts';
import type { InstanceId } from '../base/ids.ts';
import { reasonOf } from '../core/fleet/step.ts';
import type { ExitRecord, Instance } from '../core/instance/instance.ts';
import { bodyOf, lifeOf, type Phase } from '../core/instance/phase.ts';
import type { Usage } from '../ports/processes.ts';
import type { DrainStatus, InstanceState, InstanceStatus, LastExit } from '../protocol/status.ts';
import { type Lack, messageOf } from './message.ts';

const STATES: Record<Phase['kind'], InstanceState> = {
  stopped: 'stopped',
  waiting: 'waiting',
  preparing: 'starting',
  spawning: 'starting',
  starting: 'starting',
  running: 'running',
  draining: 'draining',
  stopping: 'stopping',
  sweeping: 'stopping',
  killing: 'stopping',
  cleaning: 'stopping',
  backoff: 'backoff',
  exited: 'exited',
  failed: 'failed',
};

export const stateOf = (instance: Instance): InstanceState => STATES[instance.phase.kind];

/** `nextRun`: of a program with a schedule, when it is due. `heldBy`: who has to end before it is stopped. `lack`: what it works without. */
export function describeInstance(
  instance: Instance,
  now: Moment,
  usage: Usage | undefined,
  nextRun: Wall | null = null,
  heldBy: InstanceId | null = null,
  lack: Lack | null = null,
): InstanceStatus {
  const { phase } = instance;
  const life = lifeOf(phase);
  const body = bodyOf(phase);
  const ready = body !== null && body.readyAt !== null;
  return {
    id: instance.id,
    program: instance.program.name,
    index: instance.index,
    state: stateOf(instance),
    wanted: instance.wish.want,
    because: reasonOf(instance),
    pid: body?.pid ?? null,
    run: instance.lastRun,
    ready,
    healthy: ready && !isUnwell(phase),
    uptime_ms: life === null ? null : Math.round(now.mono - life.startedAt.mono),
    restarts: instance.restarts,
    revision: life?.program.revision ?? instance.program.revision,
    generation: life?.generation ?? instance.generation,
    message: messageOf(instance, now, nextRun, heldBy, lack),
    processes: usage?.processes ?? null,
    cpu_percent: usage === undefined ? null : Math.round(usage.cpuPercent * 10) / 10,
    memory_bytes: usage?.memoryBytes ?? null,
    in_flight: body?.said.inFlight ?? null,
    drain: phase.kind === 'draining' ? describeDrain(phase, now) : null,
    waits_for: phase.kind === 'waiting' && phase.what.kind === 'dependency' ? phase.what.on : null,
    next_run: nextRun === null || !comesAgain(instance) ? null : dateText(nextRun),
    retry_at: phase.kind === 'backoff' ? date(phase.until, now) : null,
    last_exit: instance.lastExit === null ? null : lastExit(instance.lastExit),
  };
}

export function lastExit(record: ExitRecord): LastExit {
  const { exit } = record;
  return {
    code: exit.kind === 'code' ? exit.code : null,
    signal: exit.kind === 'signal' ? exit.signal : null,
    at: new Date(record.at).toISOString(),
    because: record.because,
    drained: record.drained,
    killed: record.killed,
    oom: exit.kind === 'signal' && exit.oom === true,
  };
}

function describeDrain(phase: Extract<Phase, { kind: 'draining' }>, now: Moment): DrainStatus {
  const { since } = phase.ending;
  return {
    since: new Date(since.wall).toISOString(),
    elapsed_ms: Math.round(now.mono - since.mono),
    deadline: phase.deadline === null ? null : date(phase.deadline, now),
    in_flight: phase.body.said.inFlight,
  };
}

/** The last moment that a calendar date can have: a deadline may be set later than that. */
const LAST_DATE_MS = 8.64e15;

export const dateText = (at: Wall): string => new Date(Math.min(at, LAST_DATE_MS)).toISOString();

export const date = (at: Mono, now: Moment): string => dateText(dateOf(at, now));

/** One that is there for a single run, or not wanted, does not run at the next time. */
const comesAgain = ({ wish, leaving }: Instance): boolean => wish.want === 'up' && !leaving;

/** Its checks say so, or said so when it was told to end. */
function isUnwell(phase: Phase): boolean {
  if (phase.kind === 'running') return phase.health.ok === false;
  return 'ending' in phase && (phase.ending.because === 'unhealthy' || phase.ending.because === 'watchdog');
}
