/**
 * The transition function of one instance: every event in every phase is decided here, "nothing" included.
 * Planned ends ask the leader once; what belongs to another run than the present one changes nothing.
 */
import { assertNever } from '../../base/assert-never.ts';
import { after } from '../../base/clock.ts';
import type { ProgramPlan } from '../plan.ts';
import type { Step } from './effect.ts';
import { askToEnd, beginEnd, endNow, grant, killAll, leaderGone, treeChanged } from './ending.ts';
import type { Happened, InstanceEvent } from './event.ts';
import { hear } from './hear.ts';
import type { Instance } from './instance.ts';
import { deadlineOf, type How, lifeOf, type OnTimeout, type Phase, type PlannedEnd } from './phase.ts';
import { type Context, retry, spawn } from './settle.ts';
import { becomeAlive, becomeReady } from './starting.ts';

export type { Context } from './settle.ts';

export function step(instance: Instance, event: InstanceEvent, context: Context): Step {
  if ('run' in event && lifeOf(instance.phase)?.run !== event.run) return nothing(instance);
  switch (event.type) {
    case 'start':
      return start(instance, event, context);
    case 'stop':
      return stop(instance, event, context);
    case 'replace':
      return replace(instance, event, context);
    case 'grant':
      return grant(instance, context);
    case 'due':
      return due(instance, context);
    case 'spawned':
    case 'spawn_failed':
    case 'exited':
    case 'tree':
    case 'notified':
      return happened(instance, event, context);
    default:
      return assertNever(event);
  }
}

type Start = Extract<InstanceEvent, { type: 'start' }>;
type Stop = Extract<InstanceEvent, { type: 'stop' }>;
type Replace = Extract<InstanceEvent, { type: 'replace' }>;

function start(instance: Instance, event: Start, context: Context): Step {
  const program = event.program ?? instance.program;
  const wished: Instance = { ...instance, program, wish: { want: 'up', because: event.because } };
  switch (instance.phase.kind) {
    case 'stopped':
    case 'exited':
    case 'failed':
    case 'backoff':
      return spawn({ ...wished, failures: 0 }, event.because, context);
    case 'spawning':
      return nothing({ ...wished, phase: { ...instance.phase, end: endStillDue(instance, program, event) } });
    // Alive already, or on its way down: the wish is enough, what follows the end obeys it.
    case 'starting':
    case 'running':
    case 'draining':
    case 'stopping':
    case 'sweeping':
    case 'killing':
      return nothing({ ...wished, phase: expected(instance.phase) });
    default:
      return assertNever(instance.phase);
  }
}

/** A stop that came before the process did is taken back, as nobody has been asked to end yet; a replacement is not. */
function endStillDue({ phase, wish }: Instance, program: ProgramPlan, { because }: Start): PlannedEnd | null {
  if (phase.kind !== 'spawning' || phase.end === null) return null;
  if (wish.want === 'up') return phase.end;
  const outdated = phase.life.program.revision !== program.revision;
  return outdated ? { because, onTimeout: 'stop', how: 'drain' } : null;
}

/** An end that leads to a start again is a planned one, even if it began as a fault: the operator has asked. */
function expected(phase: Phase): Phase {
  return 'ending' in phase ? { ...phase, ending: { ...phase.ending, cause: 'planned' } } : phase;
}

function stop(instance: Instance, event: Stop, context: Context): Step {
  const wished: Instance = { ...instance, wish: { want: 'down', because: event.because } };
  switch (instance.phase.kind) {
    case 'stopped':
      return nothing(wished);
    case 'exited':
    case 'failed':
    case 'backoff':
      return nothing({ ...wished, failures: 0, phase: { kind: 'stopped' } });
    case 'spawning':
      return nothing({
        ...wished,
        phase: { ...instance.phase, end: sooner(instance.phase.end, event) },
      });
    case 'starting':
    case 'running':
      if (event.how === 'drain') return askToEnd(wished, instance.phase, event.because, 'stop', context);
      return harder(beginEnd(wished, instance.phase, event.because, context), event.how, context);
    case 'draining':
    case 'stopping':
    case 'sweeping':
    case 'killing':
      return harder(wished, event.how, context);
    default:
      return assertNever(instance.phase);
  }
}

/** The first reason stays, and an end never becomes softer. */
function sooner(end: PlannedEnd | null, { because, how }: Stop): PlannedEnd {
  if (end === null) return { because, onTimeout: 'stop', how };
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
  const deadline = phase.overdue && limit !== null ? after(context.now.mono, limit) : phase.deadline;
  return nothing({ ...instance, phase: { ...phase, onTimeout: 'stop', overdue: false, deadline } });
}

function replace(instance: Instance, event: Replace, context: Context): Step {
  const next: Instance = { ...instance, program: event.program, generation: event.generation };
  const { phase } = instance;
  if (instance.wish.want === 'down') return nothing(next);
  switch (phase.kind) {
    case 'stopped':
    case 'exited':
    case 'failed':
    case 'backoff':
      return spawn({ ...next, failures: 0 }, event.because, context);
    case 'spawning':
      return nothing({
        ...next,
        phase: {
          ...phase,
          end: phase.end ?? { because: event.because, onTimeout: event.onTimeout, how: 'drain' },
        },
      });
    case 'starting':
    case 'running':
      return askToEnd(next, phase, event.because, event.onTimeout, context);
    // Ending already: what comes next has the new plan, and nobody is asked twice.
    case 'draining':
    case 'stopping':
    case 'sweeping':
    case 'killing': {
      const expecting: Instance = { ...next, phase: expected(phase) };
      // What a rollout left hanging, the operator's own restart takes on.
      return event.because === 'operator' ? harder(expecting, 'drain', context) : nothing(expecting);
    }
    default:
      return assertNever(phase);
  }
}

function happened(instance: Instance, event: Exclude<Happened, { type: 'due' }>, context: Context): Step {
  const { phase } = instance;
  switch (event.type) {
    case 'spawned':
      return phase.kind === 'spawning' ? becomeAlive(instance, phase, event.pid, context) : nothing(instance);
    case 'spawn_failed':
      return phase.kind === 'spawning' ? spawnFailed(instance, phase, event, context) : nothing(instance);
    case 'exited':
      return leaderGone(instance, event.exit, context);
    case 'tree':
      return treeChanged(instance, event.left, context);
    case 'notified':
      return hear(instance, event.message, context);
    default:
      return assertNever(event);
  }
}

function spawnFailed(
  instance: Instance,
  phase: Extract<Phase, { kind: 'spawning' }>,
  event: Extract<Happened, { type: 'spawn_failed' }>,
  context: Context,
): Step {
  const { run } = event;
  const told = [
    { type: 'forget', run } as const,
    {
      type: 'announce',
      what: { type: 'spawn_failed', run, stage: event.stage, error: event.error },
    } as const,
  ];
  const next =
    instance.wish.want === 'down'
      ? nothing({ ...instance, failures: 0, phase: { kind: 'stopped' } })
      : retry(instance, phase.life.run, 'spawn error', `cannot start: ${event.error}`, context);
  return { instance: next.instance, effects: [...told, ...next.effects] };
}

function due(instance: Instance, context: Context): Step {
  const { phase } = instance;
  const deadline = deadlineOf(phase);
  if (deadline === null || context.now.mono < deadline) return nothing(instance);
  switch (phase.kind) {
    case 'starting':
      return phase.body.life.program.ready.when === 'spawned'
        ? becomeReady(instance, phase, context)
        : endNow(beginEnd(instance, phase, 'not ready', context, 'fault'), context);
    case 'draining':
      return drainTooLong(instance, phase, context);
    case 'stopping':
    case 'sweeping':
    case 'killing':
      return killAll(instance, context);
    case 'backoff':
      return spawn(instance, phase.because, context);
    // Phases without a deadline were sorted out above.
    case 'stopped':
    case 'spawning':
    case 'running':
    case 'exited':
    case 'failed':
      return nothing(instance);
    default:
      return assertNever(phase);
  }
}

function drainTooLong(
  instance: Instance,
  phase: Extract<Phase, { kind: 'draining' }>,
  context: Context,
): Step {
  const act: Record<OnTimeout, () => Step> = {
    kill: () => killAll(instance, context),
    stop: () => endNow(instance, context),
    pause: () => ({
      instance: { ...instance, phase: { ...phase, overdue: true, deadline: null } },
      effects: [{ type: 'announce', what: { type: 'overdue', run: phase.body.life.run } }],
    }),
  };
  return act[phase.onTimeout]();
}

const nothing = (instance: Instance): Step => ({ instance, effects: [] });
