/** What must hold of a reload: what takes effect at once or at the next start leaves every run alone. */
import type { InstanceId } from '../../src/base/ids.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import type { FleetEvent } from '../../src/core/fleet/event.ts';
import type { Instance } from '../../src/core/instance/instance.ts';
import { lifeOf } from '../../src/core/instance/phase.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { broken } from './broken.ts';

/** Keys for which a run has to be begun anew; what is not among them takes effect without. */
const ROLLING = [
  'command',
  'directory',
  'environment',
  'envFiles',
  'inheritEnvironment',
  'user',
  'group',
  'umask',
  'nice',
  'limits',
  'watchdogMs',
  'logs',
] as const;
/** What a run was promised at its start, and keeps. */
const PROMISED = ['drain', 'stop', 'hooks', 'ready', 'command', 'watchdogMs', 'environment'] as const;

export class ReloadWatch {
  /** During the step. */
  effect(effect: FleetEffect, event: FleetEvent, before: ReadonlyMap<InstanceId, Instance>): void {
    if (event.type !== 'reload') return;
    if (effect.type !== 'signal' && effect.type !== 'signal_tree') return;
    const { phase } = effect.instance;
    const isWorn = 'ending' in phase && (phase.ending.because === 'memory' || phase.ending.because === 'age');
    if (isWorn) return; // the limits are other ones now, and take effect at once
    const isTurn = 'ending' in phase && phase.ending.because.startsWith('rollout');
    if (isTurn) return; // what a rollout under way has waited for may be needed no more
    const was = before.get(effect.instance.id);
    if (was?.wish.want === 'down') return; // its end was asked for, and waited for others alone
    const life = was === undefined ? null : lifeOf(was.phase);
    const fresh = event.programs.find(({ name }) => name === was?.program.name);
    if (was === undefined || life === null || fresh === undefined) return; // not in the config any more
    if (effect.instance.leaving || needsNewRun(life.program, fresh)) return;
    broken(`${was.id} is signalled for a reload that does not concern its run`);
  }

  /** After the step: a run keeps what it was promised, whatever becomes of the plan. */
  check(instance: Instance, was: Instance | undefined): void {
    const [now, then] = [lifeOf(instance.phase), was === undefined ? null : lifeOf(was.phase)];
    if (now === null || then === null || now.run !== then.run || now.program === then.program) return;
    for (const key of PROMISED) {
      if (!same(now.program[key], then.program[key])) broken(`the ${key} of run ${now.run} changes under it`);
    }
  }
}

export const needsNewRun = (before: ProgramPlan, fresh: ProgramPlan): boolean =>
  ROLLING.some((key) => !same(before[key], fresh[key])) ||
  (before.schedule === null) !== (fresh.schedule === null);

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);
