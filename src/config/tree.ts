/** A config as plain maps, lists and scalars with their places: what is left of YAML once it is parsed. */
import type { Span } from './mistake.ts';

export type Tree = ScalarTree | ListTree | MapTree;

export interface ScalarTree {
  readonly kind: 'scalar';
  readonly span: Span;
  /** As written: `0600` is not yet a number, nor `yes` a truth. Variables are not yet filled in. */
  readonly text: string;
  /** Quotes or a block: text on purpose. */
  readonly quoted: boolean;
}

export interface ListTree {
  readonly kind: 'list';
  readonly span: Span;
  readonly items: readonly Tree[];
}

export interface MapTree {
  readonly kind: 'map';
  readonly span: Span;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  /** Where the key stands. */
  readonly key: Span;
  readonly value: Tree;
  /** From a merge (`<<`) or from `defaults`, not written at this place itself. */
  readonly inherited: boolean;
}

/** A value as a person would write it in YAML: defaults are declared so, and the config is shown so. */
export type Written = string | number | boolean | readonly Written[] | ReadonlyMap<string, Written>;

const NOWHERE: Span = { start: 0, end: 0 };

export const EMPTY_MAP: MapTree = { kind: 'map', span: NOWHERE, entries: new Map() };

export const isNull = (tree: Tree): boolean =>
  tree.kind === 'scalar' && !tree.quoted && /^(?:~|null|Null|NULL)?$/.test(tree.text);

/** `above` with everything that it does not say taken from `below`, map by map. */
export function layered(above: Tree, below: Tree): Tree {
  if (above.kind !== 'map' || below.kind !== 'map') return above;
  const entries = new Map(above.entries);
  for (const [name, entry] of below.entries) {
    const own = entries.get(name);
    const value = own === undefined ? entry.value : layered(own.value, entry.value);
    entries.set(name, { key: own?.key ?? entry.key, value, inherited: own?.inherited ?? true });
  }
  return { ...above, entries };
}

/** The tree of a declared default, so that it is read by the same rules as what people write. */
export function treeOf(written: Written): Tree {
  if (written instanceof Map) return mapOf(written);
  if (isList(written)) return { kind: 'list', span: NOWHERE, items: written.map(treeOf) };
  return { kind: 'scalar', span: NOWHERE, text: String(written), quoted: typeof written === 'string' };
}

const isList = (written: Written): written is readonly Written[] => Array.isArray(written);

function mapOf(written: ReadonlyMap<string, Written>): MapTree {
  const entries = new Map<string, Entry>();
  for (const [name, value] of written) {
    entries.set(name, { key: NOWHERE, value: treeOf(value), inherited: true });
  }
  return { kind: 'map', span: NOWHERE, entries };
}

export function valueAt(tree: Tree | undefined, ...path: readonly string[]): Tree | undefined {
  let value = tree;
  for (const name of path) value = value?.kind === 'map' ? value.entries.get(name)?.value : undefined;
  return value;
}

export const spanAt = (tree: Tree, ...path: readonly string[]): Span | undefined =>
  valueAt(tree, ...path)?.span;
