/** What changes between two plans, key by key, in the words of the config, and when each change takes effect. */
import { type ChangeEffect, effectOf } from '../core/change.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import { type Difference, differences, said } from './differences.ts';
import { TOP } from './keys.ts';
import { fieldOf } from './program-keys.ts';
import { isSecret } from './secrets.ts';
import { writtenProgram } from './written.ts';

/** The same as the wire's `PlanChange`. */
export interface ProgramChange {
  /** Empty for the keys of the daemon itself. */
  readonly program: string;
  /** `drain.timeout` */
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly effect: ChangeEffect;
  readonly note: string | null;
}

/** Generic over all keys of the normalised program, so that no key can be forgotten. */
export function comparePlans(before: ProgramPlan, after: ProgramPlan): ProgramChange[] {
  return differences('', writtenProgram(before), writtenProgram(after)).map((difference) => ({
    program: after.name,
    key: difference.key,
    ...saidOf(difference),
    effect: effectOf(fieldOf(difference.key.split('.')[0] ?? ''), before, after),
    note: null,
  }));
}

/** The keys of the daemon itself, and the groups. */
export function compareSupervisor(before: Plan, after: Plan): ProgramChange[] {
  const { show } = TOP.supervisor.shape;
  const own = differences('supervisor', show(before), show(after)).map((difference) => {
    const isLive = LIVE.test(difference.key);
    const effect: ChangeEffect = isLive ? 'live' : 'immutable';
    const note = isLive ? null : 'not applied: it takes effect when the daemon is started anew';
    return { program: '', key: difference.key, ...saidOf(difference), effect, note };
  });
  return [...own, ...compareGroups(before, after)];
}

const LIVE = /^supervisor\.(?:shutdown_timeout$|logs(?:\.|$))/;

function compareGroups(before: Plan, after: Plan): ProgramChange[] {
  const groups = (plan: Plan) => TOP.groups.shape.show(new Map(Object.entries(plan.groups)));
  return differences('groups', groups(before), groups(after)).map((difference) => {
    const { key } = difference;
    return { program: '', key, ...saidOf(difference), effect: 'live', note: null };
  });
}

/** What is secret is changed without being told. */
function saidOf({ key, from, to }: Difference): { readonly from: string; readonly to: string } {
  const hidden = [from, to].some((value) => value !== undefined && isSecret(key, value));
  const text = (value: Difference['from']): string =>
    hidden && value !== undefined ? '(changed)' : said(key, value);
  return { from: text(from), to: text(to) };
}
