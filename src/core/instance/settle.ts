/** What comes next once nothing of a run is left: the wish and the policy decide together. */
import { after, type Moment } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import { describeExit, type ExitStatus } from '../../base/exit-status.ts';
import type { Run } from '../../base/ids.ts';
import type { ProgramPlan } from '../plan.ts';
import { backoffDelay, givesUp } from './backoff.ts';
import type { Because } from './because.ts';
import type { InstanceEffect, Step } from './effect.ts';
import type { ExitRecord, Instance } from './instance.ts';
import type { Body, Ending, Life, Phase, Waiting } from './phase.ts';

type Cleaning = Extract<Phase, { kind: 'cleaning' }>;

/** What a step may draw on beside its event. */
export interface Context {
  readonly now: Moment;
  /** The number that a run begun in this step has. */
  readonly nextRun: Run;
  /** What keeps a run of this program from being begun now; null: nothing does. */
  readonly gate: (program: ProgramPlan) => Waiting | null;
}

/** Nothing of the run is left. Its post_stop hook, if it has one, comes before whatever follows. */
export function settle(instance: Instance, body: Body, ending: Ending, context: Context): Step {
  const exit = exitRecord(body, ending, context.now);
  const failures = goodStretch(body, ending) ? 0 : instance.failures;
  const next: Instance = { ...instance, failures, lastExit: exit };
  const gone: readonly InstanceEffect[] = [
    { type: 'forget', run: body.life.run },
    {
      type: 'announce',
      what: { type: 'gone', run: body.life.run, drained: exit.drained, killed: exit.killed },
    },
  ];
  const { life } = body;
  if (life.program.hooks.post_stop !== null) {
    return { instance: { ...next, phase: { kind: 'cleaning', life, ending } }, effects: gone };
  }
  const then = whatNext(next, life, ending, exit, context);
  return { instance: then.instance, effects: [...gone, ...then.effects] };
}

/** The post_stop hook has ended: on to what the wish and the policy say. */
export function cleaned(instance: Instance, phase: Cleaning, fault: string | null, context: Context): Step {
  const exit = instance.lastExit;
  const waitsForTime = isScheduled(instance) && phase.ending.cause === 'planned';
  if (fault !== null && instance.wish.want === 'up' && !waitsForTime) {
    return uncleaned(instance, phase, fault, context);
  }
  if (exit === null) return begin(instance, instance.wish.because, context); // cannot be: a run has just ended
  return whatNext(instance, phase.life, phase.ending, exit, context);
}

/** Its post_stop hook failed, which counts as a failure of the run. What is to run once is not run twice for that. */
function uncleaned(instance: Instance, { life, ending }: Cleaning, why: string, context: Context): Step {
  const isOnce = ending.cause === 'own' && instance.program.restart === 'never' && !isScheduled(instance);
  return isOnce
    ? rest(instance, { kind: 'failed', because: 'hook', why })
    : retry(instance, life.run, 'hook', why, context);
}

/** Wanted again: where a schedule says when, that is waited for. */
export function begin(instance: Instance, because: Because, context: Context): Step {
  if (!isScheduled(instance)) return launch(instance, because, context);
  return instance.queued
    ? launch({ ...instance, failures: 0 }, 'schedule', context)
    : awaitTime(instance, because);
}

/** Begins a run, unless something that it needs is not there. */
export function launch(instance: Instance, because: Because, context: Context): Step {
  if (isForNothing(instance)) return stand(instance);
  const what = context.gate(instance.program);
  if (what !== null) return rest(instance, { kind: 'waiting', what, because });
  return instance.program.hooks.pre_start === null
    ? spawn(instance, newLife(instance, because, context))
    : prepare(instance, newLife(instance, because, context));
}

const isScheduled = ({ program }: Instance): boolean => program.schedule !== null;

/** It was there for one run of a schedule, and there is no schedule any more: nobody would ever end another run. */
const isForNothing = (instance: Instance): boolean =>
  instance.leaving && !isScheduled(instance) && !isExtra(instance);

/** It is there for the length of a rollout. */
const isExtra = ({ wish }: Instance): boolean => wish.want === 'up' && wish.because.startsWith('rollout ');

/** A run for one time alone is over, too. */
function awaitTime(instance: Instance, because: Because): Step {
  if (instance.leaving) return stand(instance);
  return rest({ ...instance, failures: 0 }, { kind: 'waiting', what: { kind: 'schedule' }, because });
}

/** Nobody wants another run of it. */
const stand = (instance: Instance): Step =>
  rest({ ...instance, failures: 0, queued: false }, { kind: 'stopped' });

/** What begins when this end is over, as things stand; null: nothing does, or not at once. */
export function nextLife(instance: Instance, context: Context): Life | null {
  const { phase, wish, program } = instance;
  if (!('ending' in phase) || phase.ending.cause !== 'planned' || wish.want === 'down') return null;
  if (phase.kind === 'draining' && phase.asked === false) return null; // its pre_drain hook may refuse it
  // What a pre_start hook is to prepare is not there before it has run.
  if (isScheduled(instance) || isForNothing(instance) || program.hooks.pre_start !== null) return null;
  return newLife(instance, phase.ending.because, context);
}

function newLife(instance: Instance, because: Because, { nextRun, now }: Context): Life {
  const { program, generation } = instance;
  return { run: nextRun, program, generation, because, startedAt: now };
}

function prepare(instance: Instance, life: Life): Step {
  return rest(begun(instance, life), { kind: 'preparing', life, end: null });
}

/** Asks for the process. */
export function spawn(instance: Instance, life: Life): Step {
  return {
    instance: { ...begun(instance, life), phase: { kind: 'spawning', life, end: null } },
    effects: [{ type: 'spawn', life }],
  };
}

function begun(instance: Instance, life: Life): Instance {
  if (instance.lastRun === life.run) return instance; // counted when it was prepared
  const isAgain = instance.lastRun !== null && life.because !== 'schedule';
  const restarts = isAgain ? instance.restarts + 1 : instance.restarts;
  const queued = instance.queued && life.because !== 'schedule'; // another try of the last one is not it
  return { ...instance, restarts, lastRun: life.run, queued };
}

/** What cannot even be started is tried again after this, even without a backoff: at once would be a busy loop. */
const START_AGAIN_MS = 100;
const CANNOT_START: ReadonlySet<Because> = new Set(['spawn error', 'hook']);

/** A run that failed: wait, go on at once, or give up. */
export function retry(instance: Instance, run: Run, because: Because, why: string, context: Context): Step {
  if (isScheduled(instance) && instance.program.restart === 'never') return begin(instance, because, context);
  const plan = instance.program.backoff;
  if (plan === null) {
    const counted = { ...instance, failures: instance.failures + 1 };
    if (!CANNOT_START.has(because)) return launch(counted, because, context);
    return rest(counted, { kind: 'backoff', until: after(context.now.mono, START_AGAIN_MS), because, why });
  }
  const failures = instance.failures + 1;
  if (givesUp(plan, failures)) {
    // Its next time is another chance.
    if (isScheduled(instance)) return begin(instance, because, context);
    const tries = failures === 1 ? 'one try' : `${failures} tries in a row`;
    const given = `${why}; given up after ${tries}`;
    return rest({ ...instance, failures }, { kind: 'failed', because, why: given });
  }
  const until = after(context.now.mono, backoffDelay(plan, failures, run));
  return rest({ ...instance, failures }, { kind: 'backoff', until, because, why });
}

function whatNext(instance: Instance, life: Life, ending: Ending, exit: ExitRecord, context: Context): Step {
  if (instance.wish.want === 'down') return stand(instance);
  if (ending.cause === 'planned') return begin({ ...instance, failures: 0 }, ending.because, context);
  const why = sentence(ending, exit);
  if (ending.cause === 'fault') return retry(instance, life.run, ending.because, why, context);
  return byPolicy(instance, life, exit, why, context);
}

/** The policy is the one that holds now; a change of it takes effect at once. */
function byPolicy(instance: Instance, life: Life, exit: ExitRecord, why: string, context: Context): Step {
  const clean = isClean(life, exit.exit);
  const { restart } = instance.program;
  // A schedule says when a run that was well is followed by another: `always` comes to it by a reload that ends it.
  const goesOn = restart === 'always' && !isScheduled(instance);
  if (goesOn || (restart !== 'never' && !clean)) {
    return retry(instance, life.run, 'crash', why, context);
  }
  if (isScheduled(instance)) return begin(instance, 'schedule', context);
  return rest(instance, clean ? { kind: 'exited' } : { kind: 'failed', because: 'crash', why });
}

function exitRecord({ life, said }: Body, ending: Ending, now: Moment): ExitRecord {
  const inFlight = ending.drained ? 0 : (said.inFlight ?? 0);
  return {
    run: life.run,
    exit: ending.exit ?? { kind: 'unknown' },
    at: now.wall,
    because: ending.because,
    drained: ending.drained,
    killed: ending.killed,
    livedMs: now.mono - life.startedAt.mono,
    ...(inFlight > 0 ? { inFlight } : {}),
    ...(ending.killed ? { endingMs: now.mono - ending.since.mono } : {}),
  };
}

function sentence(ending: Ending, exit: ExitRecord): string {
  const lived = formatDuration(exit.livedMs);
  if (ending.cause === 'fault') return `${ending.why ?? 'was not ready in time'} (after ${lived})`;
  return `${describeExit(exit.exit)} after ${lived}`;
}

/** Whether the run was ready for long enough to forget the failures before it. */
function goodStretch(body: Body, ending: Ending): boolean {
  const limit = resetAfterMs(body.life.program);
  if (body.readyAt === null || ending.neverWell) return false;
  return ending.since.mono - body.readyAt.mono >= limit;
}

/** How long a run has to have been ready to be a good one: without a backoff as the config has it by default. */
export const resetAfterMs = ({ backoff }: ProgramPlan): number => backoff?.resetAfterMs ?? 10_000;

/** It ended as it should, and by policy that was all. */
export const isFinal = (life: Life, exit: ExitStatus): boolean =>
  life.program.restart !== 'always' && isClean(life, exit);

export function isClean(life: Life, exit: ExitStatus): boolean {
  return exit.kind === 'code' && life.program.successExitCodes.includes(exit.code);
}

/** Not even the instance is another: nothing is recorded, nobody is told. */
export const nothing = (instance: Instance): Step => ({ instance, effects: [] });

export const rest = (instance: Instance, phase: Instance['phase']): Step => ({
  instance: { ...instance, phase },
  effects: [],
});
