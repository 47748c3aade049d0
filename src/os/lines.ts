/** Cuts what arrives on descriptor 3 into lines; a part without its newline is held, up to a limit. */

const NEWLINE = 10;

export interface LineSink {
  line(text: string): void;
  overlong(): void;
}

export class Lines {
  private held: Buffer | null = null;
  /** Within a line that is too long, whose rest is passed over. */
  private skipping = false;
  private readonly maxBytes: number;
  private readonly sink: LineSink;

  constructor(maxBytes: number, sink: LineSink) {
    this.maxBytes = maxBytes;
    this.sink = sink;
  }

  /** `chunk` may be reused by the caller afterwards. */
  push(chunk: Buffer): void {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      this.end(chunk.subarray(from, to));
      from = to + 1;
    }
    if (from < chunk.length) this.hold(chunk.subarray(from));
  }

  /** There will be no more: what is held counts as a line. */
  finish(): void {
    if (this.held !== null) this.end(Buffer.alloc(0));
  }

  private end(rest: Buffer): void {
    const skipped = this.skipping;
    const line = this.held === null ? rest : Buffer.concat([this.held, rest]);
    this.held = null;
    this.skipping = false;
    if (skipped) return;
    if (line.length > this.maxBytes) this.sink.overlong();
    else this.sink.line(line.toString('utf8'));
  }

  private hold(part: Buffer): void {
    if (this.skipping) return;
    const length = (this.held?.length ?? 0) + part.length;
    if (length <= this.maxBytes) {
      this.held = this.held === null ? Buffer.from(part) : Buffer.concat([this.held, part]);
      return;
    }
    this.held = null;
    this.skipping = true;
    this.sink.overlong();
  }
}
