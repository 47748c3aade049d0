/** Cuts bytes into lines. Of a line that is too long the beginning counts; a part without its newline is held. */

const NEWLINE = 10;
const RETURN = 13;
export const LINE_BYTES = 64 * 1024;

export class Lines {
  private held: Buffer | null = null;

  /** Cutting before decoding: no character of UTF-8 has a newline in it, and none is torn at the end of a chunk. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      lines.push(decoded(this.joined(chunk.subarray(from, to))));
      this.held = null;
      from = to + 1;
    }
    if (from < chunk.length) this.held = Buffer.from(this.joined(chunk.subarray(from)));
    return lines;
  }

  /** What comes next is not the rest of what came before. */
  reset(): void {
    this.held = null;
  }

  private joined(part: Buffer): Buffer {
    const { held } = this;
    if (held === null) return part.subarray(0, LINE_BYTES);
    return Buffer.concat([held, part.subarray(0, LINE_BYTES - held.length)]);
  }
}

function decoded(line: Buffer): string {
  return line.toString('utf8', 0, line.at(-1) === RETURN ? line.length - 1 : line.length);
}
