/** The YAML document -> the tree: aliases and merges followed, each node grown once. */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { type Complain, lineOf, lineStartsOf, type Span } from './mistake.ts';
import type { Entry, Tree } from './tree.ts';

/** Parts that a config may have once all aliases are followed: more is a mistake or an attack. */
const MOST_PARTS = 200_000;

export function treeOfDocument(
  root: Node,
  document: Document.Parsed,
  text: string,
  complain: Complain,
): Tree {
  return new Growth(text, targetsOf(document, complain), complain).tree(root);
}

/** What each alias stands for: the last anchor of its name before it. One walk, however many there are. */
function targetsOf(document: Document.Parsed, complain: Complain): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) targets.set(node, target);
        else complain(rangeOf(node), `there is no anchor "&${node.source}" before this`);
      } else if ('anchor' in node && typeof node.anchor === 'string') anchors.set(node.anchor, node);
    },
  });
  return targets;
}

function rangeOf(node: Node): Span {
  const [start, end] = node.range ?? [0, 0];
  return { start, end };
}

/** The tree as it grows from the document: each node once, shared by all its aliases. */
class Growth {
  private readonly grown = new Map<Node, { tree: Tree; parts: number } | 'growing'>();
  private readonly text: string;
  private readonly targets: ReadonlyMap<Alias, Node>;
  private readonly complain: Complain;
  private exploded = false;
  private lineStarts: readonly number[] | undefined;

  constructor(text: string, targets: ReadonlyMap<Alias, Node>, complain: Complain) {
    this.text = text;
    this.targets = targets;
    this.complain = complain;
  }

  tree(root: Node): Tree {
    return this.grow(root).tree;
  }

  private grow(node: Node): { tree: Tree; parts: number } {
    if (isAlias(node)) return this.follow(node);
    const known = this.grown.get(node);
    if (known !== undefined && known !== 'growing') return known;
    this.grown.set(node, 'growing');
    const made = this.make(node);
    this.grown.set(node, made);
    return made;
  }

  private follow(alias: Alias): { tree: Tree; parts: number } {
    const target = this.targets.get(alias);
    if (target === undefined) return { tree: blank(rangeOf(alias)), parts: 1 };
    if (this.grown.get(target) === 'growing') {
      this.complain(rangeOf(alias), `the alias "*${alias.source}" is inside what it stands for`);
      return { tree: blank(rangeOf(alias)), parts: 1 };
    }
    const made = this.grow(target);
    if (made.parts > MOST_PARTS && !this.exploded) {
      this.exploded = true;
      this.complain(
        rangeOf(alias),
        `the aliases make more than ${MOST_PARTS} parts of this file; write less`,
      );
    }
    return made;
  }

  private make(node: Node): { tree: Tree; parts: number } {
    if (isMap(node)) return this.map(node);
    if (isSeq(node)) return this.list(node);
    return { tree: this.scalar(node), parts: 1 };
  }

  private scalar(node: Node): Tree {
    if (!isScalar(node)) return blank(rangeOf(node));
    const plain = node.type === Scalar.PLAIN || node.type === undefined || node.type === null;
    const value = typeof node.value === 'string' ? node.value : '';
    return { kind: 'scalar', span: rangeOf(node), text: plain ? (node.source ?? '') : value, quoted: !plain };
  }

  private list(node: YAMLSeq): { tree: Tree; parts: number } {
    let parts = 1;
    const items: Tree[] = [];
    for (const item of node.items) {
      // The parser puts nothing but nodes and, for `- ` alone, a blank into a list.
      const made = this.grow(item as Node);
      items.push(made.tree);
      parts += made.parts;
    }
    return { tree: { kind: 'list', span: rangeOf(node), items }, parts };
  }

  private map(node: YAMLMap): { tree: Tree; parts: number } {
    let parts = 1;
    const own = new Map<string, Entry>();
    const merges: Tree[] = [];
    for (const pair of node.items) {
      // What a parser has made holds nodes only, and null where a value is missing.
      const key = pair.key as Node;
      const made = pair.value === null ? undefined : this.grow(pair.value as Node);
      const value = made?.tree ?? blank(rangeOf(key));
      parts += made?.parts ?? 1;
      if (isMerge(key)) merges.push(value);
      else this.add(own, key, value);
    }
    return { tree: { kind: 'map', span: rangeOf(node), entries: this.merged(own, merges) }, parts };
  }

  private add(entries: Map<string, Entry>, node: Node, value: Tree): void {
    const key = isAlias(node) ? this.targets.get(node) : node;
    const span = rangeOf(node);
    if (!isScalar(key)) {
      const template = this.text.startsWith('{{', span.start - 1);
      this.complain(span, `a key must be plain text${template ? '; write {{…}} in quotes' : ''}`);
      return;
    }
    const name = key.type === Scalar.PLAIN ? (key.source ?? '') : String(key.value ?? '');
    const first = entries.get(name);
    if (first === undefined) entries.set(name, { key: span, value, inherited: false });
    else this.complain(span, `"${name}" is given twice; the first is on line ${this.line(first.key)}`);
  }

  private merged(own: Map<string, Entry>, merges: readonly Tree[]): Map<string, Entry> {
    for (const source of merges.flatMap((merge) => (merge.kind === 'list' ? merge.items : [merge]))) {
      if (source.kind !== 'map') {
        this.complain(source.span, 'only a map can be merged by `<<`');
        continue;
      }
      for (const [name, entry] of source.entries) {
        if (!own.has(name)) own.set(name, { ...entry, inherited: true });
      }
    }
    return own;
  }

  private line(span: Span): number {
    this.lineStarts ??= lineStartsOf(this.text);
    return lineOf(this.lineStarts, span.start);
  }
}

const isMerge = (key: Node): boolean => isScalar(key) && key.type === Scalar.PLAIN && key.source === '<<';

const blank = (span: Span): Tree => ({ kind: 'scalar', span, text: '', quoted: false });
