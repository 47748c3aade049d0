/** From a process to a working one. */
import { after } from '../../base/clock.ts';
import type { Pid } from '../../base/ids.ts';
import type { InstanceEffect, Step } from './effect.ts';
import { askToEnd, beginEnd, endNow, killAll } from './ending.ts';
import type { Instance } from './instance.ts';
import { type Body, newlyRunning, type Phase, type PlannedEnd, silent } from './phase.ts';
import type { Context } from './settle.ts';

type Spawning = Extract<Phase, { kind: 'spawning' }>;
type Starting = Extract<Phase, { kind: 'starting' }>;

export function becomeAlive(instance: Instance, phase: Spawning, pid: Pid, context: Context): Step {
  const { life, end } = phase;
  const body: Body = { life, pid, readyAt: null, said: silent(life.program) };
  const starting: Starting = { kind: 'starting', body, readyBy: readyBy(body, context), hook: false };
  const alive: Instance = { ...instance, phase: starting };
  const told = {
    type: 'announce',
    what: { type: 'spawned', run: life.run, pid, generation: life.generation },
  } as const;
  const next = end ? endAtOnce(alive, starting, end, context) : { instance: alive, effects: [] };
  return { instance: next.instance, effects: [told, ...next.effects] };
}

/** An end was wished for before there was a process to ask. */
function endAtOnce(instance: Instance, phase: Starting, end: PlannedEnd, context: Context): Step {
  if (end.how === 'drain') return askToEnd(instance, phase, end, context);
  const ending = beginEnd(instance, phase, end.because, context);
  return end.how === 'now' ? endNow(ending, context) : killAll(ending, context);
}

/** It is ready, but for its post_start hook. */
export function becomeReady(instance: Instance, phase: Starting, context: Context): Step {
  const { body } = phase;
  if (body.life.program.hooks.post_start === null) return work(instance, body, context);
  return {
    instance: { ...instance, phase: { kind: 'starting', body, readyBy: null, hook: true } },
    effects: [],
  };
}

/** Everything that belongs to its start is done. */
export function work(instance: Instance, body: Body, context: Context): Step {
  const ready: InstanceEffect = { type: 'announce', what: { type: 'ready', run: body.life.run } };
  return {
    instance: { ...instance, phase: newlyRunning({ ...body, readyAt: context.now }, context.now) },
    effects: [ready],
  };
}

function readyBy(body: Body, context: Context): Starting['readyBy'] {
  const { ready } = body.life.program;
  const ms = ready.when === 'spawned' ? ready.forMs : ready.timeoutMs;
  return ms === null ? null : after(context.now.mono, ms);
}
