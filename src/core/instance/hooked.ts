/** A hook has ended: what its phase waited for it to do may go on, or has failed. */
import type { HookPlan } from '../plan.ts';
import type { InstanceEffect, Step } from './effect.ts';
import { ask, askToEnd } from './ending.ts';
import type { Happened } from './event.ts';
import { hookOf } from './hook.ts';
import type { Instance } from './instance.ts';
import { newlyRunning, type Phase } from './phase.ts';
import { begin, type Context, cleaned, nothing, rest, retry, spawn } from './settle.ts';
import { work } from './starting.ts';

type Hooked = Extract<Happened, { type: 'hooked' }>;

export function hooked(instance: Instance, event: Hooked, context: Context): Step {
  const { phase } = instance;
  const hooking = hookOf(phase);
  if (hooking?.hook !== event.hook) return nothing(instance); // of a phase that is over
  const plan = hooking.life.program.hooks[event.hook];
  const fault = faultOf(plan, event);
  const next = goOn(instance, phase, fault, context);
  return { instance: next.instance, effects: [...told(event), ...next.effects] };
}

/** What its failure means; null where it has done well or does not matter. */
function faultOf(plan: HookPlan | null, { hook, ok, detail }: Hooked): string | null {
  return ok || plan?.onFailure !== 'fail' ? null : `failed in its ${hook} hook: ${detail}`;
}

const told = ({ run, hook, ok, detail }: Hooked): InstanceEffect[] =>
  ok ? [] : [{ type: 'announce', what: { type: 'hook_failed', run, hook, error: detail } }];

function goOn(instance: Instance, phase: Phase, fault: string | null, context: Context): Step {
  switch (phase.kind) {
    case 'preparing':
      return prepared(instance, phase, fault, context);
    case 'starting':
      return fault === null
        ? work(instance, phase.body, context)
        : askToEnd(instance, phase, { because: 'hook', onTimeout: 'stop', fault: { why: fault } }, context);
    case 'draining':
      return readyToDrain(instance, phase, fault, context);
    case 'cleaning':
      return cleaned(instance, phase, fault, context);
    default:
      return nothing(instance);
  }
}

type Preparing = Extract<Phase, { kind: 'preparing' }>;

function prepared(instance: Instance, phase: Preparing, fault: string | null, context: Context): Step {
  const { life, end } = phase;
  if (instance.wish.want === 'down') return rest({ ...instance, failures: 0 }, { kind: 'stopped' });
  if (end !== null) return begin({ ...instance, failures: 0 }, end.because, context);
  if (fault !== null) return retry(instance, life.run, 'hook', `cannot start: it ${fault}`, context);
  return spawn(instance, life);
}

type Draining = Extract<Phase, { kind: 'draining' }>;

/** Before a rollout's turn, a failure leaves everything as it was; nothing else may be refused by a hook. */
function readyToDrain(instance: Instance, phase: Draining, fault: string | null, context: Context): Step {
  const { body, ending } = phase;
  // Of all planned ends, only a rollout's turn is not to end in a stop. Who is not wanted any more is to go all the same.
  const isTurn = phase.onTimeout !== 'stop' && instance.wish.want === 'up';
  const untouched = fault !== null && isTurn && ending.exit === null;
  if (untouched && body.readyAt !== null) {
    const { program, generation } = body.life;
    return rest({ ...instance, program, generation }, newlyRunning(body, context.now));
  }
  return ask(instance, phase, context);
}

/** Hooks of the run that nobody waits for any more, where somebody insists on the end. */
export const cancelHook = (phase: Phase): InstanceEffect[] => {
  const hooking = hookOf(phase);
  return hooking === null ? [] : [{ type: 'unhook', run: hooking.life.run }];
};
