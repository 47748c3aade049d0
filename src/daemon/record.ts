/** An instance as the journal has it: deadlines become dates, so that they outlive the stopwatch of this daemon. */
import { dateOf, deadlineOf, type Moment, type Mono, mono, type Wall, wall } from '../base/clock.ts';
import type { ExitStatus } from '../base/exit-status.ts';
import type { InstanceId, Pid, Revision, Run } from '../base/ids.ts';
import type { Because } from '../core/instance/because.ts';
import type { ExitRecord, Instance, Wish } from '../core/instance/instance.ts';
import {
  type Body,
  type Ending,
  newlyRunning,
  type OnTimeout,
  type Phase,
  type PlannedEnd,
  deadlineOf as phaseDeadline,
  silent,
} from '../core/instance/phase.ts';
import type { ProgramPlan } from '../core/plan.ts';
import type { Doubt } from './ask-list.ts';
import type { PlanRef } from './plan-shelf.ts';
import type { LogPlace } from './watches.ts';

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
  readonly leaving: boolean;
  readonly queued: boolean;
  readonly run: RunRecord;
}

interface RunRecord {
  readonly run: Run;
  readonly pid: Pid;
  /** Tells this process from any other that may get its pid. */
  readonly identity: string;
  readonly revision: Revision;
  /** What it was started with; an earlier version has written the revision alone. */
  readonly plan?: PlanRef;
  readonly generation: number;
  readonly because: Because;
  readonly startedAt: Wall;
  readonly readyAt: Wall | null;
  readonly kind: Bodied['kind'];
  readonly deadline: Wall | null;
  /** It is ready but for its post_start hook. */
  readonly hook: boolean;
  /** As it said itself, or as its plan had it. */
  readonly watchdogMs: number | null;
  /** Where its log files ended before it began; empty where nobody will ask. */
  readonly places: readonly LogPlace[];
  readonly ending: EndingRecord | null;
}

/** A run that is about to be begun: whoever dies now leaves a process behind that nobody has the number of. */
export interface BegunRecord extends Omit<InstanceRecord, 'run'> {
  readonly begun: {
    readonly run: Run;
    readonly plan: PlanRef;
    readonly generation: number;
    readonly because: Because;
    readonly startedAt: Wall;
    /** It was wished for meanwhile. */
    readonly end: PlannedEnd | null;
  };
}

type Spawning = Extract<Phase, { kind: 'spawning' }>;

export function begunRecordOf(instance: Instance, { life, end }: Spawning, plan: PlanRef): BegunRecord {
  const { program: _, lastRun: __, phase: ___, ...kept } = instance;
  const { run, generation, because, startedAt } = life;
  return { ...kept, begun: { run, plan, generation, because, startedAt: startedAt.wall, end } };
}

/** As it was: about to be begun, until it is told that it has been. */
export function restoreBegun(record: BegunRecord, program: ProgramPlan, now: Moment): Instance {
  const { begun, ...kept } = record;
  const { run, generation, because, end } = begun;
  const life = { run, program, generation, because, startedAt: momentOf(begun.startedAt, now) };
  return { ...kept, lastRun: run, program, phase: { kind: 'spawning', life, end } };
}

/** What of a run the phase does not know. */
export interface Traces {
  readonly identity: string;
  readonly places: readonly LogPlace[];
  readonly plan: PlanRef;
  /** False: it is about to be asked to drain. Whether it was when a daemon has died over it, another list tells. */
  readonly signalled: boolean;
}

interface EndingRecord extends Omit<Ending, 'since'> {
  readonly since: Wall;
  readonly exit: ExitStatus | null;
  readonly onTimeout: OnTimeout;
  readonly asked: boolean;
  readonly signalled?: boolean;
  readonly overdue: boolean;
  readonly saidDrained: boolean;
}

/** Null where there is no process: nothing to adopt. */
export function recordOf(instance: Instance, traces: Traces, now: Moment): InstanceRecord | null {
  const { program: _, lastRun: __, phase, ...kept } = instance;
  return 'body' in phase ? { ...kept, run: runRecord(phase, traces, now) } : null;
}

function runRecord(phase: Bodied, { identity, places, plan, signalled }: Traces, now: Moment): RunRecord {
  const { life, pid, readyAt, said } = phase.body;
  const deadline = lastingDeadline(phase);
  return {
    run: life.run,
    pid,
    identity,
    revision: life.program.revision,
    plan,
    generation: life.generation,
    because: life.because,
    startedAt: life.startedAt.wall,
    readyAt: readyAt?.wall ?? null,
    kind: phase.kind,
    deadline: deadline === null ? null : dateOf(deadline, now),
    hook: phase.kind === 'starting' && phase.hook,
    watchdogMs: said.watchdogMs,
    places,
    ending: 'ending' in phase ? endingRecord(phase, signalled) : null,
  };
}

/** A watchdog's time begins anew with the daemon that listens: it moves with each word that is heard. */
export const lastingDeadline = (phase: Phase): Mono | null =>
  phase.kind === 'running' ? null : phaseDeadline(phase);

function endingRecord(phase: Extract<Bodied, { ending: Ending }>, signalled: boolean): EndingRecord {
  const draining = phase.kind === 'draining' ? phase : null;
  return {
    ...phase.ending,
    since: phase.ending.since.wall,
    onTimeout: draining?.onTimeout ?? 'stop',
    asked: (draining?.asked ?? true) !== false,
    signalled,
    overdue: draining?.overdue ?? false,
    saidDrained: phase.body.said.drained,
  };
}

/** The instance as it was, on this daemon's stopwatch. `program` is what the run was started with. */
export function restore(
  record: InstanceRecord,
  program: ProgramPlan,
  now: Moment,
  doubt: Doubt = 'perhaps',
): Instance {
  const { run, ...kept } = record;
  const { leaving = false, queued = false } = record; // an earlier version has not written them
  return { ...kept, leaving, queued, lastRun: run.run, program, phase: phaseOf(run, program, doubt, now) };
}

function phaseOf(record: RunRecord, program: ProgramPlan, doubt: Doubt, now: Moment): Phase {
  const { run, generation, because, kind } = record;
  const body: Body = {
    life: { run, program, generation, because, startedAt: momentOf(record.startedAt, now) },
    pid: record.pid,
    readyAt: record.readyAt === null ? null : momentOf(record.readyAt, now),
    said: {
      ...silent(program),
      drained: record.ending?.saidDrained ?? false,
      watchdogMs: record.watchdogMs ?? program.watchdogMs,
    },
  };
  const deadline = record.deadline === null ? null : deadlineOf(record.deadline, now);
  if (record.ending !== null) return endingPhase(kind, body, record.ending, { deadline, doubt }, now);
  return kind === 'running'
    ? newlyRunning(body, now)
    : { kind: 'starting', body, readyBy: deadline, hook: record.hook ?? false };
}

function endingPhase(
  kind: Bodied['kind'],
  body: Body,
  record: EndingRecord,
  { deadline, doubt }: { readonly deadline: Mono | null; readonly doubt: Doubt },
  now: Moment,
): Phase {
  const { onTimeout, overdue, asked: wasAsked = true, signalled = true, saidDrained: _, ...rest } = record;
  const ending: Ending = { ...rest, since: momentOf(record.since, now) };
  const at = deadline ?? now.mono;
  if (kind === 'draining') {
    const isSure = signalled || doubt === 'sent';
    const asked = wasAsked && !isSure ? 'perhaps' : wasAsked;
    // One whose time is over is asked again: at once, where there was no first time.
    const isOwed = asked === 'perhaps' && doubt === 'owed';
    return { kind, body, ending, deadline: isOwed ? now.mono : deadline, onTimeout, asked, overdue };
  }
  if (kind === 'stopping') return { kind, body, ending, killAt: at };
  if (kind === 'killing') return { kind, body, ending, again: at };
  return { kind: 'sweeping', body, ending, killAt: deadline };
}

export function momentOf(date: Wall, now: Moment): Moment {
  return { mono: mono(now.mono + (date - now.wall)), wall: wall(date) };
}
