/** From a process to a working one. */
import { after } from '../../base/clock.ts';
import type { Pid } from '../../base/ids.ts';
import type { Step } from './effect.ts';
import { askToEnd, beginEnd, endNow, killAll } from './ending.ts';
import type { Instance } from './instance.ts';
import type { Body, Phase, PlannedEnd } from './phase.ts';
import type { Context } from './settle.ts';

type Spawning = Extract<Phase, { kind: 'spawning' }>;
type Starting = Extract<Phase, { kind: 'starting' }>;

export function becomeAlive(instance: Instance, phase: Spawning, pid: Pid, context: Context): Step {
  const { life, end } = phase;
  const body: Body = { life, pid, readyAt: null, said: { status: '', inFlight: null, drained: false } };
  const starting: Starting = { kind: 'starting', body, readyBy: readyBy(body, context) };
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
  if (end.how === 'drain') return askToEnd(instance, phase, end.because, end.onTimeout, context);
  const ending = beginEnd(instance, phase, end.because, context);
  return end.how === 'now' ? endNow(ending, context) : killAll(ending, context);
}

export function becomeReady(instance: Instance, phase: Starting, context: Context): Step {
  const body: Body = { ...phase.body, readyAt: context.now };
  return {
    instance: { ...instance, phase: { kind: 'running', body } },
    effects: [{ type: 'announce', what: { type: 'ready', run: body.life.run } }],
  };
}

function readyBy(body: Body, context: Context): Starting['readyBy'] {
  const { ready } = body.life.program;
  const ms = ready.when === 'spawned' ? ready.forMs : ready.timeoutMs;
  return ms === null ? null : after(context.now.mono, ms);
}
