/** A walk over every key that a config may have: for documentation, and to say where a key belongs. */
import type { Field, Fields, Shape } from './shape.ts';

export interface KnownKey {
  /** `['programs', '*', 'drain', 'timeout']`: a `*` stands for any name. */
  readonly path: readonly string[];
  readonly field: Field;
}

/** Each key with those that it holds right after it. */
export function* keysIn(fields: Fields, path: readonly string[] = []): Generator<KnownKey> {
  for (const [name, field] of Object.entries(fields)) {
    yield { path: [...path, name], field };
    yield* within(field.shape, [...path, name]);
  }
}

function* within(shape: Shape<unknown>, path: readonly string[]): Generator<KnownKey> {
  const { inner } = shape;
  if (inner?.kind === 'map') yield* keysIn(inner.fields, path);
  if (inner?.kind === 'record') yield* within(inner.of, [...path, '*']);
  if (inner?.kind === 'choice') yield* keysIn(inner.forms, path);
  if (inner?.kind !== 'variants') return;
  const { tag, doc, variants, forms } = inner;
  const names = Object.keys(variants);
  yield { path: [...path, tag], field: { as: tag, shape: nameShape, fallback: names[0] ?? '', doc } };
  yield* keysIn(forms, [...path, tag]);
  yield* keysIn(fieldsOf(variants), path);
}

/** Several variants may have a key of the same name: it is one key. */
export const fieldsOf = (variants: Readonly<Record<string, Fields>>): Fields =>
  Object.assign({}, ...Object.values(variants)) as Fields; // each of them is one

/** The tag is read with its variants; here it only has to be shown. */
const nameShape: Shape<string> = { expects: 'a name', read: () => undefined, show: (value) => value };

/** For each key the places where it may stand, in words. */
export function homesOf(fields: Fields): Map<string, readonly string[]> {
  const homes = new Map<string, readonly string[]>();
  for (const { path } of keysIn(fields)) {
    const name = path.at(-1) ?? '';
    const known = homes.get(name) ?? [];
    const home = homeOf(path);
    if (!known.includes(home)) homes.set(name, [...known, home]);
  }
  return homes;
}

function homeOf(path: readonly string[]): string {
  const [above, parent] = [path.at(-3), path.at(-2)];
  if (parent === undefined) return 'the top level';
  if (parent === 'when' || parent === 'done_when' || parent === 'check') return `${above}.${parent}`;
  if (above === 'hooks') return 'a hook';
  return parent === '*' ? 'a program' : parent;
}
