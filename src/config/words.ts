/** A command line -> its words, split as a shell would: quotes and backslashes, nothing expanded. */
import { fail, ok, type Result } from '../base/result.ts';

export function splitWords(line: string): Result<readonly string[], string> {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    const char = line.charAt(at);
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
      continue;
    }
    const piece = char === "'" ? single(line, at) : char === '"' ? double(line, at) : bare(line, at);
    if (!piece.ok) return piece;
    word = (word ?? '') + piece.value.text;
    at = piece.value.next;
  }
  if (word !== undefined) words.push(word);
  return ok(words);
}

/** Words -> a line that splits into them again, for people to read. */
export const joinWords = (words: readonly string[]): string => words.map(quoted).join(' ');

interface Piece {
  readonly text: string;
  readonly next: number;
}

function single(line: string, at: number): Result<Piece, string> {
  const end = line.indexOf("'", at + 1);
  if (end === -1) return fail("a single quote (') is opened and not closed");
  return ok({ text: line.slice(at + 1, end), next: end + 1 });
}

/** Within double quotes a backslash takes the meaning off `"`, `\`, `$` and a backtick only, as in sh. */
function double(line: string, at: number): Result<Piece, string> {
  let text = '';
  for (let next = at + 1; next < line.length; next++) {
    const char = line.charAt(next);
    if (char === '"') return ok({ text, next: next + 1 });
    if (char !== '\\') {
      text += char;
      continue;
    }
    next += 1;
    const escaped = line.charAt(next);
    if (escaped !== '\n') text += /["\\$`]/.test(escaped) ? escaped : `\\${escaped}`;
  }
  return fail('a double quote (") is opened and not closed');
}

function bare(line: string, at: number): Result<Piece, string> {
  if (line.charAt(at) !== '\\') return ok({ text: line.charAt(at), next: at + 1 });
  if (at + 1 >= line.length) return fail('a backslash at the end has nothing to quote');
  const escaped = line.charAt(at + 1);
  return ok({ text: escaped === '\n' ? '' : escaped, next: at + 2 });
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./{}-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
