/** Shapes made out of shapes: another value for the plan, a short form for a map, keys that rule each other out. */

import type { Refusal } from './scalar.ts';
import { placeOf, type Shape } from './shape.ts';
import { type Entry, isNull, type MapTree, type Tree } from './tree.ts';

const innerOf = (shape: Shape<unknown>): Pick<Shape<unknown>, 'inner'> =>
  shape.inner === undefined ? {} : { inner: shape.inner };

/** People write one thing and the plan holds another. `into` has no answer only where the reason has been told. */
export function converted<A, B>(
  shape: Shape<A>,
  into: (value: A) => B | undefined,
  back: (value: B) => A,
): Shape<B> {
  return {
    ...innerOf(shape),
    expects: shape.expects,
    read(tree, reading, at) {
      const value = shape.read(tree, reading, at);
      return value === undefined ? undefined : into(value);
    },
    show: (value) => shape.show(back(value)),
  };
}

/** Words that people know from elsewhere, and what is said of each. */
export function refusing<T>(shape: Shape<T>, refused: Readonly<Record<string, Refusal>>): Shape<T> {
  return {
    ...shape,
    read(tree, reading, at) {
      const refusal =
        tree.kind === 'scalar' && Object.hasOwn(refused, tree.text) ? refused[tree.text] : undefined;
      if (refusal === undefined) return shape.read(tree, reading, at);
      reading.complain(placeOf(tree, at), `${at.path} ${refusal.message}`, refusal.suggestion);
      return undefined;
    },
  };
}

/** A map that may be written as the value of its chief key alone: `800MB` for `{ size: 800MB }`. */
export function short<T>(shape: Shape<T>, key: string): Shape<T> {
  return {
    ...shape,
    read(tree, reading, at) {
      if (tree.kind === 'map' || isNull(tree)) return shape.read(tree, reading, at);
      const entry: Entry = { key: tree.span, value: tree, inherited: false };
      const whole: MapTree = { kind: 'map', span: tree.span, entries: new Map([[key, entry]]) };
      // The key was not written, so no sentence is to name it.
      const complain: typeof reading.complain = (span, message, suggestion) =>
        reading.complain(span, message.replace(`${at.path}.${key}`, at.path), suggestion);
      return shape.read(whole, { ...reading, complain }, at);
    },
  };
}

/** Of keys that rule each other out, the one that is written here puts aside those that were inherited. */
export function exclusive<T>(shape: Shape<T>, names: readonly string[]): Shape<T> {
  return { ...shape, read: (tree, reading, at) => shape.read(withoutRivals(tree, names), reading, at) };
}

export function withoutRivals(tree: Tree, names: readonly string[]): Tree {
  if (tree.kind !== 'map') return tree;
  const rivals = names.filter((name) => tree.entries.has(name));
  if (!rivals.some((name) => tree.entries.get(name)?.inherited === false)) return tree;
  const left = [...tree.entries].filter(([name, entry]) => !(entry.inherited && rivals.includes(name)));
  return { ...tree, entries: new Map(left) };
}
