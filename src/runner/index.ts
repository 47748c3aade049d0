/**
 * The SDK for a supervised program: `import { createReporter } from 'tsup-visor/runner'`.
 * It depends on Node alone, so a runner inherits no dependency of the supervisor.
 */
export { createReporter, type Reporter } from './report.ts';
