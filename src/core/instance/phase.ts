/** The fact: what an instance's process is doing. Each phase carries exactly its data, so a pid exists only where there is a process. */
import { after, type Moment, type Mono } from '../../base/clock.ts';
import type { ExitStatus } from '../../base/exit-status.ts';
import type { Pid, ProgramName, Run } from '../../base/ids.ts';
import type { DependencyCondition, ProgramPlan } from '../plan.ts';
import type { Because } from './because.ts';

export type Phase =
  | { readonly kind: 'stopped' }
  /** Wanted, and not begun: what it waits for is said. */
  | { readonly kind: 'waiting'; readonly what: Waiting; readonly because: Because }
  /** Its pre_start hook runs; there is no process yet. `end` was wished for meanwhile. */
  | { readonly kind: 'preparing'; readonly life: Life; readonly end: PlannedEnd | null }
  /** A run has been asked for; the system has not answered. `end` was wished for meanwhile. */
  | { readonly kind: 'spawning'; readonly life: Life; readonly end: PlannedEnd | null }
  /** Alive, not ready. `readyBy`: when being alive is enough, or when the time to report is over. */
  | {
      readonly kind: 'starting';
      readonly body: Body;
      readonly readyBy: Mono | null;
      /** It is ready but for its post_start hook, which runs. */
      readonly hook: boolean;
    }
  | {
      readonly kind: 'running';
      readonly body: Body;
      readonly health: Health;
      /** Why it is to be replaced when its turn comes. */
      readonly worn: 'memory' | 'age' | null;
      /** Since when it has been above `max_memory`. */
      readonly overSince: Mono | null;
      /** WATCHDOG=1 must come before this. */
      readonly watchdogBy: Mono | null;
    }
  /** Asked once, with `drain.signal`; waits for its jobs. `exit` is set when only the tree is left. */
  | {
      readonly kind: 'draining';
      readonly body: Body;
      readonly ending: Ending;
      readonly deadline: Mono | null;
      readonly onTimeout: OnTimeout;
      /**
       * False: its pre_drain hook runs, and nobody has asked it yet. `perhaps`: a daemon died in the act. A second
       * signal could cut its jobs, so it is asked again only when it says that it was not, or its time is over.
       */
      readonly asked: boolean | 'perhaps';
      /** The deadline has passed, and somebody has to decide. */
      readonly overdue: boolean;
    }
  /** The leader was told to stop, with `stop.signal`. */
  | { readonly kind: 'stopping'; readonly body: Body; readonly ending: Ending; readonly killAt: Mono }
  /** The leader is gone and something of it is left: each of it is asked, when `killAt` is set, and killed then. */
  | { readonly kind: 'sweeping'; readonly body: Body; readonly ending: Ending; readonly killAt: Mono | null }
  /** SIGKILL was sent to all of it; sent again at `again` as long as anything is left. */
  | { readonly kind: 'killing'; readonly body: Body; readonly ending: Ending; readonly again: Mono }
  /** Nothing of the run is left; its post_stop hook runs. */
  | { readonly kind: 'cleaning'; readonly life: Life; readonly ending: Ending }
  | { readonly kind: 'backoff'; readonly until: Mono; readonly because: Because; readonly why: string }
  /** Finished, and by policy not restarted. */
  | { readonly kind: 'exited' }
  /** Given up. */
  | { readonly kind: 'failed'; readonly because: Because; readonly why: string };

export type PhaseKind = Phase['kind'];

/** One life of an instance, with the plan and generation that it was started under. */
export interface Life {
  readonly run: Run;
  readonly program: ProgramPlan;
  readonly generation: number;
  /** Why this run was begun. */
  readonly because: Because;
  readonly startedAt: Moment;
}

/** A life that has a process, and what that process has said. */
export interface Body {
  readonly life: Life;
  readonly pid: Pid;
  /** Since when it has been ready; null: it never was. */
  readonly readyAt: Moment | null;
  readonly said: Said;
}

export interface Said {
  readonly status: string;
  /** Null: never reported. */
  readonly inFlight: number | null;
  /** X_DRAINED=1 since it was asked to drain. */
  readonly drained: boolean;
  /** WATCHDOG=1 comes at least so often: as the plan has it, or as it said itself. */
  readonly watchdogMs: number | null;
  /** RELOADING=1, and no READY=1 since. */
  readonly reloading: boolean;
  /** ERRNO=, 0 when it never said. */
  readonly errno: number;
}

/** Nothing yet. */
export const silent = (program: ProgramPlan): Said => ({
  status: '',
  inFlight: null,
  drained: false,
  watchdogMs: program.watchdogMs,
  reloading: false,
  errno: 0,
});

/** As a run begins to work: nothing asked yet, nothing worn. */
export function newlyRunning(body: Body, now: Moment): Running {
  const { watchdogMs } = body.said;
  return {
    kind: 'running',
    body,
    health: UNASKED,
    worn: null,
    overSince: null,
    watchdogBy: watchdogMs === null ? null : after(now.mono, watchdogMs),
  };
}

/** What was found under another plan holds only as far as this one asks for it, too. */
export function stillRunning(phase: Running, now: Moment): Running {
  const { health, maxMemory } = phase.body.life.program;
  const bound = wornAt(phase.body);
  const isWorn =
    phase.worn === 'memory'
      ? maxMemory !== null
      : phase.worn === 'age' && bound !== null && now.mono >= bound;
  return {
    ...phase,
    health: health === null ? UNASKED : phase.health,
    worn: isWorn ? phase.worn : null,
    overSince: maxMemory === null ? null : phase.overSince,
  };
}

type Running = Extract<Phase, { kind: 'running' }>;
const UNASKED: Health = { ok: null, failures: 0, why: '' };

export interface Health {
  /** Null: not asked yet, or nothing to ask. */
  readonly ok: boolean | null;
  /** Consecutive ones. */
  readonly failures: number;
  /** What the last failure said. */
  readonly why: string;
}

/** What a wanted instance waits for. */
export type Waiting =
  | {
      readonly kind: 'dependency';
      readonly on: ProgramName;
      readonly condition: DependencyCondition;
      /** What it is now, for people: `redis:0 is starting`. */
      readonly why: string;
      /** Nothing that is under way will end the wait: somebody has to act. */
      readonly hopeless: boolean;
    }
  | { readonly kind: 'schedule' };

/** An end that has begun. */
export interface Ending {
  readonly because: Because;
  readonly since: Moment;
  /** What the end means for the next start: asked for, on its own account, or a fault such as never becoming ready. */
  readonly cause: 'planned' | 'own' | 'fault';
  /** What the fault was, for people; not set where it was not ready in time. */
  readonly why?: string;
  /** It was ready and gave no sign of being well: however long it was there, that was no good stretch. */
  readonly neverWell?: true;
  /** Null while the leader lives. */
  readonly exit: ExitStatus | null;
  /** It said so or exited, with nothing of it left that it was to wait for. */
  readonly drained: boolean;
  readonly killed: boolean;
}

/** A planned end as it was asked for. */
export interface PlannedEnd {
  readonly because: Because;
  readonly onTimeout: OnTimeout;
  readonly how: How;
}

/** How hard an end is asked for: wait for the jobs, go on to the stop signal, or end all of it. */
export type How = 'drain' | 'now' | 'kill';

/** What follows when a drain takes longer than allowed. */
export type OnTimeout = 'pause' | 'skip' | 'kill' | 'stop';

/** The moment at which the phase wants to be woken; null: it waits for an event alone. */
export function deadlineOf(phase: Phase): Mono | null {
  switch (phase.kind) {
    case 'starting':
      return phase.readyBy;
    case 'running':
      return soonest(phase.watchdogBy, phase.worn === null ? wornAt(phase.body) : null);
    case 'draining':
      return phase.deadline;
    case 'stopping':
    case 'sweeping':
      return phase.killAt;
    case 'killing':
      return phase.again;
    case 'backoff':
      return phase.until;
    case 'stopped':
    case 'waiting':
    case 'preparing':
    case 'spawning':
    case 'cleaning':
    case 'exited':
    case 'failed':
      return null;
  }
}

/** When the run is older than it may be. */
export function wornAt({ life }: Body): Mono | null {
  const { maxAgeMs } = life.program;
  return maxAgeMs === null ? null : after(life.startedAt.mono, maxAgeMs);
}

const soonest = (a: Mono | null, b: Mono | null): Mono | null =>
  a === null || (b !== null && b < a) ? b : a;

export function lifeOf(phase: Phase): Life | null {
  if ('life' in phase) return phase.life;
  return bodyOf(phase)?.life ?? null;
}

export function bodyOf(phase: Phase): Body | null {
  return 'body' in phase ? phase.body : null;
}
