/** What comes next once nothing of a run is left: the wish and the policy decide together. */
import { after, type Moment } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import { describeExit, type ExitStatus } from '../../base/exit-status.ts';
import type { Run } from '../../base/ids.ts';
import { backoffDelay, givesUp } from './backoff.ts';
import type { Because } from './because.ts';
import type { InstanceEffect, Step } from './effect.ts';
import type { ExitRecord, Instance } from './instance.ts';
import type { Body, Ending, Life } from './phase.ts';

/** What a step may draw on beside its event. */
export interface Context {
  readonly now: Moment;
  /** The number that a run begun in this step has. */
  readonly nextRun: Run;
}

export function settle(instance: Instance, body: Body, ending: Ending, context: Context): Step {
  const exit = exitRecord(body.life, ending, context.now);
  const failures = goodStretch(body, ending) ? 0 : instance.failures;
  const next = { ...instance, failures, lastExit: exit };
  const gone: readonly InstanceEffect[] = [
    { type: 'forget', run: body.life.run },
    {
      type: 'announce',
      what: { type: 'gone', run: body.life.run, drained: exit.drained, killed: exit.killed },
    },
  ];
  const then = whatNext(next, body.life, ending, exit, context);
  return { instance: then.instance, effects: [...gone, ...then.effects] };
}

/** Begins a run, whatever came before. */
export function spawn(instance: Instance, because: Because, context: Context): Step {
  const life: Life = {
    run: context.nextRun,
    program: instance.program,
    generation: instance.generation,
    because,
    startedAt: context.now,
  };
  return {
    instance: {
      ...instance,
      phase: { kind: 'spawning', life, end: null },
      restarts: instance.lastRun === null ? instance.restarts : instance.restarts + 1,
      lastRun: life.run,
    },
    effects: [{ type: 'spawn', life }],
  };
}

/** What cannot even be started is tried again after this, even without a backoff: at once would be a busy loop. */
const SPAWN_AGAIN_MS = 100;

/** A run that failed: wait, go on at once, or give up. */
export function retry(instance: Instance, run: Run, because: Because, why: string, context: Context): Step {
  const plan = instance.program.backoff;
  if (plan === null) {
    if (because !== 'spawn error') return spawn(instance, because, context);
    return rest(instance, { kind: 'backoff', until: after(context.now.mono, SPAWN_AGAIN_MS), because, why });
  }
  const failures = instance.failures + 1;
  if (givesUp(plan, failures)) {
    const given = `${why}; given up after ${failures} tries in a row`;
    return rest({ ...instance, failures }, { kind: 'failed', because, why: given });
  }
  const until = after(context.now.mono, backoffDelay(plan, failures, run));
  return rest({ ...instance, failures }, { kind: 'backoff', until, because, why });
}

function whatNext(instance: Instance, life: Life, ending: Ending, exit: ExitRecord, context: Context): Step {
  if (instance.wish.want === 'down') return rest({ ...instance, failures: 0 }, { kind: 'stopped' });
  if (ending.cause === 'planned') return spawn({ ...instance, failures: 0 }, ending.because, context);
  const why = sentence(ending, exit);
  if (ending.cause === 'fault') return retry(instance, life.run, ending.because, why, context);
  return byPolicy(instance, life, exit, why, context);
}

function byPolicy(instance: Instance, life: Life, exit: ExitRecord, why: string, context: Context): Step {
  const clean = isClean(life, exit.exit);
  const { restart } = life.program;
  if (restart === 'always' || (restart === 'on_failure' && !clean)) {
    return retry(instance, life.run, 'crash', why, context);
  }
  return rest(instance, clean ? { kind: 'exited' } : { kind: 'failed', because: 'crash', why });
}

function exitRecord(life: Life, ending: Ending, now: Moment): ExitRecord {
  return {
    run: life.run,
    exit: ending.exit ?? { kind: 'unknown' },
    at: now.wall,
    because: ending.because,
    drained: ending.drained,
    killed: ending.killed,
    livedMs: now.mono - life.startedAt.mono,
  };
}

function sentence(ending: Ending, exit: ExitRecord): string {
  const lived = formatDuration(exit.livedMs);
  if (ending.cause === 'fault') return `was not ready in time (after ${lived})`;
  return `${describeExit(exit.exit)} after ${lived}`;
}

/** Whether the run was ready for long enough to forget the failures before it. */
function goodStretch(body: Body, ending: Ending): boolean {
  const limit = body.life.program.backoff?.resetAfterMs ?? 0;
  return body.readyAt !== null && ending.since.mono - body.readyAt.mono >= limit;
}

/** It ended as it should, and by policy that was all. */
export const isFinal = (life: Life, exit: ExitStatus): boolean =>
  life.program.restart !== 'always' && isClean(life, exit);

function isClean(life: Life, exit: ExitStatus): boolean {
  return exit.kind === 'code' && life.program.successExitCodes.includes(exit.code);
}

const rest = (instance: Instance, phase: Instance['phase']): Step => ({
  instance: { ...instance, phase },
  effects: [],
});
