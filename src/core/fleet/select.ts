/** Which instances a selector means: `worker`, `worker:2`, `@batch`, and globs such as `work*`. */
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
    const before = all.filter((instance) => matches(selector, instance, groups));
    if (before.length === 0) return fail(selector);
    for (const { id } of before) chosen.add(id);
  }
  return ok(all.map(({ id }) => id).filter((id) => chosen.has(id)));
}

function matches(selector: string, instance: Instance, groups: Groups): boolean {
  if (selector.startsWith('@')) {
    const group = selector.slice(1);
    return Object.hasOwn(groups, group) && (groups[group] ?? []).includes(instance.program.name);
  }
  if (!/[*?]/.test(selector)) return selector === instance.id || selector === instance.program.name;
  const pattern = globPattern(selector);
  return pattern.test(instance.id) || pattern.test(instance.program.name);
}

function globPattern(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\*+/g, '.*').replaceAll('?', '.')}$`);
}
