/** An instance as the journal has it: deadlines become dates, so that they outlive the stopwatch of this daemon. */
import { dateOf, deadlineOf, type Moment, type Mono, mono, type Wall, wall } from '../base/clock.ts';
import type { ExitStatus } from '../base/exit-status.ts';
import type { InstanceId, Pid, Revision, Run } from '../base/ids.ts';
import type { Because } from '../core/instance/because.ts';
import type { ExitRecord, Instance, Wish } from '../core/instance/instance.ts';
import {
  type Body,
  type Ending,
  type OnTimeout,
  type Phase,
  deadlineOf as phaseDeadline,
} from '../core/instance/phase.ts';
import type { ProgramPlan } from '../core/plan.ts';

/** Phases that have a process, and so something to adopt. */
type Bodied = Extract<Phase, { body: Body }>;

export interface InstanceRecord {
  readonly id: InstanceId;
  readonly index: number;
  readonly wish: Wish;
  /** Of the next run. */
  readonly generation: number;
  readonly failures: number;
  readonly restarts: number;
  readonly lastExit: ExitRecord | null;
  readonly run: RunRecord;
}

interface RunRecord {
  readonly run: Run;
  readonly pid: Pid;
  /** Tells this process from any other that may get its pid. */
  readonly identity: string;
  readonly revision: Revision;
  readonly generation: number;
  readonly because: Because;
  readonly startedAt: Wall;
  readonly readyAt: Wall | null;
  readonly kind: Bodied['kind'];
  readonly deadline: Wall | null;
  readonly ending: EndingRecord | null;
}

interface EndingRecord extends Omit<Ending, 'since'> {
  readonly since: Wall;
  readonly exit: ExitStatus | null;
  readonly onTimeout: OnTimeout;
  readonly overdue: boolean;
  readonly saidDrained: boolean;
}

/** Null where there is no process: nothing to adopt. */
export function recordOf(instance: Instance, identity: string, now: Moment): InstanceRecord | null {
  const { id, index, wish, generation, failures, restarts, lastExit, phase } = instance;
  if (!('body' in phase)) return null;
  return { id, index, wish, generation, failures, restarts, lastExit, run: runRecord(phase, identity, now) };
}

function runRecord(phase: Bodied, identity: string, now: Moment): RunRecord {
  const { life, pid, readyAt } = phase.body;
  const deadline = phaseDeadline(phase);
  return {
    run: life.run,
    pid,
    identity,
    revision: life.program.revision,
    generation: life.generation,
    because: life.because,
    startedAt: life.startedAt.wall,
    readyAt: readyAt?.wall ?? null,
    kind: phase.kind,
    deadline: deadline === null ? null : dateOf(deadline, now),
    ending: 'ending' in phase ? endingRecord(phase) : null,
  };
}

function endingRecord(phase: Extract<Bodied, { ending: Ending }>): EndingRecord {
  const draining = phase.kind === 'draining' ? phase : null;
  return {
    ...phase.ending,
    since: phase.ending.since.wall,
    onTimeout: draining?.onTimeout ?? 'stop',
    overdue: draining?.overdue ?? false,
    saidDrained: phase.body.said.drained,
  };
}

/** The instance as it was, on this daemon's stopwatch. `program` is what the run was started with. */
export function restore(record: InstanceRecord, program: ProgramPlan, now: Moment): Instance {
  const { id, index, wish, generation, failures, restarts, lastExit, run } = record;
  const phase = phaseOf(run, program, now);
  return { id, index, wish, generation, failures, restarts, lastExit, lastRun: run.run, program, phase };
}

function phaseOf(record: RunRecord, program: ProgramPlan, now: Moment): Phase {
  const { run, generation, because, kind } = record;
  const body: Body = {
    life: { run, program, generation, because, startedAt: momentOf(record.startedAt, now) },
    pid: record.pid,
    readyAt: record.readyAt === null ? null : momentOf(record.readyAt, now),
    said: { status: '', inFlight: null, drained: record.ending?.saidDrained ?? false },
  };
  const deadline = record.deadline === null ? null : deadlineOf(record.deadline, now);
  if (record.ending === null) {
    return kind === 'running' ? { kind, body } : { kind: 'starting', body, readyBy: deadline };
  }
  return endingPhase(kind, body, record.ending, deadline, now);
}

function endingPhase(
  kind: Bodied['kind'],
  body: Body,
  record: EndingRecord,
  deadline: Mono | null,
  now: Moment,
): Phase {
  const { because, cause, exit, drained, killed, onTimeout, overdue } = record;
  const ending: Ending = { because, cause, exit, drained, killed, since: momentOf(record.since, now) };
  const at = deadline ?? now.mono;
  if (kind === 'draining') return { kind, body, ending, deadline, onTimeout, overdue };
  if (kind === 'stopping') return { kind, body, ending, killAt: at };
  if (kind === 'killing') return { kind, body, ending, again: at };
  return { kind: 'sweeping', body, ending, killAt: deadline };
}

function momentOf(date: Wall, now: Moment): Moment {
  return { mono: mono(now.mono + (date - now.wall)), wall: wall(date) };
}
