/** Two values as people write them, side by side: where they differ, and each as one line. */
import type { Written } from './tree.ts';
import { joinWords } from './words.ts';

export interface Difference {
  /** `drain.timeout` */
  readonly key: string;
  readonly from: Written | undefined;
  readonly to: Written | undefined;
}

/** As deep as both are maps. */
export function differences(key: string, from: Written | undefined, to: Written | undefined): Difference[] {
  if (!(from instanceof Map && to instanceof Map)) return isSame(from, to) ? [] : [{ key, from, to }];
  const names = new Set<string>([...from.keys(), ...to.keys()]);
  return [...names].flatMap((name) =>
    differences(key === '' ? name : `${key}.${name}`, from.get(name), to.get(name)),
  );
}

/** The order of a map's keys says nothing. */
function isSame(a: Written | undefined, b: Written | undefined): boolean {
  if (a instanceof Map && b instanceof Map) {
    return a.size === b.size && [...a].every(([name, part]) => b.has(name) && isSame(part, b.get(name)));
  }
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, at) => isSame(item, b[at]));
  return a === b;
}

/** Lists of words that are a command: `command`, `health.exec`, `hooks.pre_start.exec`. */
const isCommand = (key: string): boolean => key === 'command' || key === 'exec' || key.endsWith('.exec');

export function said(key: string, value: Written | undefined): string {
  if (value === undefined) return '(not set)';
  if (value instanceof Map) {
    const parts = [...value].map(([name, part]) => `${name}: ${said(name, part)}`);
    return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
  }
  if (!isList(value)) return String(value);
  if (isCommand(key)) return joinWords(value.map(String));
  return `[${value.map(saidItem).join(', ')}]`;
}

/** In quotes where it could be taken for several. */
function saidItem(item: Written): string {
  const text = said('', item);
  return typeof item === 'string' && (text === '' || /[,[\]{}"]/.test(text)) ? JSON.stringify(text) : text;
}

const isList = (value: Written | undefined): value is readonly Written[] => Array.isArray(value);
