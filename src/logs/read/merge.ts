/** Lines of several logs in the order of their times; those of one log stay in its own order. */
import type { Line, Reader } from './reader.ts';

/** Whoever has said that there is nothing is asked again after so many lines of the others. */
const LINES_A_TURN = 1000;
/** Taken together, of one log. */
const BYTES_A_RUN = 256 * 1024;

/** Lines of one log that come one after another. Nobody reads on while it is at work. */
export type Take = (reader: Reader, lines: readonly Line[]) => void | Promise<void>;

/** Until nobody has anything for now. `failed` is told what cannot be read, and the others go on. */
export async function merge(
  readers: readonly Reader[],
  take: Take,
  failed: (reader: Reader, error: unknown) => void,
): Promise<void> {
  const heads = new Heads();
  const silent = new Set(readers.keys());
  /** A promise only where it has to be waited for: there are many lines. */
  const pull = (at: number): Head | null | Promise<Head | null> => {
    const reader = readers[at];
    try {
      const next = reader?.next() ?? 'nothing';
      if (next === 'later' && reader !== undefined) return reader.arrival().then(() => pull(at));
      if (typeof next === 'object' && reader !== undefined) return { at, reader, line: next };
    } catch (error) {
      if (reader !== undefined) failed(reader, error);
    }
    silent.add(at);
    return null;
  };
  for (;;) {
    for (const at of [...silent]) {
      silent.delete(at);
      const head = await pull(at);
      if (head !== null) heads.push(head);
    }
    if (heads.first === undefined) return;
    for (let left = LINES_A_TURN; left > 0; ) {
      const first = heads.pop();
      if (first === undefined) break;
      const { lines, rest } = await runOf(first, heads.first, pull);
      left -= lines.length;
      await take(first.reader, lines);
      if (rest !== null) heads.push(rest);
    }
  }
}

interface Head {
  readonly at: number;
  readonly reader: Reader;
  readonly line: Line;
}

/** The lines of one that come before the first one of any other, and the first that does not. */
async function runOf(
  first: Head,
  rival: Head | undefined,
  pull: (at: number) => Head | null | Promise<Head | null>,
): Promise<{ readonly lines: Line[]; readonly rest: Head | null }> {
  const lines: Line[] = [];
  let bytes = 0;
  for (let head: Head | null = first; head !== null; ) {
    const isOver = bytes >= BYTES_A_RUN || lines.length >= LINES_A_TURN;
    if (lines.length > 0 && (isOver || (rival !== undefined && isBefore(rival, head))))
      return { lines, rest: head };
    lines.push(head.line);
    bytes += head.line.bytes.length;
    const next = pull(head.at);
    head = next instanceof Promise ? await next : next;
  }
  return { lines, rest: null };
}

/** A long line comes in parts, and nobody else's between them. */
const isBefore = (one: Head, other: Head): boolean => {
  if (one.line.isRest || other.line.isRest) return one.line.isRest;
  return one.line.time < other.line.time || (one.line.time === other.line.time && one.at < other.at);
};

/** The first line of each that has one, as a heap: the earliest is on top, and none is later than the two below it. */
class Heads {
  readonly #heap: Head[] = [];

  get first(): Head | undefined {
    return this.#heap[0];
  }

  push(head: Head): void {
    let at = this.#heap.push(head) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(at, above)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  pop(): Head | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last === undefined || first === last) return first;
    this.#heap[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const below of [2 * at + 1, 2 * at + 2]) if (this.#isBefore(below, least)) least = below;
      if (least === at) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(at: number, other: number): boolean {
    const [one, two] = [this.#heap[at], this.#heap[other]];
    return one !== undefined && two !== undefined && isBefore(one, two);
  }

  #swap(at: number, other: number): void {
    const [one, two] = [this.#heap[at], this.#heap[other]];
    if (one === undefined || two === undefined) return;
    this.#heap[at] = two;
    this.#heap[other] = one;
  }
}
