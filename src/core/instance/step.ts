/**
 * The transition function of one instance: every event in every phase is decided here, "nothing" included.
 * Planned ends ask the leader once; what belongs to another run than the present one changes nothing.
 */
import { assertNever } from '../../base/assert-never.ts';
import type { InstanceEffect, Step } from './effect.ts';
import { ask, beginEnd, endNow, grant, killAll, leaderGone, saidDrained, treeChanged } from './ending.ts';
import type { Happened, InstanceEvent } from './event.ts';
import { hear } from './hear.ts';
import { hooked } from './hooked.ts';
import type { Instance } from './instance.ts';
import { deadlineOf, lifeOf, type OnTimeout, type Phase } from './phase.ts';
import { begin, type Context, launch, nothing, rest, retry } from './settle.ts';
import { becomeAlive, becomeReady } from './starting.ts';
import { adjust, proceed, replace, scheduled, start, stop } from './wished.ts';
import { healthChecked, measured, runningDue } from './working.ts';

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
    case 'proceed':
      return proceed(instance, context);
    case 'scheduled':
      return scheduled(instance, context);
    case 'adjust':
      return adjust(instance, event.program, context);
    case 'grant':
      return grant(instance, context);
    case 'due':
      return due(instance, context);
    case 'spawned':
    case 'spawn_failed':
    case 'exited':
    case 'tree':
    case 'checked':
    case 'measured':
    case 'hooked':
    case 'notified':
      return happened(instance, event, context);
    default:
      return assertNever(event);
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
    case 'checked':
      return checked(instance, event, context);
    case 'measured':
      return phase.kind === 'running' ? measured(instance, phase, event.bytes, context) : nothing(instance);
    case 'hooked':
      return hooked(instance, event, context);
    case 'notified':
      return hear(instance, event.message, context);
    default:
      return assertNever(event);
  }
}

/** An answer that belongs to another phase came too late. */
function checked(instance: Instance, event: Extract<Happened, { type: 'checked' }>, context: Context): Step {
  const { phase } = instance;
  const { purpose, ok } = event;
  if (purpose === 'health') {
    return phase.kind === 'running' ? healthChecked(instance, phase, event, context) : nothing(instance);
  }
  if (purpose === 'drain') {
    const counts = ok && phase.kind === 'draining' && phase.body.life.program.drain.doneWhen === 'check';
    return counts ? saidDrained(instance, phase, context) : nothing(instance);
  }
  if (phase.kind !== 'starting' || phase.hook || !ok) return nothing(instance);
  const { when } = phase.body.life.program.ready;
  const asked = when === (purpose === 'log' ? 'log' : 'check');
  return asked ? becomeReady(instance, phase, context) : nothing(instance);
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
  const next = afterFailedSpawn(instance, phase, `cannot start: ${event.error}`, context);
  return { instance: next.instance, effects: [...told, ...next.effects] };
}

function afterFailedSpawn(
  instance: Instance,
  { life, end }: Extract<Phase, { kind: 'spawning' }>,
  why: string,
  context: Context,
): Step {
  if (instance.wish.want === 'down') return rest({ ...instance, failures: 0 }, { kind: 'stopped' });
  // What was to be replaced is not there: what replaces it may do better.
  if (end !== null) return begin({ ...instance, failures: 0 }, end.because, context);
  return retry(instance, life.run, 'spawn error', why, context);
}

function due(instance: Instance, context: Context): Step {
  const { phase } = instance;
  const deadline = deadlineOf(phase);
  if (deadline === null || context.now.mono < deadline) return nothing(instance);
  switch (phase.kind) {
    case 'starting':
      return phase.body.life.program.ready.when === 'spawned'
        ? becomeReady(instance, phase, context)
        : endNow(beginEnd(instance, phase, 'not ready', context, { why: 'was not ready in time' }), context);
    case 'running':
      return runningDue(instance, phase, context);
    case 'draining':
      return drainTooLong(instance, phase, context);
    case 'stopping':
    case 'sweeping':
    case 'killing':
      return killAll(instance, context);
    case 'backoff':
      return launch(instance, phase.because, context);
    // Phases without a deadline were sorted out above.
    case 'stopped':
    case 'waiting':
    case 'preparing':
    case 'spawning':
    case 'cleaning':
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
  if (phase.asked === 'perhaps') return ask(instance, phase, context);
  const wait = (): Step => ({
    instance: { ...instance, phase: { ...phase, overdue: true, deadline: null } },
    effects: [tooLong(phase)],
  });
  const act: Record<OnTimeout, () => Step> = {
    kill: () => {
      const killed = killAll(instance, context);
      return { instance: killed.instance, effects: [tooLong(phase), ...killed.effects] };
    },
    stop: () => endNow(instance, context),
    pause: wait,
    skip: wait,
  };
  return act[phase.onTimeout]();
}

const tooLong = ({ body }: Extract<Phase, { kind: 'draining' }>): InstanceEffect => ({
  type: 'announce',
  what: { type: 'overdue', run: body.life.run },
});
