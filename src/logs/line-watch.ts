/**
 * Waits for a line in files that the instances themselves write. The system tells of changes where it can; a slow
 * look sees what it does not tell, such as a file that is yet to be made. Costs nothing while nobody waits.
 */
import { statSync } from 'node:fs';
import type { LogPattern } from '../core/plan.ts';
import type { LineWatch, LogFormat } from '../ports/checks.ts';
import { createFinder, type Finder } from './finder.ts';
import { wordsOf } from './read/format.ts';
import { Tail } from './tail.ts';

const LOOK_EVERY_MS = 200;
/** Whoever writes without pause is read so often; what is there already is read without so long a rest. */
const REST_MS = 10;
const REST_WITHIN_MS = 1;

export interface RealLineWatch extends LineWatch {
  close(): void;
}

/** `warn` takes a sentence about a pattern that cannot be looked for. */
export function createLineWatch(warn: (text: string) => void): RealLineWatch {
  const open = new Set<Vigil>();
  let looking: NodeJS.Timeout | null = null;
  const end = (vigil: Vigil): void => {
    vigil.close();
    open.delete(vigil);
    if (open.size > 0 || looking === null) return;
    clearInterval(looking);
    looking = null;
  };
  return {
    endOf,
    watch(places, pattern, found, format = 'raw') {
      const vigil: Vigil = new Vigil(places, pattern, format, {
        found(line) {
          end(vigil);
          found(line);
        },
        tooSlow() {
          end(vigil);
          warn(tooSlow(pattern, places[0]?.path ?? ''));
        },
      });
      open.add(vigil);
      looking ??= setInterval(() => {
        for (const each of [...open]) each.look();
      }, LOOK_EVERY_MS);
      return () => end(vigil);
    },
    close() {
      for (const vigil of [...open]) end(vigil);
    },
  };
}

function endOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

const tooSlow = (pattern: LogPattern, path: string): string =>
  `cannot look for ${pattern.kind === 'regex' ? `/${pattern.source}/` : pattern.text} in ${path} any more: ` +
  'it takes too long on what is written there; write it without a repetition within a repetition';

interface Outcome {
  found(line: string): void;
  tooSlow(): void;
}

/** One who waits for one line. */
class Vigil {
  private readonly tails: readonly Tail[];
  private readonly find: Finder;
  private readonly format: LogFormat;
  private readonly outcome: Outcome;
  private next: NodeJS.Timeout | null = null;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private closed = false;

  constructor(
    places: readonly { readonly path: string; readonly from: number }[],
    pattern: LogPattern,
    format: LogFormat,
    outcome: Outcome,
  ) {
    this.format = format;
    this.find = createFinder(pattern);
    this.outcome = outcome;
    // Both streams may go to one file.
    const files = new Map(places.map(({ path, from }) => [path, from]));
    this.tails = [...files].map(([path, from]) => new Tail(path, from, () => this.lookSoon()));
    this.lookSoon();
  }

  look(): void {
    if (this.closed) return;
    this.lookedAt = performance.now();
    let more = false;
    for (const tail of this.tails) {
      const read = tail.read();
      more ||= read.more;
      if (this.isOver(read.lines)) return;
    }
    if (more) this.lookSoon(REST_WITHIN_MS);
  }

  close(): void {
    this.closed = true;
    if (this.next !== null) clearTimeout(this.next);
    for (const tail of this.tails) tail.close();
  }

  private isOver(lines: readonly string[]): boolean {
    const found = this.find(this.format === 'raw' ? lines : lines.map((line) => this.written(line)));
    if (found.kind === 'line') this.outcome.found(found.line);
    if (found.kind === 'too_slow') this.outcome.tooSlow();
    return found.kind !== 'nothing';
  }

  /** What we have put around it is nothing that the program said. */
  private written(line: string): string {
    return wordsOf(Buffer.from(line), this.format).text.toString();
  }

  private lookSoon(restMs = REST_MS): void {
    if (this.closed) return;
    const rested = performance.now() - this.lookedAt;
    this.next ??= setTimeout(
      () => {
        this.next = null;
        this.look();
      },
      Math.max(0, restMs - rested),
    );
  }
}
