/** What happened, one object a line: `GET /v1/events`. `seq` grows by one and never repeats within a daemon's life. */
import type { LastExit, RolloutStateName, TurnStatus } from './status.ts';

export interface EventHead {
  readonly version: number;
  readonly seq: number;
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** Milliseconds on the daemon's stopwatch: differences between events are exact. */
  readonly mono_ms: number;
  /** The event as one sentence for people. */
  readonly message: string;
}

export type WireEvent = EventHead & Happening;

export type Happening =
  /** An instance changed its phase. `from` and `to` are phases of core: finer than the states of `status`. */
  | {
      readonly type: 'phase';
      readonly instance: string;
      readonly program: string;
      readonly run: number | null;
      readonly from: string;
      readonly to: string;
      readonly because: string;
    }
  | {
      readonly type: 'spawned';
      readonly instance: string;
      readonly run: number;
      readonly pid: number;
      readonly generation: number;
    }
  | {
      readonly type: 'spawn_failed';
      readonly instance: string;
      readonly run: number;
      readonly stage: string;
      readonly error: string;
    }
  | { readonly type: 'ready'; readonly instance: string; readonly run: number }
  | {
      readonly type: 'signalled';
      readonly instance: string;
      readonly run: number;
      readonly signal: string;
      readonly to: 'leader' | 'tree';
    }
  /** It said STOPPING=1, or X_DRAINED=1, or how many jobs are in flight. */
  | {
      readonly type: 'reported';
      readonly instance: string;
      readonly run: number;
      readonly what: 'stopping' | 'drained';
    }
  | {
      readonly type: 'hook_failed';
      readonly instance: string;
      readonly run: number;
      readonly hook: string;
      readonly error: string;
    }
  /** A health check has changed its mind. */
  | {
      readonly type: 'health';
      readonly instance: string;
      readonly run: number;
      readonly ok: boolean;
      readonly detail: string;
    }
  /** It is to be replaced when its turn comes. */
  | {
      readonly type: 'worn';
      readonly instance: string;
      readonly run: number;
      readonly why: 'memory' | 'age';
      readonly detail: string;
    }
  | { readonly type: 'watchdog'; readonly instance: string; readonly run: number; readonly detail: string }
  | {
      readonly type: 'scaled';
      readonly program: string;
      readonly added: readonly string[];
      readonly removed: readonly string[];
    }
  | {
      readonly type: 'schedule';
      readonly program: string;
      readonly what: 'skipped' | 'queued' | 'late';
      readonly detail: string;
    }
  /** What a program needs is gone, or there again. */
  | { readonly type: 'dependency'; readonly program: string; readonly on: string; readonly lost: boolean }
  | { readonly type: 'overdue'; readonly instance: string; readonly run: number }
  | { readonly type: 'exited'; readonly instance: string; readonly run: number; readonly exit: LastExit }
  /** No process of the run is left. */
  | {
      readonly type: 'gone';
      readonly instance: string;
      readonly run: number;
      readonly drained: boolean;
      readonly killed: boolean;
    }
  | {
      readonly type: 'rollout';
      readonly rollout: number;
      readonly program: string;
      readonly state: RolloutStateName;
      readonly reason: string | null;
      /** A canary's hold, the rest after it, or the way back: `reason` says why, or for how long. */
      readonly begins?: 'hold' | 'rest' | 'revert';
    }
  | {
      readonly type: 'turn';
      readonly rollout: number;
      readonly instance: string;
      readonly step: TurnStatus['step'];
      readonly why?: string;
      /** On the way back. */
      readonly back?: true;
    }
  /** A log file cannot be written to (`failing`), can again (`well`), or cannot be put aside (`stuck`). */
  | {
      readonly type: 'log';
      readonly path: string;
      /** The instance whose it is. Null: it is the daemon's own, or of one that is there no more. */
      readonly of: string | null;
      readonly state: 'failing' | 'well' | 'stuck';
      /** Null: it is well. */
      readonly why: string | null;
      /** While it was failing. */
      readonly dropped_bytes: number;
    }
  | {
      readonly type: 'daemon';
      readonly state: 'started' | 'handing_over' | 'shutting_down' | 'stopped';
      /** The version that takes over. */
      readonly to?: string;
      /** Instances of an earlier daemon that it found at work, and took up. */
      readonly took_over?: readonly string[];
      /** What made it end, other than the operator. */
      readonly fault?: string;
    }
  /** The follower was too slow: so many events were left out here. */
  | { readonly type: 'dropped'; readonly count: number };
