/** While it works: whether it is well, whether it is still there, and whether it has grown too large or too old. */
import { after } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import type { InstanceEffect, Step } from './effect.ts';
import { askToEnd, beginEnd, endNow, type Fault } from './ending.ts';
import type { Happened } from './event.ts';
import type { Instance } from './instance.ts';
import { type Phase, wornAt } from './phase.ts';
import { type Context, nothing, rest } from './settle.ts';

type Running = Extract<Phase, { kind: 'running' }>;
type Checked = Extract<Happened, { type: 'checked' }>;

export function healthChecked(instance: Instance, phase: Running, event: Checked, context: Context): Step {
  const plan = phase.body.life.program.health;
  if (plan === null) return nothing(instance); // the plan has none any more; its last answer came late
  const { health } = phase;
  if (event.ok) {
    if (health.ok === true && health.failures === 0) return nothing(instance);
    const well = rest(instance, { ...phase, health: { ok: true, failures: 0, why: '' } });
    return { ...well, effects: health.ok === false ? [news(event)] : [] };
  }
  const failures = health.failures + 1;
  const ok = failures >= plan.failures ? false : health.ok;
  if (ok === false && plan.action === 'restart') return unwell(instance, phase, event, context);
  const next = rest(instance, { ...phase, health: { ok, failures, why: event.detail } });
  return ok === false && health.ok !== false ? { ...next, effects: [news(event)] } : next;
}

const news = ({ run, ok, detail }: Checked): InstanceEffect => ({
  type: 'announce',
  what: { type: 'health', run, ok, detail },
});

/** Its jobs may still be well: it is drained, not cut. */
function unwell(instance: Instance, phase: Running, event: Checked, context: Context): Step {
  const fault = { why: `was unhealthy: ${event.detail}`, neverWell: phase.health.ok === null };
  const next = askToEnd(instance, phase, { because: 'unhealthy', onTimeout: 'stop', fault }, context);
  return { instance: next.instance, effects: [news(event), ...next.effects] };
}

export function measured(instance: Instance, phase: Running, bytes: number, { now }: Context): Step {
  const plan = phase.body.life.program.maxMemory;
  if (plan === null) return nothing(instance);
  if (bytes <= plan.bytes) {
    const fits = phase.overSince === null && phase.worn !== 'memory';
    if (fits) return nothing(instance);
    return rest(instance, { ...phase, overSince: null, worn: phase.worn === 'memory' ? null : phase.worn });
  }
  const overSince = phase.overSince ?? now.mono;
  if (phase.worn !== null || now.mono - overSince < plan.forMs) {
    return phase.overSince === null ? rest(instance, { ...phase, overSince }) : nothing(instance);
  }
  return wear(
    instance,
    { ...phase, overSince },
    'memory',
    `uses ${mebibytes(bytes)} of ${mebibytes(plan.bytes)}`,
  );
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)}MB`;

/** One of its deadlines has come. */
export function runningDue(instance: Instance, phase: Running, context: Context): Step {
  const { mono } = context.now;
  if (phase.watchdogBy !== null && mono >= phase.watchdogBy) return missed(instance, phase, context);
  const at = wornAt(phase.body);
  if (at === null || mono < at || phase.worn !== null) return nothing(instance);
  const { maxAgeMs } = phase.body.life.program;
  return wear(instance, phase, 'age', `has run for ${formatDuration(maxAgeMs ?? 0)}`);
}

function wear(instance: Instance, phase: Running, why: 'memory' | 'age', detail: string): Step {
  const { run } = phase.body.life;
  return {
    instance: { ...instance, phase: { ...phase, worn: why } },
    effects: [{ type: 'announce', what: { type: 'worn', run, why, detail } }],
  };
}

/** It does not say that it lives. */
function missed(instance: Instance, phase: Running, context: Context): Step {
  const { said, readyAt } = phase.body;
  const limit = said.watchdogMs ?? 0;
  const why = `did not send WATCHDOG=1 within ${formatDuration(limit)}`;
  const neverWell = readyAt !== null && phase.watchdogBy === after(readyAt.mono, limit);
  return bark(instance, phase, { why, neverWell }, context);
}

export const triggered = (instance: Instance, phase: Running, context: Context): Step =>
  bark(instance, phase, { why: 'said that it hangs' }, context);

/** What hangs cannot drain, so it is told to stop. */
function bark(instance: Instance, phase: Running, fault: Fault, context: Context): Step {
  const ended = endNow(beginEnd(instance, phase, 'watchdog', context, fault), context);
  const told: InstanceEffect = {
    type: 'announce',
    what: { type: 'watchdog', run: phase.body.life.run, detail: fault.why },
  };
  return { instance: ended.instance, effects: [told, ...ended.effects] };
}
