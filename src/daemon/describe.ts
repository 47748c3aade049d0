/** The fleet as the wire shows it. Nothing is decided here, only told. */
import { dateOf, type Moment, type Mono } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { reasonOf } from '../core/fleet/step.ts';
import type { ExitRecord, Instance } from '../core/instance/instance.ts';
import { bodyOf, lifeOf, type Phase } from '../core/instance/phase.ts';
import { isActive, type Rollout, type TurnStep } from '../core/rollout/rollout.ts';
import type { Usage } from '../ports/processes.ts';
import type {
  DrainStatus,
  InstanceState,
  InstanceStatus,
  LastExit,
  RolloutStatus,
  TurnStatus,
} from '../protocol/status.ts';

const STATES: Record<Phase['kind'], InstanceState> = {
  stopped: 'stopped',
  spawning: 'starting',
  starting: 'starting',
  running: 'running',
  draining: 'draining',
  stopping: 'stopping',
  sweeping: 'stopping',
  killing: 'stopping',
  backoff: 'backoff',
  exited: 'exited',
  failed: 'failed',
};

export const stateOf = (instance: Instance): InstanceState => STATES[instance.phase.kind];

export function describeInstance(instance: Instance, now: Moment, usage: Usage | undefined): InstanceStatus {
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
    healthy: ready,
    uptime_ms: life === null ? null : Math.round(now.mono - life.startedAt.mono),
    restarts: instance.restarts,
    revision: life?.program.revision ?? instance.program.revision,
    generation: life?.generation ?? instance.generation,
    message: messageOf(instance, now),
    processes: usage?.processes ?? null,
    cpu_percent: usage === undefined ? null : Math.round(usage.cpuPercent * 10) / 10,
    memory_bytes: usage?.memoryBytes ?? null,
    in_flight: body?.said.inFlight ?? null,
    drain: phase.kind === 'draining' ? describeDrain(phase, now) : null,
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
  };
}

export function describeRollout(rollout: Rollout, now: Moment): RolloutStatus {
  const { turns, endedAt } = rollout;
  return {
    id: rollout.id,
    program: rollout.program,
    state: rollout.state,
    done: turns.filter(({ step }) => step.kind === 'done').length,
    total: turns.length,
    current: turns.filter(isActive).map(({ id }) => id),
    reason: rollout.reason,
    started_at: new Date(rollout.startedAt.wall).toISOString(),
    ended_at: endedAt === null ? null : new Date(endedAt.wall).toISOString(),
    revision: rollout.target.revision,
    turns: turns.map(
      ({ id, step }): TurnStatus => ({
        instance: id,
        step: step.kind,
        elapsed_ms: elapsed(step, endedAt ?? now),
      }),
    ),
  };
}

/** A turn that was cut short by the end of its rollout has taken until then. */
function elapsed(step: TurnStep, until: Moment): number | null {
  if ('tookMs' in step) return Math.round(step.tookMs);
  return 'since' in step ? Math.max(0, Math.round(until.mono - step.since.mono)) : null;
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

const date = (at: Mono, now: Moment): string =>
  new Date(Math.min(dateOf(at, now), LAST_DATE_MS)).toISOString();

/** What it is doing: its own words while it works, ours when something is the matter. */
function messageOf(instance: Instance, now: Moment): string {
  const { phase } = instance;
  const said = bodyOf(phase)?.said.status ?? '';
  switch (phase.kind) {
    case 'stopped':
      return instance.wish.because === 'operator' ? 'stopped by the operator' : said;
    case 'starting':
      return said || startingMessage(phase, now);
    case 'draining':
      return drainingMessage(phase, said);
    case 'stopping':
      return `told to stop, is killed in ${left(phase.killAt, now)}`;
    case 'sweeping':
      return phase.killAt === null
        ? 'what it left behind is looked for'
        : `what it left behind was told to stop, and is killed in ${left(phase.killAt, now)}`;
    case 'killing':
      return 'was sent KILL; something of it is still there';
    case 'backoff':
      return `${phase.why}; tried again in ${left(phase.until, now)}`;
    case 'failed':
      return phase.why;
    case 'running':
      return said;
    case 'spawning':
    case 'exited':
      return '';
  }
}

function startingMessage(phase: Extract<Phase, { kind: 'starting' }>, now: Moment): string {
  const by = phase.readyBy === null ? '' : `, ${left(phase.readyBy, now)} left`;
  return phase.body.life.program.ready.when === 'notify' ? `waits for READY=1${by}` : '';
}

function drainingMessage(phase: Extract<Phase, { kind: 'draining' }>, said: string): string {
  if (phase.overdue) return `${said === '' ? '' : `${said}; `}past its deadline, and drains on`;
  if (phase.ending.exit !== null) return 'its main process has ended, its job processes go on';
  return said;
}

const left = (deadline: Mono, now: Moment): string => formatDuration(Math.max(0, deadline - now.mono));
