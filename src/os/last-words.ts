/** Keeps the end of what is said, and shows its last line without anything that could upset a terminal. */

/** So much of the end is kept. */
const KEPT_BYTES = 2048;
const SHOWN_CHARACTERS = 300;

export class LastWords {
  private kept: Buffer = Buffer.alloc(0);
  private isCut = false;

  push(chunk: Buffer): void {
    const all = chunk.length >= KEPT_BYTES ? chunk : Buffer.concat([this.kept, chunk]);
    this.isCut ||= all.length > KEPT_BYTES || all === chunk;
    this.kept = Buffer.from(all.subarray(-KEPT_BYTES));
  }

  lastLine(): string {
    return lastLineOf(this.isCut ? withoutTornCharacter(this.kept) : this.kept);
  }
}

/** What was cut off may have taken the beginning of a character with it. */
function withoutTornCharacter(text: Buffer): Buffer {
  let from = 0;
  while (from < 3 && ((text[from] ?? 0) & 0xc0) === 0x80) from++;
  return text.subarray(from);
}

const [ESC, BEL] = ['\u001b', '\u0007'];
/** Colours, cursor movements, window titles. */
const ESCAPES = new RegExp(
  `${ESC}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)?|[@-Z\\\\^_])`,
  'g',
);
/** Those, what ends a line, and what turns the direction of writing. */
const UNSHOWABLE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

function lastLineOf(bytes: Buffer): string {
  const lines = bytes
    .toString('utf8')
    .replace(ESCAPES, '')
    .split(/[\n\r]/);
  const shown = lines.map((line) => line.replace(UNSHOWABLE, ' ').trim());
  const last = [...(shown.findLast((line) => line !== '') ?? '')];
  return last.length > SHOWN_CHARACTERS ? `${last.slice(0, SHOWN_CHARACTERS).join('')}…` : last.join('');
}
