/** YAML text -> Tree; or every mistake of its syntax. */
import { Composer, type CST, type Document, isScalar, Lexer, type Node, Parser, type YAMLError } from 'yaml';
import { treeOfDocument } from './growth.ts';
import { type Misplaced, misalignedAt, swallowedAfter } from './indentation.ts';
import type { Complain, Span } from './mistake.ts';
import type { Tree } from './tree.ts';

/** Undefined when the text is not YAML, or empty: `complain` has been told. */
export function parseTree(text: string, complain: Complain): Tree | undefined {
  const document = documentOf(text, complain);
  if (document === undefined) return undefined;
  const problems = [...document.errors, ...document.warnings];
  for (const problem of problems) {
    const star = starAround(text, problem.pos[0]);
    const misplaced = misplacedBy(problem, text);
    if (star !== undefined) {
      complain(star, `a value that begins with * needs quotes: "${text.slice(star.start, star.end)}"`);
    } else if (misplaced !== undefined) complain(misplaced.key, misplaced.sentence);
    else complain(spanOf(problem), sentenceOf(problem));
  }
  if (problems.length > 0) return undefined;
  if (document.contents === null || isBlank(document.contents)) {
    complain({ start: 0, end: 0 }, 'the file is empty; a config needs at least `programs:` with one program');
    return undefined;
  }
  return treeOfDocument(document.contents, document, text, complain);
}

/** Deeper than this nobody writes, and much deeper than this the composer of nodes dies (with all of Node). */
const DEEPEST = 100;

function documentOf(text: string, complain: Complain): Document.Parsed | undefined {
  const tokens = tokensOf(text, complain);
  if (tokens === undefined) return undefined;
  // Our own check for duplicate keys is linear and names the first place.
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, logLevel: 'silent' });
  const [document, second] = composer.compose(tokens, true, text.length);
  if (second === undefined) return document;
  const [start] = second.range;
  complain({ start, end: start + 3 }, 'a second document begins here; a config is one document');
  return undefined;
}

function tokensOf(text: string, complain: Complain): CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length <= DEEPEST) continue;
    complain({ start: parser.offset - 1, end: parser.offset }, `this is nested more than ${DEEPEST} deep`);
    return undefined;
  }
  tokens.push(...parser.end());
  return tokens;
}

const isBlank = (node: Node): boolean => isScalar(node) && node.source === '' && node.type === 'PLAIN';

const spanOf = (problem: YAMLError): Span => ({ start: problem.pos[0], end: problem.pos[1] });

/** The parser points at the value above, or says nothing of which column would be right. */
function misplacedBy({ code, pos: [offset] }: YAMLError, text: string): Misplaced | undefined {
  if (code === 'BLOCK_AS_IMPLICIT_KEY' || code === 'MULTILINE_IMPLICIT_KEY')
    return swallowedAfter(text, offset);
  return code === 'BAD_INDENT' ? misalignedAt(text, offset) : undefined;
}

/** A value such as `* * * * *`, which YAML takes for an alias, on the line of this place. */
function starAround(text: string, offset: number): Span | undefined {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const line = /^[^\r\n]*/.exec(text.slice(start))?.[0] ?? '';
  const [, before = '', rest = ''] = /^([^#"']*:\s+)(\*[\s/][^#"']*)/.exec(line) ?? [];
  const value = /[{[]/.test(before) ? rest.replace(/[,}\]].*/, '') : rest;
  if (value === '') return undefined;
  return { start: start + before.length, end: start + before.length + value.trimEnd().length };
}

/** The parser's own words where they are plain; better ones for what people do most. */
function sentenceOf(problem: YAMLError): string {
  switch (problem.code) {
    case 'TAB_AS_INDENT':
      return 'a tab cannot indent in YAML; use spaces';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a value cannot hold `: ` unless it is in quotes';
    case 'TAG_RESOLVE_FAILED':
      return `${problem.message.charAt(0).toLowerCase()}${problem.message.slice(1)}; a config has no tags`;
    default: {
      const first = (problem.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
      return `cannot read this as YAML: ${first.charAt(0).toLowerCase()}${first.slice(1)}`;
    }
  }
}
