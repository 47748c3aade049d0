/** What somebody wants of an instance, and what each phase makes of it: the wish changes at once, the phase when it can. */
import { assertNever } from '../../base/assert-never.ts';
import { after, type Moment } from '../../base/clock.ts';
import { isSamePlan, withLiveKeys } from '../change.ts';
import type { ProgramPlan } from '../plan.ts';
import type { Because } from './because.ts';
import type { Step } from './effect.ts';
import { askToEnd, beginEnd, endNow, killAll } from './ending.ts';
import type { InstanceEvent } from './event.ts';
import { cancelHook } from './hooked.ts';
import type { Instance, Wish } from './instance.ts';
import { type How, lifeOf, type Phase, type PlannedEnd, stillRunning, type Waiting } from './phase.ts';
import { begin, type Context, launch, nothing, rest } from './settle.ts';

type Start = Extract<InstanceEvent, { type: 'start' }>;
type Stop = Extract<InstanceEvent, { type: 'stop' }>;
type Replace = Extract<InstanceEvent, { type: 'replace' }>;

export function start(instance: Instance, event: Start, context: Context): Step {
  const program = event.program ?? instance.program;
  const wished = wishing({ ...instance, program }, { want: 'up', because: event.because }, instance);
  const { phase } = instance;
  switch (phase.kind) {
    case 'stopped':
    case 'exited':
    case 'failed':
    case 'backoff':
      return begin({ ...wished, failures: 0 }, event.because, context);
    case 'waiting':
      return waitingWith(wished, phase, instance.program, event.because, context);
    case 'preparing':
    case 'spawning':
      return nothing(inPhase(wished, withEnd(phase, endStillDue(instance, program, event))));
    // Alive already, or on its way down: the wish is enough, what follows the end obeys it.
    case 'starting':
    case 'running':
    case 'draining':
    case 'stopping':
    case 'sweeping':
    case 'killing':
    case 'cleaning':
      return nothing(inPhase(wished, expected(phase)));
    default:
      return assertNever(phase);
  }
}

/** The very same instance where nothing of it changes. */
function wishing(instance: Instance, wish: Wish, before: Instance): Instance {
  const isSame =
    before.wish.want === wish.want &&
    before.wish.because === wish.because &&
    before.program === instance.program &&
    before.queued === instance.queued;
  return isSame ? before : { ...instance, wish };
}

const inPhase = (instance: Instance, phase: Phase): Instance =>
  phase === instance.phase ? instance : { ...instance, phase };

type Coming = Extract<Phase, { end: PlannedEnd | null }>;

const withEnd = (phase: Coming, end: PlannedEnd | null): Coming =>
  end === phase.end ? phase : { ...phase, end };

/** A stop that came before the process did is taken back, as nobody has been asked to end yet; a replacement is not. */
function endStillDue({ phase, wish }: Instance, program: ProgramPlan, { because }: Start): PlannedEnd | null {
  if (!('end' in phase) || phase.end === null) return null;
  if (wish.want === 'up') return phase.end;
  // A pre_start hook that was cancelled has prepared nothing.
  if (phase.kind === 'preparing' && phase.end.how !== 'drain') return phase.end;
  const outdated = phase.life.program.revision !== program.revision;
  return outdated ? { because, onTimeout: 'stop', how: 'drain' } : null;
}

/** An end that leads to a start again is a planned one, even if it began as a fault: the operator has asked. */
function expected(phase: Phase): Phase {
  if (!('ending' in phase) || phase.ending.cause === 'planned') return phase;
  return { ...phase, ending: { ...phase.ending, cause: 'planned' } };
}

type Waits = Extract<Phase, { kind: 'waiting' }>;

/** What it waits for is asked anew, since the plan may be another; a schedule is not hurried by anybody. */
function waitingWith(
  instance: Instance,
  phase: Waits,
  before: ProgramPlan,
  because: Because,
  context: Context,
): Step {
  const isOnTime = phase.what.kind === 'schedule' && instance.program.schedule !== null;
  if (isOnTime) return nothing(instance);
  // One that was to run all the time, and is to run at times from now on: none of them has come.
  if (before.schedule === null && instance.program.schedule !== null)
    return begin(instance, because, context);
  // The first reason stays: a run that was queued is known by it, and not run a second time.
  const reason = instance.program.schedule === null ? because : phase.because;
  return proceed({ ...instance, phase: { ...phase, because: reason } }, context);
}

/** What a dependency was waited for may be there. */
export function proceed(instance: Instance, context: Context): Step {
  const { phase } = instance;
  if (phase.kind !== 'waiting') return nothing(instance);
  if (phase.what.kind === 'schedule' && instance.program.schedule !== null) return nothing(instance);
  const what = context.gate(instance.program);
  return what !== null && isSameWait(phase.what, what)
    ? nothing(instance)
    : launch(instance, phase.because, context);
}

const isSameWait = (a: Waiting, b: Waiting): boolean =>
  a.kind === 'dependency' &&
  b.kind === 'dependency' &&
  a.on === b.on &&
  a.condition === b.condition &&
  a.why === b.why &&
  a.hopeless === b.hopeless;

/** Its time has come. Whoever still works runs once more afterwards; whether that is wanted, the fleet knows. */
export function scheduled(instance: Instance, context: Context): Step {
  const { phase, wish } = instance;
  if (wish.want === 'down') return nothing(instance);
  const isIdle = phase.kind === 'waiting' && phase.what.kind === 'schedule';
  if (isIdle) return launch({ ...instance, failures: 0 }, 'schedule', context);
  if (phase.kind === 'backoff' || phase.kind === 'failed' || phase.kind === 'exited') {
    return launch({ ...instance, failures: 0 }, 'schedule', context);
  }
  return nothing({ ...instance, queued: true });
}

/** What of a new plan takes effect at once, for the run that there is; the next one has all of what is given. */
export function adjust(instance: Instance, program: ProgramPlan, { now }: Context): Step {
  const phase = adjusted(instance.phase, program, now);
  const isSame = phase === instance.phase && isSamePlan(instance.program, program);
  return nothing(isSame ? instance : { ...instance, program, phase });
}

function adjusted(phase: Phase, program: ProgramPlan, now: Moment): Phase {
  const before = lifeOf(phase);
  if (before === null) return phase;
  const life = { ...before, program: withLiveKeys(before.program, program) };
  if (isSamePlan(before.program, life.program)) return phase;
  if (!('body' in phase)) return { ...phase, life } as Phase; // the same phase with another life
  const body = { ...phase.body, life };
  return phase.kind === 'running' ? stillRunning({ ...phase, body }, now) : { ...phase, body };
}

export function stop(instance: Instance, event: Stop, context: Context): Step {
  const wish = { want: 'down', because: event.because } as const;
  const wished = wishing({ ...instance, queued: false }, wish, instance);
  const { phase } = instance;
  switch (phase.kind) {
    case 'stopped':
      return nothing(wished);
    case 'waiting':
    case 'exited':
    case 'failed':
    case 'backoff':
      return rest({ ...wished, failures: 0 }, { kind: 'stopped' });
    default:
      // One that drains already goes on, and no rollout decides any more what follows.
      if (event.how === 'later') return harder(wished, 'drain', context);
      return stopAlive(wished, event, event.how, context);
  }
}

function stopAlive(wished: Instance, event: Stop, how: How, context: Context): Step {
  const { phase } = wished;
  const { because, onTimeout = 'stop' } = event;
  switch (phase.kind) {
    case 'preparing': {
      const cancelled = how === 'drain' ? [] : cancelHook(phase);
      return {
        instance: { ...wished, phase: { ...phase, end: sooner(phase.end, event, how) } },
        effects: cancelled,
      };
    }
    case 'spawning':
      return nothing({ ...wished, phase: { ...phase, end: sooner(phase.end, event, how) } });
    case 'starting':
    case 'running':
      if (how === 'drain') return askToEnd(wished, phase, { because, onTimeout }, context);
      return harder(beginEnd(wished, phase, because, context), how, context);
    case 'cleaning':
      return { instance: wished, effects: how === 'drain' ? [] : cancelHook(phase) };
    case 'draining':
    case 'stopping':
    case 'sweeping':
    case 'killing':
      return harder(wished, how, context);
    // Nothing of these lives: `stop` has dealt with them.
    case 'stopped':
    case 'waiting':
    case 'backoff':
    case 'exited':
    case 'failed':
      return nothing(wished);
    default:
      return assertNever(phase);
  }
}

/** The first reason stays, and an end never becomes softer. */
function sooner(end: PlannedEnd | null, { because, onTimeout = 'stop' }: Stop, how: How): PlannedEnd {
  if (end === null) return { because, onTimeout, how };
  return { ...end, onTimeout: 'stop', how: HARDNESS[how] > HARDNESS[end.how] ? how : end.how };
}

const HARDNESS: Record<How, number> = { drain: 0, now: 1, kill: 2 };

/** As far as the operator insists; an end never becomes softer. */
function harder(instance: Instance, how: How, context: Context): Step {
  if (how === 'kill') return killAll(instance, context);
  if (how === 'now') return endNow(instance, context);
  const { phase } = instance;
  if (phase.kind !== 'draining') return nothing(instance);
  // The drain goes on, but it is no longer a rollout's: when it takes too long, `stop` follows.
  const limit = phase.body.life.program.drain.timeoutMs;
  if (phase.onTimeout === 'stop' && !phase.overdue) return nothing(instance);
  const deadline = phase.overdue && limit !== null ? after(context.now.mono, limit) : phase.deadline;
  return nothing({ ...instance, phase: { ...phase, onTimeout: 'stop', overdue: false, deadline } });
}

export function replace(instance: Instance, event: Replace, context: Context): Step {
  const next: Instance = { ...instance, program: event.program, generation: event.generation };
  const { phase } = instance;
  if (instance.wish.want === 'down') return nothing(next);
  switch (phase.kind) {
    case 'stopped':
    case 'exited':
    case 'failed':
    case 'backoff':
      return begin({ ...next, failures: 0 }, event.because, context);
    case 'waiting':
      return waitingWith(next, phase, instance.program, event.because, context);
    case 'preparing':
    case 'spawning': {
      const end = phase.end ?? { because: event.because, onTimeout: event.onTimeout, how: 'drain' };
      return nothing({ ...next, phase: { ...phase, end } });
    }
    case 'starting':
    case 'running':
      return askToEnd(next, phase, event, context);
    // Ending already: what comes next has the new plan, and nobody is asked twice.
    case 'draining':
    case 'stopping':
    case 'sweeping':
    case 'killing': {
      const expecting: Instance = { ...next, phase: expected(phase) };
      // What a rollout left hanging, the operator's own restart takes on.
      return event.because === 'operator' ? harder(expecting, 'drain', context) : nothing(expecting);
    }
    case 'cleaning':
      return nothing({ ...next, phase: expected(phase) });
    default:
      return assertNever(phase);
  }
}
