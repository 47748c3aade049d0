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
  const fresh = readConfig(running.configFile, world);
  const taken = names.map((name) => takeProgram(running, fresh, name));
  const programs = taken.map(({ program }) => program);
  refuseLooseEnds(running, programs);
  return { programs, changes: taken.flatMap(({ changes }) => changes) };
}

/** The file as it stands now. */
export function readConfig(file: string, world: World): Plan {
  const loaded = loadConfig(file, world);
  if (loaded.ok) return loaded.value.plan;
  const text = reportMistakes(file, loaded.error);
  throw new Refused('config_invalid', text, 'nothing was changed; see "tsup-visor config check"');
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

const COUNT_NOTE = 'not applied by a restart; "tsup-visor reload" applies it';

/** The file is free of unknown needs and of circles, but a part of it need not fit to the rest as it runs. */
export function refuseLooseEnds(running: Plan, taken: readonly ProgramPlan[]): void {
  const mixed = new Map([...running.programs, ...taken].map((program) => [program.name, program]));
  const sound = new Set<ProgramName>();
  const path = taken.flatMap(({ name }) => looseEnd([name], mixed, sound) ?? [])[0];
  if (path === undefined) return;
  throw new Refused(
    'conflict',
    `cannot take on a part of the config alone: ${path}`,
    'take on all of it first: "tsup-visor reload"',
  );
}

/** What is wrong with the needs of the last one on the path, in words. `sound`: those that were looked into already. */
function looseEnd(
  path: readonly ProgramName[],
  programs: ReadonlyMap<ProgramName, ProgramPlan>,
  sound: Set<ProgramName>,
): string | null {
  const name = path.at(-1);
  const program = name === undefined ? undefined : programs.get(name);
  if (program === undefined) return `${path.at(-2)} depends on ${name}, which does not run here`;
  // The keys of this record are names of programs; Object.keys forgets that.
  for (const on of Object.keys(program.dependsOn) as ProgramName[]) {
    if (sound.has(on)) continue;
    if (path.includes(on)) return `${[...path.slice(path.indexOf(on)), on].join(' depends on ')}`;
    const found = looseEnd([...path, on], programs, sound);
    if (found !== null) return found;
  }
  sound.add(program.name);
  return null;
}
