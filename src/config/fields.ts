/** Declared keys against what is written: read, missing, unknown, and shown again. */

import { foreignAtTop, foreignInRollout, foreignKey, writtenPath } from './foreign.ts';
import type { Span } from './mistake.ts';
import { bare, nearest } from './nearest.ts';
import { listed } from './scalar.ts';
import { type At, described, type Field, type Fields, placeOf, type Reading } from './shape.ts';
import { EMPTY_MAP, type Entry, isNull, type Tree, treeOf, type Written } from './tree.ts';

const pathOf = (at: At, name: string): string => (at.path === '' ? name : `${at.path}.${name}`);

export type Entries = ReadonlyMap<string, Entry>;

export function entriesOf(tree: Tree, reading: Reading, at: At): Entries | undefined {
  if (tree.kind === 'map') return tree.entries;
  const sentence = isNull(tree)
    ? `${at.path} is empty; give it a value or remove it`
    : `${at.path} must be a map, not ${described(tree)}`;
  reading.complain(placeOf(tree, at), sentence);
  return undefined;
}

/** Returns the keys that were probably meant, so that none of these is told to be missing as well. */
export function refuseUnknown(entries: Entries, fields: Fields, own: boolean, reading: Reading): Set<string> {
  const meant = new Set<string>();
  for (const [name, entry] of entries) {
    if (Object.hasOwn(fields, name) || (own && name.startsWith('x-'))) continue;
    const { message, suggestion } = strayProgram(name, entry.value, fields) ?? unknown(name, fields, reading);
    reading.complain(entry.key, message, suggestion);
    if (suggestion !== undefined) meant.add(suggestion.split(':')[0] ?? '');
  }
  return meant;
}

interface Said {
  readonly message: string;
  readonly suggestion?: string;
}

function unknown(name: string, fields: Fields, reading: Reading): Said {
  const message = `unknown key ${JSON.stringify(name)}`;
  const renamed = Object.keys(fields).find((known) => isCalled(name, fields[known]?.aka ?? []));
  if (renamed !== undefined) return { message, suggestion: renamed };
  const places = reading.elsewhere(name);
  if (places.length > 0) return { message: `${message} here; it belongs under ${listed(places, 'or')}` };
  const here = fromElsewhere(name, fields, message);
  if (here !== undefined) return here;
  const suggestion = nearest(name, Object.keys(fields));
  if (suggestion !== undefined) return { message, suggestion };
  if (name.startsWith('x-'))
    return { message: `${message}; keys of your own go to the top or into a program` };
  return { message: `${message}; known here: ${listed(Object.keys(fields), 'and')}` };
}

/** One that is indented below another. */
function strayProgram(name: string, value: Tree, fields: Fields): Said | undefined {
  if (!Object.hasOwn(fields, 'command') || Object.hasOwn(fields, name)) return undefined;
  if (value.kind !== 'map' || !value.entries.has('command')) return undefined;
  return {
    message: `unknown key ${JSON.stringify(name)}; if it is a program, it begins in the same column as the name of the one above`,
  };
}

const isCalled = (name: string, others: readonly string[]): boolean =>
  others.some((other) => bare(other) === bare(name));

/** Only what is ours by another name at the top, below a program and below `rollout` is foreign: elsewhere there are words enough. */
function fromElsewhere(name: string, fields: Fields, message: string): Said | undefined {
  const isProgram = Object.hasOwn(fields, 'command');
  // A path that is written with dots.
  if (isProgram && name.includes('.') && Object.hasOwn(fields, name.split('.')[0] ?? '')) {
    return { message, suggestion: writtenPath(name) };
  }
  // Where it is no more than another spelling of ours, that is told.
  if (Object.keys(fields).some((known) => isCalled(name, [known]))) return undefined;
  const here = lookIn(fields)?.(name);
  if (here === undefined) return undefined;
  return 'path' in here
    ? { message, suggestion: writtenPath(here.path) }
    : { message: `${message}; ${here.say}` };
}

function lookIn(fields: Fields): typeof foreignKey | undefined {
  if (Object.hasOwn(fields, 'command')) return foreignKey;
  if (Object.hasOwn(fields, 'max_surge')) return foreignInRollout;
  return Object.hasOwn(fields, 'programs') ? foreignAtTop : undefined;
}

export function readFields(
  fields: Fields,
  entries: Entries,
  reading: Reading,
  at: At,
  meant: ReadonlySet<string> = new Set(),
): { readonly value: Record<string, unknown>; readonly whole: boolean } {
  const value: [string, unknown][] = [];
  let whole = true;
  for (const [name, field] of Object.entries(fields)) {
    const entry = entries.get(name);
    const here = { path: pathOf(at, name), span: entry?.key ?? at.span };
    const tree = entry?.value ?? missing(field);
    if (tree === null) value.push([field.as, null]);
    else if (tree === undefined && !reading.partial) {
      whole = false;
      if (meant.has(name)) continue;
      reading.complain(at.span, `${here.path} is missing; it must be ${field.shape.expects}`);
    } else if (tree !== undefined) {
      const read = field.shape.read(tree, reading, here);
      if (read === undefined) whole = false;
      else value.push([field.as, read]);
    }
  }
  return { value: Object.fromEntries(value), whole };
}

/** What stands for a key that is not there; null when it is worked out later, undefined when it must be there. */
function missing(field: Field): Tree | null | undefined {
  if (field.derived !== undefined) return null;
  if (field.fallback !== undefined) return treeOf(field.fallback);
  const inner = field.shape.inner?.kind;
  return inner === 'map' || inner === 'variants' ? EMPTY_MAP : undefined;
}

export function showFields(fields: Fields, value: object): Map<string, Written> {
  const shown = new Map<string, Written>();
  for (const [name, field] of Object.entries(fields)) {
    const part: unknown = Reflect.get(value, field.as);
    if (part !== undefined && part !== null) shown.set(name, field.shape.show(part));
    else if (part === null && field.derived === undefined) shown.set(name, field.shape.show(null));
  }
  return shown;
}

/** Where these keys stand, or the map if none of them does. */
export const whereIn =
  (entries: Entries, at: At) =>
  (...names: string[]): Span => {
    for (const name of names) {
      const entry = entries.get(name);
      if (entry !== undefined) return placeOf(entry.value, { path: name, span: entry.key });
    }
    return at.span;
  };
