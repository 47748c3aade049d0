/**
 * The next run of an instance is got ready while the present one still ends. It has its number from then on, which
 * nobody else ever gets; one of which nothing comes is left out.
 */
import { type InstanceId, type Run, run } from '../../base/ids.ts';
import type { Instance } from '../instance/instance.ts';
import { type Context, nextLife } from '../instance/settle.ts';
import type { FleetEffect } from './effect.ts';
import type { Fleet } from './fleet.ts';

/** The number that a run of this instance has if it is begun now. */
export const nextRunOf = ({ reserved, nextRun }: Fleet, id: InstanceId): Run => reserved.get(id) ?? nextRun;

/**
 * After each change of an instance. That another plan has come meanwhile is not said: whoever has got something ready
 * compares it with what is asked for in the end.
 */
export function lookAhead(fleet: Fleet, instance: Instance, context: Context): FleetEffect[] {
  const { id } = instance;
  const reserved = fleet.reserved.get(id);
  const life = nextLife(instance, context);
  if (life !== null && reserved === undefined) {
    fleet.reserved.set(id, life.run);
    fleet.nextRun = run(life.run + 1);
    return [{ type: 'prepare', life, instance }];
  }
  if (life !== null || reserved === undefined) return [];
  fleet.reserved.delete(id);
  return [{ type: 'unprepare', run: reserved, instance }];
}
