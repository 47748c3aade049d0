/** Words of a command line that mean something to a shell, and nothing where none runs it. */

/** The first of them: `|`, `&&`, `>`, `2>&1`, `$HOME`, `$(date)`, `A=b` before the program. */
export function shellWordIn(line: string): string | undefined {
  const bare = withoutQuotes(line);
  let first: { readonly start: number; readonly end: number } | undefined;
  for (const pattern of [OPERATOR, VARIABLE, ASSIGNMENT]) {
    const match = pattern.exec(bare);
    if (match === null || (first !== undefined && first.start <= match.index)) continue;
    first = { start: match.index, end: match.index + match[0].length };
  }
  return first === undefined ? undefined : line.slice(first.start, first.end).trim();
}

/** As words of their own, at the end of one (`cd a; b`), or before the name of a file (`>out`). In a URL `&` is harmless. */
const OPERATOR =
  /(?<=^|\s)(?:\|\|?|&&?|;|\d?>>?&?\d?|&>>?|<<?)(?=\s|$)|(?<=^|\s)(?:\d|&)?>>?(?=[^\s>])\S*|;(?=\s|$)|(?<=\S)&(?=$)/;

/** `${NAME}` is filled in by the config itself, and `$$` is how it writes a plain one. */
const VARIABLE = /(?<!\$)\$(?:[A-Za-z_]\w*|\()|`/;

const ASSIGNMENT = /^\s*[A-Za-z_]\w*=\S*(?=\s)/;

/** The same line, of the same length: what is in quotes or behind a backslash is blotted out, but for variables in "…". */
function withoutQuotes(line: string): string {
  return line.replace(/\\.|'[^']*'|"(?:\\.|[^"\\])*"/gs, (quoted) =>
    quoted.startsWith('"') ? quoted.replace(/\\.|[^$\w(]/gs, blot) : blot(quoted),
  );
}

const blot = (text: string): string => '.'.repeat(text.length);
