/**
 * The SDK for a supervised program: `import { createRunner } from 'tsup-visor/runner'`.
 * It depends on Node alone, so a runner inherits no dependency of the supervisor.
 */
export type { SpawnChildOptions } from './children.ts';
export type { Outcome } from './ending.ts';
export { type ChildOptions, ExecError, type ExecOptions, type ExecResult } from './exec.ts';
export { EXIT, type ExitReason } from './exit-code.ts';
export type { Hook, HookFailure, HookOptions } from './hooks.ts';
export type { Host, Sink } from './host.ts';
export type { RunnerOptions } from './options.ts';
export { type AbortCause, RunnerAbort } from './reason.ts';
export { createReporter, type Reporter } from './report.ts';
export { createRunner, type Runner } from './runner.ts';
export type { Job, JobInfo } from './wait-group.ts';
