/** Cuts bytes into lines, in bounded memory: one that is very long comes in parts, between characters. */

const NEWLINE = 10;
/** A line longer than this comes in parts. */
export const LINE_BYTES = 1024 * 1024;

export interface Cut {
  /** Without its newline. */
  readonly bytes: Buffer;
  /** More of the same line comes next. */
  readonly isTorn: boolean;
  /** The line began in the one before. */
  readonly isRest: boolean;
}

export class Cutter {
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isRest = false;

  /** What is whole by now. */
  push(chunk: Buffer): Cut[] {
    const cuts: Cut[] = [];
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      cuts.push(this.#whole(chunk.subarray(from, to)));
      from = to + 1;
    }
    if (from < chunk.length) this.#hold(chunk.subarray(from));
    if (this.#heldBytes >= LINE_BYTES) cuts.push(this.#torn());
    return cuts;
  }

  /** What has no end yet. */
  rest(): Cut[] {
    return this.#heldBytes === 0 ? [] : [this.#whole(Buffer.alloc(0))];
  }

  #whole(end: Buffer): Cut {
    const bytes = this.#heldBytes === 0 ? end : Buffer.concat([...this.#held, end]);
    const cut = { bytes, isTorn: false, isRest: this.#isRest };
    this.#held = [];
    this.#heldBytes = 0;
    this.#isRest = false;
    return cut;
  }

  #torn(): Cut {
    const bytes = Buffer.concat(this.#held);
    const at = endOfCharacters(bytes);
    const cut = { bytes: bytes.subarray(0, at), isTorn: true, isRest: this.#isRest };
    this.#held = [];
    this.#heldBytes = 0;
    if (at < bytes.length) this.#hold(bytes.subarray(at));
    this.#isRest = true;
    return cut;
  }

  #hold(part: Buffer): void {
    this.#held.push(part);
    this.#heldBytes += part.length;
  }
}

/** Where the last whole character ends: UTF-8 has at most three bytes after the first of one. */
function endOfCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 4 && back < bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return bytes.length - (lengthBy(byte) > back ? back : 0);
  }
  return bytes.length;
}

const lengthBy = (first: number): number => (first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2);
