/** One mistake in a config file: where it is, what is wrong, and what was probably meant. */

export interface Mistake {
  readonly file: string;
  /** Counted from 1; 0 when the mistake is about the file as a whole. */
  readonly line: number;
  /** Counted from 1, in UTF-16 units, as editors do. */
  readonly column: number;
  /** How much of the line is meant; at least 1 where there is a line. */
  readonly length: number;
  readonly message: string;
  /** The likely word: said as `did you mean "…"?`. */
  readonly suggestion?: string;
}

/** A stretch of the text, by offsets: `end` is the first offset behind it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Told of each mistake; the reading goes on to find the next. */
export type Complain = (span: Span, message: string, suggestion?: string) => void;

/** More than a screen shows at once is cut, with the place in the middle. */
const WIDEST = 110;

/** `file:line:column: sentence`, the source line behind a gutter, and a mark under the place. No colours. */
export function renderMistake(mistake: Mistake, source: string | readonly string[]): string {
  const sentence =
    mistake.suggestion === undefined
      ? mistake.message
      : `${mistake.message}; did you mean "${mistake.suggestion}"?`;
  if (mistake.line === 0) return `${mistake.file}: ${sentence}`;
  const head = `${mistake.file}:${mistake.line}:${mistake.column}: ${sentence}`;
  const lines = typeof source === 'string' ? linesOf(source) : source;
  const line = lines[mistake.line - 1];
  return line === undefined ? head : `${head}\n${excerpt(line, mistake)}`;
}

/** The mistake at a stretch of the text; one that spans several lines is marked on its first. */
export function mistakeAt(
  file: string,
  lineStarts: readonly number[],
  text: string,
  span: Span,
  message: string,
  suggestion?: string,
): Mistake {
  const line = lineOf(lineStarts, span.start);
  const start = lineStarts[line - 1] ?? 0;
  const lineEnd = endOfLine(text, start);
  const length = Math.max(1, Math.min(span.end, lineEnd) - span.start);
  const place = { file, line, column: span.start - start + 1, length, message };
  return suggestion === undefined ? place : { ...place, suggestion };
}

/** The offset at which each line begins. */
export function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** The line, counted from 1, that holds this offset. */
export function lineOf(lineStarts: readonly number[], offset: number): number {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low + 1;
}

function endOfLine(text: string, start: number): number {
  const feed = text.indexOf('\n', start);
  const end = feed === -1 ? text.length : feed;
  return text[end - 1] === '\r' && end > start ? end - 1 : end;
}

const linesOf = (source: string): string[] => source.replace(/^\uFEFF/, '').split(/\r?\n/);

function excerpt(line: string, mistake: Mistake): string {
  const from = line.length <= WIDEST ? 0 : Math.max(0, mistake.column - 1 - WIDEST / 2);
  const shown = line.slice(from, from + WIDEST);
  const column = Math.min(mistake.column - 1 - from, shown.length);
  const gutter = String(mistake.line).padStart(4);
  // A tab stays a tab, so that the mark stands under its place however wide a terminal shows one.
  const indent = shown.slice(0, column).replace(/[^\t]/g, ' ');
  const length = Math.max(1, Math.min(mistake.length, shown.length - column));
  return `${gutter} | ${harmless(shown)}\n     | ${indent}^${'~'.repeat(length - 1)}`;
}

/** A config file is shown to a terminal: no control character of it may reach that. */
const harmless = (text: string): string => text.replace(/[^\P{Cc}\t]/gu, '\uFFFD');
