/** The bodies that the daemon takes, checked where they come in. Unknown keys are refused. */
import * as v from 'valibot';
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
export const RolloutRequest = v.strictObject({
  selectors: v.pipe(selectors, v.minLength(1)),
  keep_config: v.optional(v.boolean(), false),
  dry_run: v.optional(v.boolean(), false),
  /** As in the config: `"2"` or `"25%"`. */
  max_parallel: v.optional(v.pipe(v.string(), v.regex(/^([1-9]\d*|[1-9]\d?%|100%)$/))),
});
export const ShutdownRequest = v.strictObject({
  /** `drain` first; `stop` skips the drain; `kill` ends everything at once. */
  how: v.optional(v.picklist(['drain', 'stop', 'kill']), 'drain'),
  timeout_ms: v.optional(duration),
});
export const EmptyRequest = v.strictObject({});

export type StartRequest = v.InferInput<typeof StartRequest>;
export type StopRequest = v.InferInput<typeof StopRequest>;
export type RestartRequest = v.InferInput<typeof RestartRequest>;
export type RolloutRequest = v.InferInput<typeof RolloutRequest>;
export type ShutdownRequest = v.InferInput<typeof ShutdownRequest>;

/** The body of each POST route. */
export const BODIES = {
  start: StartRequest,
  stop: StopRequest,
  restart: RestartRequest,
  shutdown: ShutdownRequest,
  createRollouts: RolloutRequest,
  pauseRollout: EmptyRequest,
  resumeRollout: EmptyRequest,
  abortRollout: EmptyRequest,
} as const satisfies Partial<Record<RouteName, v.GenericSchema>>;
