/** What all single values have in common: variables and templates, and a sentence when they do not fit. */
import { fail, type Result } from '../base/result.ts';
import type { Span } from './mistake.ts';
import { type At, described, placeOf, type Reading, type Shape } from './shape.ts';
import { isNull, type ScalarTree, type Tree, type Written } from './tree.ts';
import { type Flaw, fillVariables, tidyTemplates } from './variables.ts';

/** A refusal: the end of `drain.timeout …`, and the word that was probably meant. */
export interface Refusal {
  readonly message: string;
  readonly suggestion?: string;
}

export interface Rule<T> {
  readonly expects: string;
  /** Whether `{{index}}` and its like may stand here. */
  readonly templates?: boolean;
  parse(text: string, reading: Reading): Result<T, Refusal>;
  show(value: T): Written;
  /** Not a text: quotes around it are a mistake, unless a variable needed them. */
  readonly bare?: boolean;
}

/** A shape out of a rule for its text: variables and templates are seen to here, once for all. */
export function scalar<T>(rule: Rule<T>): Shape<T> {
  return {
    expects: rule.expects,
    show: rule.show,
    read(tree, reading, at) {
      const text = textOf(tree, rule, reading, at);
      if (text === undefined) return undefined;
      const parsed = rule.parse(text, reading);
      if (parsed.ok) return parsed.value;
      reading.complain(placeOf(tree, at), `${at.path} ${parsed.error.message}`, parsed.error.suggestion);
      return undefined;
    },
  };
}

/** The text of a scalar with its variables filled in; undefined when there is no such text. */
function textOf(
  tree: Tree,
  rule: { readonly expects: string; readonly templates?: boolean; readonly bare?: boolean },
  reading: Reading,
  at: At,
): string | undefined {
  if (isNull(tree)) {
    reading.complain(placeOf(tree, at), `${at.path} has no value; it must be ${rule.expects}`);
    return undefined;
  }
  if (tree.kind !== 'scalar') {
    reading.complain(placeOf(tree, at), `${at.path} must be ${rule.expects}, not ${described(tree)}`);
    return undefined;
  }
  if (rule.bare === true && tree.quoted && !tree.text.includes('$')) {
    reading.complain(placeOf(tree, at), `${at.path} must be ${rule.expects}, not a text; remove the quotes`);
    return undefined;
  }
  return filled(tree, rule.templates ?? false, reading, at);
}

function filled(tree: ScalarTree, templates: boolean, reading: Reading, at: At): string | undefined {
  let flawed = false;
  const flaw = ({ part, message, suggestion }: Flaw): void => {
    flawed = true;
    reading.complain(partOf(tree, part, reading, at), message, suggestion);
  };
  const text = tidyTemplates(fillVariables(tree.text, reading.environment, flaw), flaw);
  if (!flawed && !templates && text.includes('{{')) {
    flaw({ part: '{{', message: `${at.path} cannot hold {{…}}: it is not read for each instance` });
  }
  if (text.includes('\0')) flaw({ part: '\0', message: `${at.path} cannot hold a NUL character` });
  return flawed ? undefined : text;
}

/** Where a part of a value stands, if it can be seen as such in the source. */
function partOf(tree: ScalarTree, part: string, reading: Reading, at: At): Span {
  const whole = placeOf(tree, at);
  const start = reading.text.indexOf(part, whole.start);
  return start === -1 || start + part.length > whole.end ? whole : { start, end: start + part.length };
}

/** What must be, and what was there. */
export const must = (expects: string, text: string): { ok: false; error: Refusal } =>
  fail({ message: `must be ${expects}, not ${JSON.stringify(text)}` });

/** `a, b or c` */
export const listed = (words: readonly string[], last: 'or' | 'and'): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;

/** The same shape, or the word `none` for null. */
export const orNone = <T>(shape: Shape<T>): Shape<T | null> => orWord('none', shape);

/** The same shape, or one word that stands for null. */
export function orWord<T>(word: string, shape: Shape<T>): Shape<T | null> {
  return {
    expects: `${shape.expects}, or ${word}`,
    read: (tree, reading, at) => (isWord(tree, word, reading) ? null : shape.read(tree, reading, at)),
    show: (value) => (value === null ? word : shape.show(value)),
    ...(shape.inner === undefined ? {} : { inner: shape.inner }),
  };
}

/** Also where the word comes of a variable; what is wrong with that is told by whoever reads on. */
export const isWord = (tree: Tree, word: string, reading: Reading): boolean =>
  tree.kind === 'scalar' && fillVariables(tree.text, reading.environment, () => {}) === word;
