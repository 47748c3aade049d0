/** Lines of several logs in the order of their times; those of one log stay in its own order. */
import type { Line, Reader } from './reader.ts';

/** Whoever has said that there is nothing is asked again after so many lines, or bytes, of the others. */
const LINES_A_TURN = 1000;
const BYTES_A_TURN = 256 * 1024;

/** Lines of one log that come one after another. Nobody reads on while it is at work. */
export type Take = (reader: Reader, lines: readonly Line[]) => void | Promise<void>;

/** Until nobody has anything for now. `failed` is told what cannot be read, and the others go on. */
export async function merge(
  readers: readonly Reader[],
  take: Take,
  failed: (reader: Reader, error: unknown) => void,
): Promise<void> {
  const heads = new Heads(failed);
  let last: Reader | null = null;
  for (;;) {
    for (const reader of readers) if (!heads.has(reader)) await heads.pull(reader);
    const turn: Turn | null = heads.goesOn(last) ?? heads.earliest(readers);
    if (turn === null) return;
    last = turn.reader;
    await take(turn.reader, await heads.run(turn, readers));
  }
}

interface Rival {
  readonly time: number;
  readonly at: number;
}

interface Turn {
  readonly reader: Reader;
  /** The first one of all others; null: there is none, or it has to wait. */
  readonly before: Rival | null;
}

/** The first line of each that has one. */
class Heads {
  readonly #failed: (reader: Reader, error: unknown) => void;
  readonly #lines = new Map<Reader, Line>();

  constructor(failed: (reader: Reader, error: unknown) => void) {
    this.#failed = failed;
  }

  has(reader: Reader): boolean {
    return this.#lines.has(reader);
  }

  /** A long line comes in parts, and nobody else's between them. */
  goesOn(reader: Reader | null): Turn | null {
    return reader !== null && this.#lines.get(reader)?.isRest === true ? { reader, before: null } : null;
  }

  /** A promise only where it has to be waited for: there are many lines. */
  pull(reader: Reader): void | Promise<void> {
    try {
      const next = reader.next();
      if (next === 'later') return reader.arrival().then(() => this.pull(reader));
      if (next === 'nothing') this.#lines.delete(reader);
      else this.#lines.set(reader, next);
    } catch (error) {
      this.#lines.delete(reader);
      this.#failed(reader, error);
    }
  }

  earliest(readers: readonly Reader[]): Turn | null {
    let first: (Rival & { readonly reader: Reader }) | null = null;
    let second: Rival | null = null;
    for (const [at, reader] of readers.entries()) {
      const time = this.#lines.get(reader)?.time;
      if (time === undefined) continue;
      if (first === null || time < first.time) [first, second] = [{ reader, time, at }, first];
      else if (second === null || time < second.time) second = { time, at };
    }
    return first === null ? null : { reader: first.reader, before: second };
  }

  /** The lines of one that come before the first one of any other. */
  async run({ reader, before }: Turn, readers: readonly Reader[]): Promise<Line[]> {
    const at = readers.indexOf(reader);
    const lines: Line[] = [];
    let bytes = 0;
    for (let head = this.#lines.get(reader); head !== undefined; head = this.#lines.get(reader)) {
      const isLater =
        before !== null && (head.time > before.time || (head.time === before.time && at > before.at));
      if (
        lines.length > 0 &&
        ((isLater && !head.isRest) || lines.length >= LINES_A_TURN || bytes >= BYTES_A_TURN)
      )
        break;
      lines.push(head);
      bytes += head.bytes.length;
      const later = this.pull(reader);
      if (later !== undefined) await later;
    }
    return lines;
  }
}
