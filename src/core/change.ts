/** What a changed plan means for what runs: which keys take effect at once, which need a new run. */
import type { LogsPlan, ProgramPlan } from './plan.ts';

export type ChangeEffect = 'live' | 'next_start' | 'rolling' | 'immutable';

/** Every field has its class: the compiler finds the one that is forgotten. */
export const EFFECT_OF: { readonly [K in keyof ProgramPlan]: ChangeEffect } = {
  name: 'immutable',
  revision: 'live', // follows from the others
  command: 'rolling',
  instances: 'live',
  directory: 'rolling',
  environment: 'rolling',
  envFiles: 'rolling',
  inheritEnvironment: 'rolling',
  user: 'rolling',
  group: 'rolling',
  umask: 'rolling',
  nice: 'rolling',
  limits: 'rolling',
  maxMemory: 'live',
  maxAgeMs: 'live',
  autostart: 'live',
  essential: 'live',
  dependsOn: 'live',
  priority: 'live',
  restart: 'live',
  successExitCodes: 'live',
  backoff: 'live',
  schedule: 'live',
  ready: 'next_start',
  health: 'live',
  watchdogMs: 'rolling', // the program knows it from its environment
  // How a run is ended belongs to the run: it was started under that promise.
  drain: 'next_start',
  stop: 'next_start',
  rollout: 'live',
  hooks: 'next_start',
  logs: 'rolling', // but see `effectOf`
};

/**
 * One that ran all the time and is to run at times, or the other way round, has to be begun anew. Where output goes is
 * settled with the run, what becomes of it there is not.
 */
export function effectOf(key: keyof ProgramPlan, before: ProgramPlan, after: ProgramPlan): ChangeEffect {
  if (key === 'schedule' && (before.schedule === null) !== (after.schedule === null)) return 'rolling';
  return key === 'logs' && goesTheSameWay(before.logs, after.logs) ? 'live' : EFFECT_OF[key];
}

/** What a run has open stays as it is; what is made of what it writes there is the daemon's affair. */
const goesTheSameWay = (before: LogsPlan, after: LogsPlan): boolean =>
  (['stdout', 'stderr', 'format'] as const).every((key) => isSame(before[key], after[key]));

/** The fields in which two plans differ; the revision, which follows from them, is not among them. */
export function changedKeys(before: ProgramPlan, after: ProgramPlan): (keyof ProgramPlan)[] {
  // Of an object with this very type, the keys are its fields.
  const keys = Object.keys(EFFECT_OF) as (keyof ProgramPlan)[];
  return keys.filter((key) => key !== 'revision' && !isSame(before[key], after[key]));
}

export const isSamePlan = (before: ProgramPlan, after: ProgramPlan): boolean =>
  before === after || (before.revision === after.revision && changedKeys(before, after).length === 0);

export const needsNewRun = (before: ProgramPlan, after: ProgramPlan): boolean =>
  changedKeys(before, after).some((key) => effectOf(key, before, after) === 'rolling');

/**
 * The plan of a run once the live keys of a newer plan are applied to it. Where nothing else differs it is the newer
 * plan itself, so that its revision is told.
 */
export function withLiveKeys(running: ProgramPlan, fresh: ProgramPlan): ProgramPlan {
  const changed = changedKeys(running, fresh);
  const live = changed.filter((key) => effectOf(key, running, fresh) === 'live');
  if (live.length === changed.length) return fresh;
  return { ...running, ...Object.fromEntries(live.map((key) => [key, fresh[key]])) };
}

/** Values of a plan are plain: texts, numbers, lists and maps of such. The order of a map's keys says nothing. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [before, after] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  if (before.size !== after.size) return false;
  return [...before].every(([key, value]) => after.has(key) && isSame(value, after.get(key)));
}
