/** The shapes of single values: texts, numbers, words, signals, permission bits. */
import { fail, ok } from '../base/result.ts';
import { type SignalName, signalName } from '../base/signal-name.ts';
import { nearest } from './nearest.ts';
import { listed, must, scalar } from './scalar.ts';
import type { Shape } from './shape.ts';
import { withoutVariables } from './variables.ts';

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
