/** What changes between two plans of a program, key by key, in the words of the config. */
import type { ProgramPlan } from '../core/plan.ts';
import type { Written } from './tree.ts';
import { joinWords } from './words.ts';
import { writtenProgram } from './written.ts';

/** The same as the wire's `PlanChange`. */
export interface ProgramChange {
  readonly program: string;
  /** `drain.timeout` */
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly note: string | null;
}

/** Generic over all keys of the normalised program, so that no key can be forgotten. */
export function comparePlans(before: ProgramPlan, after: ProgramPlan): ProgramChange[] {
  return differences('', writtenProgram(before), writtenProgram(after)).map(({ key, from, to }) => ({
    program: after.name,
    key,
    from: said(key, from),
    to: said(key, to),
    note: null,
  }));
}

interface Difference {
  readonly key: string;
  readonly from: Written | undefined;
  readonly to: Written | undefined;
}

function differences(key: string, from: Written | undefined, to: Written | undefined): Difference[] {
  if (!(from instanceof Map && to instanceof Map))
    return said(key, from) === said(key, to) ? [] : [{ key, from, to }];
  const names = new Set<string>([...from.keys(), ...to.keys()]);
  return [...names].flatMap((name) =>
    differences(key === '' ? name : `${key}.${name}`, from.get(name), to.get(name)),
  );
}

function said(key: string, value: Written | undefined): string {
  if (value === undefined) return '(not set)';
  if (key === 'command' && isList(value)) return joinWords(value.map(String));
  if (value instanceof Map)
    return `{ ${[...value].map(([name, part]) => `${name}: ${said('', part)}`).join(', ')} }`;
  if (isList(value)) return `[${value.map((item) => said('', item)).join(', ')}]`;
  return String(value);
}

const isList = (value: Written): value is readonly Written[] => Array.isArray(value);
