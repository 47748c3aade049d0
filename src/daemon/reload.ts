/** The config file as it stands now, for the programs that somebody names. */

import type { ProgramName } from '../base/ids.ts';
import { comparePlans } from '../config/compare.ts';
import { loadConfig } from '../config/load.ts';
import { reportMistakes } from '../config/report.ts';
import type { World } from '../config/where.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import type { PlanChange } from '../protocol/replies.ts';
import { Refused } from './refuse.ts';

export interface Taken {
  readonly programs: readonly ProgramPlan[];
  readonly changes: readonly PlanChange[];
}

/** The plans of these programs as the file has them; a file with mistakes is refused as a whole. */
export function takeConfig(running: Plan, names: readonly ProgramName[], world: World): Taken {
  const loaded = loadConfig(running.configFile, world);
  if (!loaded.ok) {
    const text = reportMistakes(running.configFile, loaded.error);
    throw new Refused('config_invalid', text, 'nothing was changed; see "tsup-visor config check"');
  }
  const taken = names.map((name) => takeProgram(running, loaded.value.plan, name));
  return { programs: taken.map(({ program }) => program), changes: taken.flatMap(({ changes }) => changes) };
}

/** The running plans, unchanged. */
export function keepConfig(running: Plan, names: readonly ProgramName[]): Taken {
  return { programs: running.programs.filter(({ name }) => names.includes(name)), changes: [] };
}

function takeProgram(
  running: Plan,
  fresh: Plan,
  name: ProgramName,
): { program: ProgramPlan; changes: PlanChange[] } {
  const before = running.programs.find((program) => program.name === name);
  const after = fresh.programs.find((program) => program.name === name);
  if (before === undefined || after === undefined) {
    throw new Refused(
      'conflict',
      `${running.configFile} has no program "${name}" any more`,
      'put it back, or add --keep-config to restart it as it runs now',
    );
  }
  const changes = comparePlans(before, after).map((change) =>
    change.key === 'instances' ? { ...change, note: COUNT_NOTE } : change,
  );
  // The number of instances is not a restart's to change.
  return { program: { ...after, instances: before.instances }, changes };
}

const COUNT_NOTE = 'not applied by a restart: it takes effect when the daemon is started anew';
