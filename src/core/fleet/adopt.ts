/** What a new daemon has to do about the runs that may have outlived the last one. */

import { hookOf } from '../instance/hook.ts';
import type { Instance } from '../instance/instance.ts';
import { deadlineOf, type Phase } from '../instance/phase.ts';
import { watchChanges } from '../instance/watch-changes.ts';
import { keyOf } from './changes.ts';
import type { FleetEffect } from './effect.ts';
import type { Fleet } from './fleet.ts';
import { unmetOf } from './view.ts';

/**
 * Takes up each run that was recorded, with the time that its deadline has left. A leader that is gone is reported
 * as any exit is; what an earlier look was to answer is asked anew.
 */
export function adoptRuns(fleet: Fleet): FleetEffect[] {
  return [...fleet.instances.values()].flatMap((instance): FleetEffect[] => {
    const { phase } = instance;
    if (phase.kind === 'backoff') return armed(fleet, instance);
    if (!('body' in phase)) return [];
    unmetOf(fleet, phase.body.life.program); // asked once, so that what is lost later is noticed
    const { run } = phase.body.life;
    const effects: FleetEffect[] = [{ type: 'adopt', run, instance, pid: phase.body.pid }];
    // Nobody knows whether it was told; to be told to stop once more cuts nothing that was not to end.
    if (phase.kind === 'stopping') {
      effects.push({ type: 'signal', run, instance, signal: phase.body.life.program.stop.signal });
    }
    if (isInDoubt(phase)) effects.push({ type: 'signal', run, instance, signal: WHETHER_ASKED });
    if ('ending' in phase) effects.push({ type: 'survey', run, instance });
    effects.push(...armed(fleet, instance));
    for (const effect of watchChanges(AT_REST, phase)) effects.push({ ...effect, instance });
    const hooking = hookOf(phase);
    const plan = hooking?.life.program.hooks[hooking.hook];
    if (hooking && plan)
      effects.push({ type: 'hook', life: hooking.life, hook: hooking.hook, plan, instance });
    return effects;
  });
}

/** For what is left of the time that its phase has. */
function armed(fleet: Fleet, { id, phase }: Instance): FleetEffect[] {
  const at = deadlineOf(phase);
  if (at === null) return [];
  const timer = { of: 'instance', id } as const;
  fleet.armed.set(keyOf(timer), at);
  return [{ type: 'arm', timer, at }];
}

/**
 * Whoever understands it answers whether it has been asked to drain (`X_ASKED=`). To others it is nothing new: it is
 * sent with each TERM and INT as well, so that one that is stopped can heed them, as systemd does.
 */
const WHETHER_ASKED = 'CONT';

/** Where another signal asks, some programs take CONT for its opposite, and a runner's answer is not about it. */
const isInDoubt = (phase: Phase): boolean =>
  phase.kind === 'draining' &&
  phase.asked === 'perhaps' &&
  phase.ending.exit === null &&
  (phase.body.life.program.drain.signal === 'TERM' || phase.body.life.program.drain.signal === 'INT');

const AT_REST = { kind: 'stopped' } as const;
