/** The shape of a map in which one key decides what the others are. */
import { type Entries, entriesOf, readFields, refuseUnknown, showFields } from './fields.ts';
import { nearest } from './nearest.ts';
import { listed } from './scalar.ts';
import {
  type At,
  type Built,
  described,
  type Field,
  type Fields,
  placeOf,
  type Reading,
  type Shape,
} from './shape.ts';
import type { Entry, Written } from './tree.ts';

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

/** Stands for the tag among the keys that are known. */
const TAG: Field = {
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
): Entries {
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
