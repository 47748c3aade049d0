/** What an instance reports about itself, and what follows from it. */
import { after, type Mono } from '../../base/clock.ts';
import type { InstanceEffect, InstanceNews, Step } from './effect.ts';
import { ask, saidDrained, wholeTime } from './ending.ts';
import type { Notified } from './event.ts';
import type { Instance } from './instance.ts';
import { type Body, bodyOf, type Phase, type Said } from './phase.ts';
import type { Context } from './settle.ts';
import { becomeReady } from './starting.ts';
import { triggered } from './working.ts';

export function hear(instance: Instance, message: Notified, context: Context): Step {
  const body = bodyOf(instance.phase);
  if (body === null) return { instance, effects: [] }; // spawning: nobody is there to speak yet
  const noted = withBody(instance, { ...body, said: note(body.said, message) });
  const known = sure(noted, message, context);
  const extended =
    message.extendTimeoutMs === undefined ? known : extend(known, message.extendTimeoutMs, context);
  const then = act(beat(extended, message, context), message, context);
  return { instance: then.instance, effects: [...reports(body, message), ...then.effects] };
}

/**
 * Whoever says that it drains has been asked, whatever the last daemon lived to write down. One that was to be asked at
 * this moment has as much time from now on as if it had been.
 */
function sure(instance: Instance, { stopping, drained, asked }: Notified, { now }: Context): Instance {
  const { phase } = instance;
  if (phase.kind !== 'draining' || phase.asked !== 'perhaps') return instance;
  if (!stopping && !drained && !asked) return instance;
  const isDue = phase.deadline !== null && phase.deadline <= now.mono;
  const deadline = isDue ? wholeTime(phase.body, now) : phase.deadline;
  return { ...instance, phase: { ...phase, asked: true, deadline } };
}

function act(instance: Instance, message: Notified, context: Context): Step {
  const { phase } = instance;
  if (
    phase.kind === 'starting' &&
    !phase.hook &&
    message.ready &&
    phase.body.life.program.ready.when === 'notify'
  ) {
    return becomeReady(instance, phase, context);
  }
  // X_DRAINED counts only once the instance was asked: before that, it may still take on work.
  if (phase.kind === 'draining' && message.drained && isByWord(phase)) {
    return saidDrained(instance, phase, context);
  }
  // The last daemon did not live to do it.
  if (phase.kind === 'draining' && phase.asked === 'perhaps' && message.asked === false)
    return ask(instance, phase, context);
  if (phase.kind === 'running' && message.watchdog === 'trigger') return triggered(instance, phase, context);
  return { instance, effects: [] };
}

/** With a check, its own word is only noted. */
const isByWord = ({ body }: Extract<Phase, { kind: 'draining' }>): boolean =>
  body.life.program.drain.doneWhen !== 'check';

/** The very same where nothing is new. */
function note(said: Said, message: Notified): Said {
  const noted = noteAll(said, message);
  // Said has no other keys.
  const isSame = (Object.keys(said) as (keyof Said)[]).every((key) => said[key] === noted[key]);
  return isSame ? said : noted;
}

function noteAll(said: Said, message: Notified): Said {
  return {
    ...said,
    status: message.status ?? said.status,
    inFlight: message.inFlight ?? said.inFlight,
    watchdogMs: message.watchdogMs ?? said.watchdogMs,
    reloading: message.ready ? false : (message.reloading ?? said.reloading),
    errno: message.errno ?? said.errno,
  };
}

/** The time until the next WATCHDOG=1 begins anew, with the one that came or with a new length. */
function beat(instance: Instance, message: Notified, { now }: Context): Instance {
  const { phase } = instance;
  if (phase.kind !== 'running') return instance;
  if (message.watchdog !== 'alive' && message.watchdogMs === undefined) return instance;
  const { watchdogMs } = phase.body.said;
  const watchdogBy = watchdogMs === null ? null : after(now.mono, watchdogMs);
  return watchdogBy === phase.watchdogBy ? instance : { ...instance, phase: { ...phase, watchdogBy } };
}

function reports(body: Body, message: Notified): InstanceEffect[] {
  const news = (what: 'stopping' | 'drained'): InstanceNews => ({
    type: 'reported',
    run: body.life.run,
    what,
  });
  return [...(message.stopping ? [news('stopping')] : []), ...(message.drained ? [news('drained')] : [])].map(
    (what) => ({ type: 'announce', what }),
  );
}

/** As systemd has it: the deadline is no sooner than so long from now, and never moves nearer. */
function extend(instance: Instance, ms: number, context: Context): Instance {
  const { phase } = instance;
  const deadline = movable(phase);
  const least = after(context.now.mono, ms);
  if (deadline === null || deadline >= least) return instance;
  if (phase.kind === 'starting') return { ...instance, phase: { ...phase, readyBy: least } };
  if (phase.kind === 'draining') return { ...instance, phase: { ...phase, deadline: least } };
  return phase.kind === 'stopping' ? { ...instance, phase: { ...phase, killAt: least } } : instance;
}

/** The deadline that a program may move; null: it runs, or is past every such. */
function movable(phase: Phase): Mono | null {
  if (phase.kind === 'starting')
    return phase.body.life.program.ready.when === 'spawned' ? null : phase.readyBy;
  if (phase.kind === 'draining') return phase.deadline;
  return phase.kind === 'stopping' ? phase.killAt : null;
}

function withBody(instance: Instance, body: Body): Instance {
  const { phase } = instance;
  if (body.said === bodyOf(phase)?.said) return instance;
  return 'body' in phase ? { ...instance, phase: { ...phase, body } as Phase } : instance; // the same phase with another body
}
