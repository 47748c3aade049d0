/** Which instances a selector means: `worker`, `worker:2`, `@batch`, and globs such as `work*`. */
import { fits } from '../../base/glob.ts';
import type { InstanceId, ProgramName } from '../../base/ids.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Instance } from '../instance/instance.ts';

type Groups = Readonly<Record<string, readonly ProgramName[]>>;

/** The ids in the order of the fleet, each once; or the first selector that matches nothing. */
export function select(
  selectors: readonly string[],
  instances: Iterable<Instance>,
  groups: Groups,
): Result<InstanceId[], string> {
  const all = [...instances];
  const chosen = new Set<InstanceId>();
  for (const selector of selectors) {
    const before = all.filter(matcher(selector, groups));
    if (before.length === 0) return fail(selector);
    for (const { id } of before) chosen.add(id);
  }
  return ok(all.map(({ id }) => id).filter((id) => chosen.has(id)));
}

/** Whether the selector means this program, or an instance of it. */
export function selectsProgram(selector: string, name: ProgramName, groups: Groups): boolean {
  if (selector.startsWith('@')) return groupOf(selector, groups).has(name);
  const colon = selector.lastIndexOf(':');
  const program = colon < 0 ? selector : selector.slice(0, colon);
  return /[*?]/.test(program) ? fits(program, name) : program === name;
}

/** None where there is no such group. */
function groupOf(selector: string, groups: Groups): ReadonlySet<ProgramName> {
  const group = selector.slice(1);
  return new Set(Object.hasOwn(groups, group) ? groups[group] : []);
}

function matcher(selector: string, groups: Groups): (instance: Instance) => boolean {
  if (selector.startsWith('@')) {
    const members = groupOf(selector, groups);
    return ({ program }) => members.has(program.name);
  }
  if (!/[*?]/.test(selector)) return ({ id, program }) => selector === id || selector === program.name;
  return ({ id, program }) => fits(selector, id) || fits(selector, program.name);
}
