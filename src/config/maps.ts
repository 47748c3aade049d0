/** The shapes of maps and lists: named fields, free names, and keys that depend on another. */
import type { Span } from './mistake.ts';
import { nearest } from './nearest.ts';
import { listed } from './scalars.ts';
import { type At, type Built, described, type Fields, placeOf, type Reading, type Shape } from './shape.ts';
import { EMPTY_MAP, type Entry, isNull, type MapTree, type Tree, treeOf, type Written } from './tree.ts';

/** A rule about several keys at once: told where each of them stands. */
export type Refine<T> = (value: T, where: (...names: string[]) => Span, reading: Reading) => void;

export interface MapOptions<T> {
  /** `x-…` keys are the user's own here. */
  readonly own?: boolean;
  readonly refine?: Refine<T>;
}

/** A map whose keys are declared, each with its shape, default and sentence. */
export function map<const F extends Fields>(fields: F, options: MapOptions<Built<F>> = {}): Shape<Built<F>> {
  return {
    expects: 'a map',
    inner: { kind: 'map', fields },
    read(tree, reading, at) {
      const entries = entriesOf(tree, reading, at);
      if (entries === undefined) return undefined;
      const meant = refuseUnknown(entries, fields, options.own ?? false, reading);
      const { value, whole } = readFields(fields, entries, reading, at, meant);
      if (!whole) return undefined;
      const built = value as Built<F>; // each field was read by its own shape, under its name in the plan
      if (!reading.partial) options.refine?.(built, whereIn(entries, at), reading);
      return built;
    },
    show: (value) => showFields(fields, value),
  };
}

/** What could be read of a map: the mistakes of one key do not hide those that come of the others. */
export function partsOf<const F extends Fields>(fields: F, tree: Tree, reading: Reading): Partial<Built<F>> {
  const at = { path: '', span: tree.span };
  const entries = entriesOf(tree, reading, { ...at, path: 'the config' });
  if (entries === undefined) return {};
  const meant = refuseUnknown(entries, fields, true, reading);
  return readFields(fields, entries, reading, at, meant).value as Partial<Built<F>>; // as in `map`
}

/** A map in which the value of `tag` decides what the other keys are; the first variant is the default. */
export function variants<const Tag extends string, const V extends Readonly<Record<string, Fields>>>(
  tag: Tag,
  doc: string,
  variantsByName: V,
): Shape<Variant<Tag, V>> {
  const names = Object.keys(variantsByName);
  return {
    expects: 'a map',
    inner: { kind: 'variants', tag, doc, variants: variantsByName },
    read(tree, reading, at) {
      const entries = entriesOf(tree, reading, at);
      if (entries === undefined) return undefined;
      if (reading.partial && !entries.has(tag)) return readAny(variantsByName, entries, reading, at);
      const name = tagOf(entries.get(tag), names, reading, `${at.path}.${tag}`);
      const fields = name === undefined ? undefined : variantsByName[name];
      if (name === undefined || fields === undefined) return undefined;
      const chosen = fitting(entries, tag, name, variantsByName, reading);
      refuseUnknown(chosen, { ...fields, [tag]: fields[tag] ?? TAG }, false, reading);
      const { value, whole } = readFields(fields, chosen, reading, at);
      // The fields of the variant were read by their own shapes; only the tag is added.
      return whole ? ({ [tag]: name, ...value } as Variant<Tag, V>) : undefined;
    },
    show(value) {
      const name = String(Reflect.get(value, tag));
      return new Map<string, Written>([[tag, name], ...showFields(variantsByName[name] ?? {}, value)]);
    },
  };
}

type Variant<Tag extends string, V extends Readonly<Record<string, Fields>>> = {
  [N in keyof V & string]: { readonly [K in Tag]: N } & Built<V[N]>;
}[keyof V & string];

/** `defaults` may hold keys of a variant that only the programs choose: each is looked at, no value comes of it. */
function readAny(
  variantsByName: Readonly<Record<string, Fields>>,
  entries: Entries,
  reading: Reading,
  at: At,
): undefined {
  const fields = Object.assign({}, ...Object.values(variantsByName)) as Fields; // each of them is one
  refuseUnknown(entries, fields, false, reading);
  readFields(fields, entries, reading, at);
}

/** The same as an object: only for names that cannot be those of `Object.prototype`. */
export const objectOf = <T>(shape: Shape<ReadonlyMap<string, T>>): Shape<Readonly<Record<string, T>>> => ({
  ...shape,
  read(tree, reading, at) {
    const values = shape.read(tree, reading, at);
    return values === undefined ? undefined : Object.fromEntries(values);
  },
  show: (value) => shape.show(new Map(Object.entries(value))),
});

/** Any names, as long as they keep to the rule, each with a value of the same shape. */
export function record<T>(options: {
  readonly of: Shape<T>;
  /** Undefined, or what is wrong with this name. */
  readonly refuse: (name: string) => string | undefined;
  /** Each value is a thing of its own, so that `drain.timeout` need not say of which program. */
  readonly apart?: boolean;
}): Shape<ReadonlyMap<string, T>> {
  return {
    expects: 'a map',
    inner: { kind: 'record', of: options.of },
    read(tree, reading, at) {
      const entries = entriesOf(tree, reading, at);
      if (entries === undefined) return undefined;
      const values = new Map<string, T>();
      for (const [name, entry] of entries) {
        const wrong = options.refuse(name);
        if (wrong !== undefined) reading.complain(entry.key, wrong);
        const path = options.apart === true ? name : `${at.path}.${name}`;
        const value = options.of.read(entry.value, reading, { path, span: entry.key });
        if (value !== undefined) values.set(name, value);
      }
      return values; // what was wrong has been told
    },
    show: (values) => new Map([...values].map(([name, value]) => [name, options.of.show(value)])),
  };
}

export function list<T>(of: Shape<T>, expects: string): Shape<readonly T[]> {
  return {
    expects,
    read(tree, reading, at) {
      if (tree.kind !== 'list') {
        reading.complain(placeOf(tree, at), `${at.path} must be ${expects}, not ${described(tree)}`);
        return undefined;
      }
      const values: T[] = [];
      for (const [index, item] of tree.items.entries()) {
        const value = of.read(item, reading, { path: `${at.path}[${index}]`, span: placeOf(item, at) });
        if (value !== undefined) values.push(value);
      }
      return values.length === tree.items.length ? values : undefined;
    },
    show: (values) => values.map((value) => of.show(value)),
  };
}

const pathOf = (at: At, name: string): string => (at.path === '' ? name : `${at.path}.${name}`);

type Entries = ReadonlyMap<string, Entry>;

function entriesOf(tree: Tree, reading: Reading, at: At): Entries | undefined {
  if (tree.kind === 'map') return tree.entries;
  const sentence = isNull(tree)
    ? `${at.path} is empty; give it a value or remove it`
    : `${at.path} must be a map, not ${described(tree)}`;
  reading.complain(placeOf(tree, at), sentence);
  return undefined;
}

/** Returns the keys that were probably meant, so that none of these is told to be missing as well. */
function refuseUnknown(entries: Entries, fields: Fields, own: boolean, reading: Reading): Set<string> {
  const meant = new Set<string>();
  for (const [name, entry] of entries) {
    if (Object.hasOwn(fields, name) || (own && name.startsWith('x-'))) continue;
    const { message, suggestion } = unknown(name, fields, reading);
    reading.complain(entry.key, message, suggestion);
    if (suggestion !== undefined) meant.add(suggestion);
  }
  return meant;
}

function unknown(name: string, fields: Fields, reading: Reading): { message: string; suggestion?: string } {
  const message = `unknown key ${JSON.stringify(name)}`;
  const places = reading.elsewhere(name);
  if (places.length > 0) return { message: `${message} here; it belongs under ${listed(places, 'or')}` };
  const renamed = Object.keys(fields).find((known) => fields[known]?.aka?.includes(name));
  const suggestion = renamed ?? nearest(name, Object.keys(fields));
  if (suggestion !== undefined) return { message, suggestion };
  if (name.startsWith('x-'))
    return { message: `${message}; keys of your own go to the top or into a program` };
  return { message: `${message}; known here: ${listed(Object.keys(fields), 'and')}` };
}

function readFields(
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
function missing(field: Fields[string]): Tree | null | undefined {
  if (field.derived !== undefined) return null;
  if (field.fallback !== undefined) return treeOf(field.fallback);
  const inner = field.shape.inner?.kind;
  return inner === 'map' || inner === 'variants' ? EMPTY_MAP : undefined;
}

function showFields(fields: Fields, value: object): Map<string, Written> {
  const shown = new Map<string, Written>();
  for (const [name, field] of Object.entries(fields)) {
    const part: unknown = Reflect.get(value, field.as);
    if (part !== undefined && part !== null) shown.set(name, field.shape.show(part));
    else if (part === null && field.derived === undefined) shown.set(name, field.shape.show(null));
  }
  return shown;
}

const whereIn =
  (entries: Entries, at: At) =>
  (...names: string[]): Span => {
    for (const name of names) {
      const entry = entries.get(name);
      if (entry !== undefined) return placeOf(entry.value, { path: name, span: entry.key });
    }
    return at.span;
  };

/** Stands for the tag among the keys that are known. */
const TAG: Fields[string] = {
  as: '',
  shape: { expects: '', read: () => undefined, show: () => '' },
  doc: '',
};

function tagOf(
  entry: Entry | undefined,
  names: readonly string[],
  reading: Reading,
  path: string,
): string | undefined {
  if (entry === undefined) return names[0];
  const tree = entry.value;
  const found = tree.kind === 'scalar' ? tree.text : undefined;
  const known = names.find((name) => name === found);
  if (known !== undefined) return known;
  const place = placeOf(tree, { path, span: entry.key });
  const message = `${path} must be ${listed(names, 'or')}, not ${described(tree)}`;
  reading.complain(place, message, found === undefined ? undefined : nearest(found, names));
  return undefined;
}

/** Leaves out what was inherited for another variant; what was written here for one is a mistake. */
function fitting(
  entries: Entries,
  tag: string,
  name: string,
  variantsByName: Readonly<Record<string, Fields>>,
  reading: Reading,
): MapTree['entries'] {
  const chosen = new Map(entries);
  for (const [key, entry] of entries) {
    if (key === tag || Object.hasOwn(variantsByName[name] ?? {}, key)) continue;
    const others = Object.keys(variantsByName).filter((other) =>
      Object.hasOwn(variantsByName[other] ?? {}, key),
    );
    if (others.length === 0) continue;
    chosen.delete(key);
    if (!entry.inherited) {
      const fits = `it is for ${listed(others, 'or')}`;
      reading.complain(entry.key, `"${key}" does not go with \`${tag}: ${name}\`; ${fits}`);
    }
  }
  return chosen;
}
