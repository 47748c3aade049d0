/** What a value of the config may look like: read from the tree, and shown again as people write it. */
import type { Complain, Span } from './mistake.ts';
import type { Tree, Written } from './tree.ts';
import type { Environment } from './variables.ts';

export interface Shape<T> {
  /** Completes `must be …`: `a whole number from 1 to 10`. */
  readonly expects: string;
  /** Undefined: `reading.complain` has been told why. */
  read(tree: Tree, reading: Reading, at: At): T | undefined;
  show(value: T): Written;
  /** The keys within, for whoever walks the schema: by what they are called there. */
  readonly inner?: Inner;
}

export type Inner =
  | { readonly kind: 'map'; readonly fields: Fields }
  /** Which keys there are depends on the value of `tag`. */
  | {
      readonly kind: 'variants';
      readonly tag: string;
      readonly doc: string;
      /** The first is the default. */
      readonly variants: Readonly<Record<string, Fields>>;
      /** Variants whose name is the key of a map: `when: { exec: … }`. */
      readonly forms: Fields;
    }
  /** A word, or a map with one of these keys. */
  | { readonly kind: 'choice'; readonly forms: Fields }
  /** Any name, each with a value of this shape. */
  | { readonly kind: 'record'; readonly of: Shape<unknown> };

/** One key, declared once: validation, defaults, `config show` and the documentation come from this. */
export interface Field {
  /** The name of this in the plan. */
  readonly as: string;
  readonly shape: Shape<unknown>;
  /** The default as people would write it. A map without one is read as if it were empty. */
  readonly fallback?: Written;
  /** Instead of a fallback: how the default is found, in words. The value is then null. */
  readonly derived?: string;
  /** One sentence for people. */
  readonly doc: string;
  /** What other supervisors call this; for `did you mean`. */
  readonly aka?: readonly string[];
}

export type Fields = Readonly<Record<string, Field>>;

type Value<F extends Field> =
  F['shape'] extends Shape<infer T> ? (F extends { readonly derived: string } ? T | null : T) : never;

/** What a map of these fields becomes, under the names of the plan. */
export type Built<F extends Fields> = { readonly [K in keyof F & string as F[K]['as']]: Value<F[K]> };

/** Which key is being read, and where it stands. */
export interface At {
  /** `worker.drain.timeout`: from the name of the program, or from the top, down. */
  readonly path: string;
  readonly span: Span;
}

/** What a reading of one file needs to know. */
export interface Reading {
  readonly environment: Environment;
  /** Relative paths start here: the folder of the config file. */
  readonly folder: string;
  /** Set for `defaults`: what is missing there may be said by the program. */
  readonly partial: boolean;
  readonly complain: Complain;
  /** The source text, to point at a part of a value. */
  readonly text: string;
  /** Where else a key of this name exists: `["drain", "stop"]`. */
  readonly elsewhere: (name: string) => readonly string[];
}

/** Where to point for a value: at its key when the value is not there to be seen. */
export const placeOf = (tree: Tree, at: At): Span => (tree.span.end > tree.span.start ? tree.span : at.span);

/** `not "four"`, `not a list`: what was found instead. */
export function described(tree: Tree): string {
  if (tree.kind !== 'scalar') return `a ${tree.kind}`;
  const text = tree.text.length > 60 ? `${tree.text.slice(0, 57)}…` : tree.text;
  return JSON.stringify(text);
}
