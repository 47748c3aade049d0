/** The shape of a word, or of a map with exactly one key: `exit`, or `{ exec: … }`. */
import { withoutRivals } from './converted.ts';
import { refuseUnknown } from './fields.ts';
import { nearest } from './nearest.ts';
import { listed } from './scalar.ts';
import { type At, described, type Fields, placeOf, type Reading, type Shape } from './shape.ts';
import type { MapTree, ScalarTree, Tree, Written } from './tree.ts';

export type Of<F extends Fields, N extends keyof F> = F[N]['shape'] extends Shape<infer T> ? T : never;

/** `{ kind: 'exit' }`, or `{ kind: 'exec', of: … }`. */
export type Choice<W extends string, F extends Fields> =
  | { readonly [N in W]: { readonly kind: N } }[W]
  | { readonly [N in keyof F & string]: { readonly kind: N; readonly of: Of<F, N> } }[keyof F & string];

export function choice<const W extends readonly string[], const F extends Fields>(
  words: W,
  forms: F,
): Shape<Choice<W[number], F>> {
  return {
    expects: expectedOf(words, forms),
    inner: { kind: 'choice', forms },
    // The form was read by its own shape.
    read: (tree, reading, at) =>
      readChoice(tree, words, forms, reading, at) as Choice<W[number], F> | undefined,
    show: (value) => showChoice(value, forms),
  };
}

export interface Chosen {
  readonly kind: string;
  readonly of?: unknown;
}

export function readChoice(
  tree: Tree,
  words: readonly string[],
  forms: Fields,
  reading: Reading,
  at: At,
): Chosen | undefined {
  if (tree.kind === 'scalar') return readWord(tree, words, forms, reading, at);
  if (tree.kind === 'map') return readForm(tree, words, forms, reading, at);
  reading.complain(tree.span, `${at.path} must be ${expectedOf(words, forms)}, not ${described(tree)}`);
  return undefined;
}

export const showChoice = (value: Chosen, forms: Fields): Written =>
  forms[value.kind] === undefined
    ? value.kind
    : new Map([[value.kind, forms[value.kind]?.shape.show(value.of) ?? '']]);

function readWord(
  tree: ScalarTree,
  words: readonly string[],
  forms: Fields,
  reading: Reading,
  at: At,
): Chosen | undefined {
  const known = words.find((word) => word === tree.text);
  if (known !== undefined) return { kind: known };
  const meant = nearest(tree.text, [...words, ...Object.keys(forms)]);
  const message = `${at.path} must be ${expectedOf(words, forms)}, not ${described(tree)}`;
  const isForm = meant !== undefined && Object.hasOwn(forms, meant);
  const suggestion = isForm ? `{ ${meant}: … }` : meant;
  reading.complain(placeOf(tree, at), message, suggestion);
  return undefined;
}

function readForm(
  tree: MapTree,
  words: readonly string[],
  forms: Fields,
  reading: Reading,
  at: At,
): Chosen | undefined {
  const names = Object.keys(forms);
  const left = withoutRivals(tree, names);
  const entries = left.kind === 'map' ? left.entries : tree.entries;
  const meant = refuseUnknown(entries, forms, false, reading);
  const [first, second] = [...entries].filter(([name]) => Object.hasOwn(forms, name));
  if (first === undefined) {
    const sentence = `${at.path} must be ${expectedOf(words, forms)}`;
    if (meant.size === 0 && entries.size === 0) reading.complain(placeOf(tree, at), sentence);
    return undefined;
  }
  if (second !== undefined) {
    reading.complain(second[1].key, `${at.path} cannot have both "${first[0]}" and "${second[0]}"`);
    return undefined;
  }
  const [kind, entry] = first;
  const of = forms[kind]?.shape.read(entry.value, reading, { path: `${at.path}.${kind}`, span: entry.key });
  return of === undefined ? undefined : { kind, of };
}

function expectedOf(words: readonly string[], forms: Fields): string {
  const written = Object.keys(forms).map((name) => `{ ${name}: … }`);
  return listed([...words, ...written], 'or');
}
