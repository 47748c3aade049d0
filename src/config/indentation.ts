/** What is meant where the YAML parser only sees that something does not fit: a key in a column that is nobody's. */
import type { Span } from './mistake.ts';

export interface Misplaced {
  /** The key that is in the wrong column. */
  readonly key: Span;
  readonly sentence: string;
}

interface Line {
  /** Counted from 1. */
  readonly number: number;
  readonly start: number;
  readonly text: string;
}

interface Key {
  readonly line: Line;
  /** Counted from 0. */
  readonly column: number;
  /** As it is written, with its quotes if it has some. */
  readonly name: string;
}

/** A key that is indented further than the one whose value ends above it: it is read as more of that value. */
export function swallowedAfter(text: string, offset: number): Misplaced | undefined {
  const lines = linesOf(text);
  const at = lines.findLastIndex(({ start }) => start <= offset);
  const above = lines[at];
  if (above === undefined || isBlank(above)) return undefined;
  const next = lines
    .slice(at + 1)
    .find((line) => !isBlank(line) && (keyIn(line) !== undefined || !isIn(line, above)));
  const key = next === undefined ? undefined : keyIn(next);
  if (next === undefined || key === undefined || !isIn(next, above)) return undefined;
  const owner = keyIn(above);
  const what = owner === undefined ? 'the item' : quoted(owner.name);
  const column = owner === undefined ? '' : ` (column ${owner.column + 1})`;
  return {
    key: spanOf(key),
    sentence:
      `${quoted(key.name)} is indented further than ${what} on line ${above.number}, and so is read as more of that value; ` +
      `keys of one map begin in the same column${column}`,
  };
}

/** A key between the columns of two maps. */
export function misalignedAt(text: string, offset: number): Misplaced | undefined {
  const lines = linesOf(text);
  const from = lines.findLastIndex(({ start }) => start <= offset);
  const at = lines.findIndex((line, index) => index >= from && !isBlank(line));
  const key = keyIn(lines[at]);
  if (key === undefined) return undefined;
  const above = lines
    .slice(0, at)
    .flatMap((line) => keyIn(line) ?? [])
    .reverse();
  const deeper = above.find(({ column }) => column > key.column);
  const outer = above.find(({ column }) => column < key.column);
  const columns = [deeper, outer]
    .flatMap((each) => each ?? [])
    .map(({ column, name, line }) => `in column ${column + 1} as ${quoted(name)} on line ${line.number}`);
  if (columns.length === 0) return undefined;
  return {
    key: spanOf(key),
    sentence: `${quoted(key.name)} is in column ${key.column + 1}, where no map is; it must begin ${columns.join(', or ')}`,
  };
}

function linesOf(text: string): Line[] {
  let start = 0;
  return text.split('\n').map((line, index) => {
    const here = { number: index + 1, start, text: line };
    start += line.length + 1;
    return here;
  });
}

const isBlank = ({ text }: Line): boolean => /^\s*(?:#|$)/.test(text);

const indentOf = ({ text }: Line): number => text.search(/\S|$/);

const isIn = (line: Line, above: Line): boolean => indentOf(line) > indentOf(above);

/** Of a line such as `  name: …`, `- name: …` or `"name":`. */
function keyIn(line: Line | undefined): Key | undefined {
  if (line === undefined || isBlank(line)) return undefined;
  const [, before = '', name] =
    /^( *(?:- +)*)([^\s#'"&*!|>%@`[\]{},-][^\s#:]*|"[^"]*"|'[^']*')\s*:(?=\s|$)/.exec(line.text) ?? [];
  return name === undefined ? undefined : { line, column: before.length, name };
}

const quoted = (name: string): string => (/^["']/.test(name) ? name : `"${name}"`);

const spanOf = ({ line, column, name }: Key): Span => ({
  start: line.start + column,
  end: line.start + column + name.length,
});
