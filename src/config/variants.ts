/** The shape of a map in which one key decides what the others are. */
import { type Chosen, type Of, readChoice, showChoice } from './choice.ts';
import { type Entries, entriesOf, readFields, refuseUnknown, showFields } from './fields.ts';
import { listed } from './scalar.ts';
import type { At, Built, Field, Fields, Reading, Shape } from './shape.ts';
import type { Entry, Written } from './tree.ts';
import { fieldsOf } from './walk.ts';

/**
 * A map in which the value of `tag` decides what the other keys are; the first variant is the default. A variant that
 * is among `forms` is chosen by a map, and `of` is what that holds: `when: { exec: … }`.
 */
export function variants<
  const Tag extends string,
  const V extends Readonly<Record<string, Fields>>,
  const F extends Fields,
>(tag: Tag, doc: string, variantsByName: V, forms: F): Shape<Variant<Tag, V, F>> {
  const words = Object.keys(variantsByName).filter((name) => !Object.hasOwn(forms, name));
  return {
    expects: 'a map',
    inner: { kind: 'variants', tag, doc, variants: variantsByName, forms },
    read(tree, reading, at) {
      const entries = entriesOf(tree, reading, at);
      if (entries === undefined) return undefined;
      if (reading.partial && !entries.has(tag)) return readAny(variantsByName, entries, reading, at);
      const chosen = chosenBy(entries.get(tag), words, forms, reading, `${at.path}.${tag}`);
      const fields = chosen === undefined ? undefined : variantsByName[chosen.kind];
      if (chosen === undefined || fields === undefined) return undefined;
      const fit = fitting(entries, tag, chosen.kind, variantsByName, reading);
      refuseUnknown(fit, { ...fields, [tag]: fields[tag] ?? TAG }, false, reading);
      const { value, whole } = readFields(fields, fit, reading, at);
      const { kind, ...of } = chosen;
      // The fields of the variant were read by their own shapes; only the tag is added, and what it holds.
      return whole ? ({ [tag]: kind, ...of, ...value } as Variant<Tag, V, F>) : undefined;
    },
    show(value) {
      const kind = String(Reflect.get(value, tag));
      const shown = showChoice({ kind, of: Reflect.get(value, 'of') }, forms);
      return new Map<string, Written>([[tag, shown], ...showFields(variantsByName[kind] ?? {}, value)]);
    },
  };
}

type Variant<Tag extends string, V extends Readonly<Record<string, Fields>>, F extends Fields> = {
  [N in keyof V & string]: { readonly [K in Tag]: N } & Built<V[N]> &
    (N extends keyof F ? { readonly of: Of<F, N> } : unknown);
}[keyof V & string];

/** `defaults` may hold keys of a variant that only the programs choose: each is looked at, no value comes of it. */
function readAny(
  variantsByName: Readonly<Record<string, Fields>>,
  entries: Entries,
  reading: Reading,
  at: At,
): undefined {
  const fields = fieldsOf(variantsByName);
  refuseUnknown(entries, fields, false, reading);
  readFields(fields, entries, reading, at);
}

/** Stands for the tag among the keys that are known. */
const TAG: Field = {
  as: '',
  shape: { expects: '', read: () => undefined, show: () => '' },
  doc: '',
};

function chosenBy(
  entry: Entry | undefined,
  words: readonly string[],
  forms: Fields,
  reading: Reading,
  path: string,
): Chosen | undefined {
  if (entry === undefined) return { kind: words[0] ?? '' };
  return readChoice(entry.value, words, forms, reading, { path, span: entry.key });
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
