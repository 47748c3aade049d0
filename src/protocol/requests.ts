/** The bodies that the daemon takes, checked where they come in. Unknown keys are refused. */
import * as v from 'valibot';
import { fail, ok, type Result } from '../base/result.ts';
import type { RouteName } from './routes.ts';

const selectors = v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(200))), v.maxLength(1000));
const duration = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Waits until each instance is ready, or has failed; `wait: false` answers at once. */
export const StartRequest = v.strictObject({
  /** None: everything with `autostart` that the operator has not stopped. */
  selectors,
  wait: v.optional(v.boolean(), true),
});
export const StopRequest = v.strictObject({
  selectors: v.pipe(selectors, v.minLength(1)),
  /** Skip the drain, also one that is under way. */
  now: v.optional(v.boolean(), false),
  wait: v.optional(v.boolean(), true),
});
export const RestartRequest = v.strictObject({
  selectors: v.pipe(selectors, v.minLength(1)),
  keep_config: v.optional(v.boolean(), false),
  wait: v.optional(v.boolean(), true),
});
const share = v.pipe(v.string(), v.regex(/^(\d{1,5}|\d{1,2}%|100%)$/));
/** Words of whoever asks, kept in the history. */
const words = v.pipe(v.string(), v.minLength(1), v.maxLength(500));

export const RolloutRequest = v.strictObject({
  selectors: v.pipe(selectors, v.minLength(1)),
  keep_config: v.optional(v.boolean(), false),
  dry_run: v.optional(v.boolean(), false),
  /** As in the config: `"2"` or `"25%"`. */
  max_parallel: v.optional(v.pipe(v.string(), v.regex(/^([1-9]\d{0,4}|[1-9]\d?%|100%)$/))),
  canary: v.optional(share),
  /** Of each program that is named, only these numbers: `0-3`, `0,2,5-7`. */
  instances: v.optional(v.pipe(v.string(), v.regex(/^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/))),
  /** All programs at once; otherwise one after the other, what others depend on first. */
  parallel: v.optional(v.boolean(), false),
  /** Takes the place of a rollout of the same program that is under way. */
  replace: v.optional(v.boolean(), false),
  reason: v.optional(words),
});
export const AbortRequest = v.strictObject({ reason: v.optional(words) });
/** Of one that is under way, back to the last revision that was whole; of one that is over, by a rollout of its own. */
export const RevertRequest = v.strictObject({ reason: v.optional(words) });
export const ShutdownRequest = v.strictObject({
  /** `drain` first; `stop` skips the drain; `kill` ends everything at once. */
  how: v.optional(v.picklist(['drain', 'stop', 'kill']), 'drain'),
  timeout_ms: v.optional(duration),
});
const path = v.pipe(v.string(), v.startsWith('/'), v.maxLength(4096));

/** The version that is to come. More keys are let pass: a newer command asks an older daemon. */
export const UpgradeRequest = v.object({
  /** Absolute: Node, and the program of the daemon. */
  node: path,
  daemon: path,
  /** Likewise: the command, for a daemon that is in a terminal. */
  command: path,
  /** Also when it is the same. */
  force: v.optional(v.boolean(), false),
  /** Nothing but the proof that it could be done. */
  dry_run: v.optional(v.boolean(), false),
  /** For hooks that are under way. */
  wait_ms: v.optional(duration, 10_000),
});
/** How many instances each of these programs is to have. */
export const ScaleRequest = v.strictObject({
  counts: v.pipe(
    v.record(
      v.string(),
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(0),
        v.maxValue(10_000, 'at most 10000 instances of a program'),
      ),
    ),
    v.check((counts) => Object.keys(counts).length > 0, 'names no program'),
  ),
  wait: v.optional(v.boolean(), true),
});
export const ReloadRequest = v.strictObject({
  dry_run: v.optional(v.boolean(), false),
  /** All rolling restarts at once; otherwise one after the other, what others depend on first. */
  parallel: v.optional(v.boolean(), false),
  reason: v.optional(words),
});
export const SignalRequest = v.strictObject({
  /** `HUP`, `SIGHUP` or `1`. */
  signal: v.pipe(v.string(), v.minLength(1), v.maxLength(20)),
  selectors: v.pipe(selectors, v.minLength(1)),
  /** To all processes, not to the leader alone. */
  tree: v.optional(v.boolean(), false),
});
/** Whose log files; none named: those of all, and the daemon's own. */
export const LogFilesRequest = v.strictObject({ selectors: v.optional(selectors, []) });
export const EmptyRequest = v.strictObject({});

export type StartRequest = v.InferInput<typeof StartRequest>;
export type StopRequest = v.InferInput<typeof StopRequest>;
export type RestartRequest = v.InferInput<typeof RestartRequest>;
export type AbortRequest = v.InferInput<typeof AbortRequest>;
export type RevertRequest = v.InferInput<typeof RevertRequest>;
export type RolloutRequest = v.InferInput<typeof RolloutRequest>;
export type ScaleRequest = v.InferInput<typeof ScaleRequest>;
export type ReloadRequest = v.InferInput<typeof ReloadRequest>;
export type SignalRequest = v.InferInput<typeof SignalRequest>;
export type LogFilesRequest = v.InferInput<typeof LogFilesRequest>;
export type UpgradeRequest = v.InferInput<typeof UpgradeRequest>;
export type ShutdownRequest = v.InferInput<typeof ShutdownRequest>;

/** The body of each POST route. */
const BODIES = {
  start: StartRequest,
  stop: StopRequest,
  restart: RestartRequest,
  scale: ScaleRequest,
  reload: ReloadRequest,
  signal: SignalRequest,
  rotateLogs: LogFilesRequest,
  reopenLogs: LogFilesRequest,
  shutdown: ShutdownRequest,
  upgrade: UpgradeRequest,
  createRollouts: RolloutRequest,
  pauseRollout: EmptyRequest,
  resumeRollout: EmptyRequest,
  promoteRollout: EmptyRequest,
  abortRollout: AbortRequest,
  revertRollout: RevertRequest,
} as const satisfies Partial<Record<RouteName, v.GenericSchema>>;

type Bodies = typeof BODIES;
export type BodyRoute = keyof Bodies;
/** A body that was checked, its defaults filled in. */
export type Checked<R extends BodyRoute> = v.InferOutput<Bodies[R]>;

export const takesBody = (route: RouteName): route is BodyRoute => route in BODIES;

/** The body of a route, or a sentence that says what is wrong with it. */
export function checkBody<R extends BodyRoute>(route: R, value: unknown): Result<Checked<R>, string> {
  const checked = v.safeParse(BODIES[route], value);
  // The schema is the route's own, so its output is the route's too; the compiler does not follow the index.
  if (checked.success) return ok(checked.output as Checked<R>);
  const issue = checked.issues[0];
  const place = v.getDotPath(issue);
  return fail(`${place === null ? 'the body' : `"${place}"`}: ${issue.message}`);
}
