/** Text in a terminal's columns: how wide it is, and how to make it fit. */

/** Escape sequences and control characters, which a program's message must not carry into the terminal. */
const CONTROL = /\p{Cc}/gu;
const ASCII = /^[\x20-\x7e]*$/;
// Written by paint alone.
const STYLE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** The same text with nothing in it that could move a cursor. */
export const printable = (text: string): string => (ASCII.test(text) ? text : text.replace(CONTROL, ' '));

/** How many columns the text takes; colours take none. */
export function widthOf(text: string): number {
  // Most text is plain, and the other patterns take a while to be made.
  if (ASCII.test(text)) return text.length;
  const bare = text.replace(STYLE, '');
  if (ASCII.test(bare)) return bare.length;
  let width = 0;
  for (const character of bare) width += columnsOf(character);
  return width;
}

export const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - widthOf(text)));

/** The text, or its beginning and an ellipsis where it is wider than `width`. For text without colours. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width <= 0) return '';
  let taken = '';
  let used = 0;
  for (const character of text) {
    used += columnsOf(character);
    if (used > width - 1) break;
    taken += character;
  }
  return `${taken.trimEnd()}…`;
}

/** As `folded`, and what is wider by itself is broken or cut: for what is drawn. */
export const wrap = (text: string, width: number, indent = ''): string[] =>
  rowsOf(text, piecesOf(text, width - widthOf(indent)), width, indent).map((line) => cut(line, width));

/**
 * The text in lines of at most `width` columns, broken at spaces where there are any; later lines are indented.
 * A command in quotes stays in one piece, however wide: it is there to be copied.
 */
export const folded = (text: string, width: number, indent = ''): string[] =>
  rowsOf(text, piecesOf(text, Number.POSITIVE_INFINITY), width, indent);

function rowsOf(text: string, pieces: readonly string[], width: number, indent: string): string[] {
  const rows: string[] = [];
  // It may begin further in.
  let row = /^ */.exec(text)?.[0] ?? '';
  for (const piece of pieces) {
    const isFirst = row.trim() === '';
    const longer = isFirst ? `${row}${piece}` : `${row} ${piece}`;
    if (isFirst || widthOf(longer) <= width) row = longer;
    else {
      rows.push(row);
      row = indent + piece;
    }
  }
  return [...rows, row];
}

/** Words, and quotations of several words that are no wider than `width`. */
function piecesOf(text: string, width: number): string[] {
  const pieces: string[] = [];
  const words = text.trimStart().split(' ');
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const end = /^\(?"/.test(word) ? words.findIndex((each, later) => later >= at && /"\W*$/.test(each)) : -1;
    const quotation = words.slice(at, end + 1).join(' ');
    const isOne = end > at && widthOf(quotation) <= width;
    pieces.push(isOne ? quotation : word);
    if (isOne) at = end;
  }
  return pieces;
}

/** East Asian and emoji characters take two columns, combining marks none. */
function columnsOf(character: string): number {
  if (/\p{M}|\u200d|\ufe0f/u.test(character)) return 0;
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
    character,
  )
    ? 2
    : 1;
}
