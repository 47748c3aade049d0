/** The form of a program's plan: one that has another is not worked with. */
import type { ProgramPlan } from '../core/plan.ts';
import { fieldAt as at, hasShape, isOneOf, type Shape } from './shape.ts';

const PLAN: Shape = {
  name: 'text',
  revision: 'text',
  command: 'list',
  instances: 'count',
  directory: 'text',
  environment: 'fields',
  envFiles: 'list',
  user: 'text?',
  group: 'text?',
  umask: 'number?',
  nice: 'number?',
  limits: 'fields',
  maxMemory: 'fields?',
  maxAgeMs: 'number?',
  autostart: 'yes or no',
  essential: 'yes or no',
  dependsOn: 'fields',
  priority: 'number',
  restart: 'text',
  successExitCodes: 'list',
  backoff: 'fields?',
  schedule: 'fields?',
  ready: 'fields',
  health: 'fields?',
  watchdogMs: 'number?',
  drain: 'fields',
  stop: 'fields',
  rollout: 'fields',
  hooks: 'fields',
  logs: 'fields',
};
const READY: Readonly<Record<string, Shape>> = {
  spawned: { forMs: 'number' },
  notify: { timeoutMs: 'number?' },
  log: { pattern: 'fields', timeoutMs: 'number?' },
  check: { check: 'fields', intervalMs: 'number', timeoutMs: 'number?' },
};
const CHECKS: Readonly<Record<string, Shape>> = {
  exec: { command: 'list' },
  http: { url: 'text' },
  tcp: { host: 'text', port: 'text' },
  file: { path: 'text' },
};
const PATTERNS: Readonly<Record<string, Shape>> = {
  text: { text: 'text' },
  regex: { source: 'text', flags: 'text' },
};
const SHARES: Readonly<Record<string, Shape>> = {
  count: { count: 'number' },
  percent: { percent: 'number' },
};
const LOGS: Readonly<Record<string, Shape>> = { default: {}, none: {}, inherit: {}, file: { path: 'text' } };
const LOG_SETTINGS: Shape = {
  maxBytes: 'number?',
  keep: 'number',
  maxAgeMs: 'number?',
  compress: 'yes or no',
  timestamps: 'yes or no',
  format: 'text',
  whenFull: 'text',
};
const LIMITS: Shape = { resources: 'fields', memoryMax: 'number?', cpuMax: 'number?' };
const MEMORY: Shape = { bytes: 'number', forMs: 'number' };
const BACKOFF: Shape = {
  initialMs: 'number',
  factor: 'number',
  maxMs: 'number',
  jitter: 'number',
  resetAfterMs: 'number',
  giveUpAfter: 'number?',
};
const SCHEDULE: Shape = { cron: 'text', timezone: 'text?', overlap: 'text' };
const HEALTH: Shape = {
  check: 'fields',
  intervalMs: 'number',
  timeoutMs: 'number',
  failures: 'number',
  action: 'text',
};
const DRAIN: Shape = {
  signal: 'text',
  doneWhen: 'text',
  check: 'fields?',
  waitFor: 'text',
  timeoutMs: 'number?',
  onTimeout: 'text',
};
const STOP: Shape = { signal: 'text', timeoutMs: 'number' };
const ROLLOUT: Shape = {
  maxParallel: 'fields',
  maxSurge: 'fields',
  minHealthyTimeMs: 'number',
  healthyDeadlineMs: 'number?',
  canary: 'fields',
  canaryHoldMs: 'number?',
  check: 'fields?',
  maxFailures: 'number',
  onFailure: 'text',
  afterKillHoldMs: 'number',
  order: 'text',
};
const ROLLOUT_CHECK: Shape = { check: 'fields', timeoutMs: 'number' };
const HOOK: Shape = { command: 'list', timeoutMs: 'number', onFailure: 'text' };
const HOOKS = ['pre_start', 'post_start', 'pre_drain', 'post_stop'];

export function isPlan(value: unknown): value is ProgramPlan {
  const part = (...keys: string[]): unknown => keys.reduce<unknown>(at, value);
  return (
    hasShape(value, PLAN) &&
    hasShape(part('limits'), LIMITS) &&
    isNullOr(part('maxMemory'), MEMORY) &&
    isNullOr(part('backoff'), BACKOFF) &&
    isNullOr(part('schedule'), SCHEDULE) &&
    isNullOr(part('health'), HEALTH) &&
    hasShape(part('drain'), DRAIN) &&
    hasShape(part('stop'), STOP) &&
    hasShape(part('rollout'), ROLLOUT) &&
    isNullOr(part('rollout', 'check'), ROLLOUT_CHECK) &&
    isOneOf(['always', 'on_failure', 'never'], part('restart')) &&
    Object.values(part('dependsOn') ?? {}).every((one) => isOneOf(['started', 'ready', 'completed'], one)) &&
    isOfKind(part('ready'), READY, 'when') &&
    isOfKindOrNone(part('ready', 'pattern'), PATTERNS) &&
    ['maxParallel', 'maxSurge', 'canary'].every((key) => isOfKind(part('rollout', key), SHARES)) &&
    checksOf(part).every((check) => isOfKindOrNone(check, CHECKS)) &&
    HOOKS.every((name) => isNullOr(part('hooks', name), HOOK)) &&
    hasShape(part('logs'), LOG_SETTINGS) &&
    isOfKind(part('logs', 'stdout'), LOGS) &&
    (part('logs', 'stderr') === 'merge' || isOfKind(part('logs', 'stderr'), LOGS)) &&
    textsOf(part).every((texts) => texts === undefined || areTexts(texts))
  );
}

type Part = (...keys: string[]) => unknown;

const checksOf = (part: Part): unknown[] => [
  part('ready', 'check'),
  part('health', 'check'),
  part('drain', 'check'),
  part('rollout', 'check', 'check'),
];

const textsOf = (part: Part): unknown[] => [
  part('command'),
  part('envFiles'),
  ...HOOKS.map((name) => part('hooks', name, 'command')),
  ...checksOf(part).map((check) => at(check, 'command')),
];

const isNullOr = (value: unknown, shape: Shape): boolean => value === null || hasShape(value, shape);

const isOfKindOrNone = (value: unknown, shapes: Readonly<Record<string, Shape>>): boolean =>
  value === null || value === undefined || isOfKind(value, shapes);

function isOfKind(value: unknown, shapes: Readonly<Record<string, Shape>>, key = 'kind'): boolean {
  const kind = at(value, key);
  const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
  return shape !== undefined && hasShape(value, shape);
}

const areTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((text) => typeof text === 'string');
