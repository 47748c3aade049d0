/** The shapes of maps and lists: declared keys, free names, and items. */
import { type Entries, entriesOf, readFields, refuseUnknown, showFields, whereIn } from './fields.ts';
import type { Span } from './mistake.ts';
import { type Built, described, type Fields, placeOf, type Reading, type Shape } from './shape.ts';
import { isNull, type Tree } from './tree.ts';

/** A rule about several keys at once: told where each of them stands. */
export type Refine<T> = (
  value: T,
  where: (...names: string[]) => Span,
  reading: Reading,
  /** Keys that are there, mistyped: that has been told. */
  meant: ReadonlySet<string>,
) => void;

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
      if (!reading.partial) options.refine?.(built, whereIn(entries, at), reading, meant);
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
      const stray = options.apart === true ? strayKeys(entries, options.of) : [];
      for (const [name, entry] of entries) {
        if (stray.includes(name)) {
          const sentence = `${JSON.stringify(name)} is in the column of the names; indent it further than the name that it belongs to`;
          reading.complain(entry.key, sentence);
          continue;
        }
        // The name above has its keys, only not where they belong.
        if (stray.length > 0 && isNull(entry.value)) continue;
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

/** Keys that stand beside the name of what they belong to, instead of below it. No value of the record is so short. */
function strayKeys(entries: Entries, { inner }: Shape<unknown>): string[] {
  const fields = inner?.kind === 'map' ? inner.fields : {};
  const known = [...entries].filter(([name]) => Object.hasOwn(fields, name));
  const isStray = known.some(([, { value }]) => value.kind !== 'map' && !isNull(value));
  return isStray ? known.map(([name]) => name) : [];
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
