/** The shapes of single values: texts, numbers, durations, signals, paths, … */
import { resolve } from 'node:path';
import { parseDuration } from '../base/duration.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { type SignalName, signalName } from '../base/signal-name.ts';
import { nearest } from './nearest.ts';
import { type At, described, placeOf, type Reading, type Shape } from './shape.ts';
import { isNull, type ScalarTree, type Tree, type Written } from './tree.ts';
import { type Flaw, fillVariables, tidyTemplates, withoutVariables } from './variables.ts';

/** A refusal: the end of `drain.timeout …`, and the word that was probably meant. */
interface Refusal {
  readonly message: string;
  readonly suggestion?: string;
}

interface Rule<T> {
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
export function textOf(
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
function partOf(tree: ScalarTree, part: string, reading: Reading, at: At): { start: number; end: number } {
  const whole = placeOf(tree, at);
  const start = reading.text.indexOf(part, whole.start);
  return start === -1 || start + part.length > whole.end ? whole : { start, end: start + part.length };
}

const must = (expects: string, text: string): { ok: false; error: Refusal } =>
  fail({ message: `must be ${expects}, not ${JSON.stringify(text)}` });

export function text(
  options: { readonly expects?: string; readonly pattern?: RegExp; readonly templates?: boolean } = {},
): Shape<string> {
  const { expects = 'a text', pattern, templates = false } = options;
  return scalar({
    expects,
    templates,
    parse: (found) => (pattern === undefined || pattern.test(found) ? ok(found) : must(expects, found)),
    show: withoutVariables,
  });
}

export const boolean: Shape<boolean> = scalar<boolean>({
  expects: 'true or false',
  bare: true,
  parse(found) {
    if (/^(?:true|True|TRUE)$/.test(found)) return ok(true);
    if (/^(?:false|False|FALSE)$/.test(found)) return ok(false);
    const meant = /^(?:yes|on|y|1)$/i.test(found) ? 'true' : /^(?:no|off|n|0)$/i.test(found) ? 'false' : null;
    const message = `must be true or false, not ${JSON.stringify(found)}`;
    return fail(meant === null ? { message } : { message, suggestion: meant });
  },
  show: (value) => value,
});

export function integer(min: number, max: number): Shape<number> {
  const expects =
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number from ${min} up`
      : `a whole number from ${min} to ${max}`;
  return scalar<number>({
    expects,
    bare: true,
    parse(found) {
      const value = /^[+-]?(?:0|[1-9]\d*)$/.test(found) ? Number(found) : Number.NaN;
      return value >= min && value <= max ? ok(value) : must(expects, found);
    },
    show: (value) => value,
  });
}

export function decimal(min: number, max: number): Shape<number> {
  const expects = `a number from ${min} to ${max}`;
  return scalar<number>({
    expects,
    bare: true,
    parse(found) {
      const value = /^\d+(?:\.\d+)?$/.test(found) ? Number(found) : Number.NaN;
      return value >= min && value <= max ? ok(value) : must(expects, found);
    },
    show: (value) => value,
  });
}

/** A share of 0 to 1, written `10%`. */
export const percentage: Shape<number> = scalar<number>({
  expects: 'a percentage from 0% to 100%, such as 10%',
  parse(found) {
    const value = /^\d{1,3}(?:\.\d{1,6})?%$/.test(found) ? Number(found.slice(0, -1)) : Number.NaN;
    if (value <= 100) return ok(value / 100);
    return must('a percentage from 0% to 100%, such as 10%', found);
  },
  show: (value) => `${Number((value * 100).toPrecision(12))}%`,
});

/** Longer than this is no plan but a mistake in the unit. */
const LONGEST_MS = 365 * 86_400_000;

export const duration: Shape<number> = scalar<number>({
  expects: 'a duration such as 10s',
  parse: parseDurationKey,
  show: writtenDuration,
});

export const durationOrNone: Shape<number | null> = orNone(duration);

/** The same shape, or the word `none` for null. */
export function orNone<T>(shape: Shape<T>): Shape<T | null> {
  return {
    expects: `${shape.expects}, or none`,
    read: (tree, reading, at) =>
      tree.kind === 'scalar' && tree.text === 'none' ? null : shape.read(tree, reading, at),
    show: (value) => (value === null ? 'none' : shape.show(value)),
    ...(shape.inner === undefined ? {} : { inner: shape.inner }),
  };
}

function parseDurationKey(found: string): Result<number, Refusal> {
  if (/^\d+(?:\.\d+)?$/.test(found)) {
    return fail({ message: 'is a duration and needs a unit', suggestion: `${found}s` });
  }
  if (found === 'none') return fail({ message: 'cannot be none: it needs an end, such as 10s' });
  const parsed = parseDuration(found);
  if (!parsed.ok) return fail({ message: `is wrong: ${parsed.error}` });
  if (parsed.value > LONGEST_MS) return fail({ message: 'is longer than 365d' });
  return ok(parsed.value);
}

/** Exact to the millisecond, unlike what is shown of a running clock. */
export function writtenDuration(ms: number): string {
  if (ms === 0) return '0s';
  let rest = ms;
  let shown = '';
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) shown += `${count}${unit}`;
    rest -= count * size;
  }
  return shown;
}

export function word<const W extends readonly string[]>(...words: W): Shape<W[number]> {
  const expects = listed(words, 'or');
  return scalar<W[number]>({
    expects,
    parse(found) {
      const known = words.find((candidate) => candidate === found);
      if (known !== undefined) return ok(known);
      const suggestion = nearest(found, words);
      const message = `must be ${expects}, not ${JSON.stringify(found)}`;
      return fail(suggestion === undefined ? { message } : { message, suggestion });
    },
    show: (value) => value,
  });
}

/** `a, b or c` */
export const listed = (words: readonly string[], last: 'or' | 'and'): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;

export function signal(refused: Readonly<Record<string, string>> = {}): Shape<SignalName> {
  return scalar<SignalName>({
    expects: 'a signal such as TERM',
    parse(found) {
      const name = signalName(found);
      if (name === undefined) return must('a signal such as TERM, INT, QUIT or USR1', found);
      const reason = refused[name];
      return reason === undefined ? ok(name) : fail({ message: `cannot be ${name}: ${reason}` });
    },
    show: (value) => value,
  });
}

/** Permission bits in octal, however YAML would read them. */
export const mode: Shape<number> = scalar<number>({
  expects: 'permission bits such as "0600"',
  parse: (found) =>
    /^(?:0o?)?[0-7]{3}$/.test(found)
      ? ok(Number.parseInt(found.slice(-3), 8))
      : must('permission bits such as "0600"', found),
  show: (value) => value.toString(8).padStart(4, '0'),
});

/** Made absolute, from the folder of the config file. */
export const path = (templates = false): Shape<string> =>
  scalar<string>({ expects: 'a path', templates, parse: parsePath, show: withoutVariables });

export function parsePath(found: string, reading: Reading): Result<string, Refusal> {
  if (found === '') return fail({ message: 'is empty; it must be a path' });
  if (/^~(?:\/|$)/.test(found)) {
    return fail({ message: `does not know "~"; write \${HOME}${found.slice(1)}` });
  }
  return ok(resolve(reading.folder, found));
}
