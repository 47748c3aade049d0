/**
 * Who is being asked to drain, one after another, in a file that tells how far that went when a daemon dies over it: a
 * line for each run, in their order, with a mark once its turn has come. Only a line without a mark proves anything, that
 * this run was not asked; whatever is missing or cannot be read means that nobody knows. To mark takes no space, so a
 * full disk does not make one that was asked look like one that was not.
 */
import { closeSync, constants, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { type Run, run } from '../base/ids.ts';

/** Of one about whom it is not written down whether it was asked. `owed`: it was not, for sure. */
export type Doubt = 'sent' | 'perhaps' | 'owed';

export interface AskList {
  /** These are asked now, in this order. */
  begin(runs: readonly Run[]): void;
  /** Its turn has come. */
  mark(asked: Run): void;
}

/** About the last one that has a mark nobody knows whether its signal was sent. */
export function doubtsOf(lines: readonly (readonly [asked: Run, isMarked: boolean])[]): Map<Run, Doubt> {
  const last = lines.findLastIndex(([, isMarked]) => isMarked);
  return new Map(lines.map(([one], n) => [one, n < last ? 'sent' : n === last ? 'perhaps' : 'owed']));
}

const LINE = /^( |\*)(\d{15})$/;
const LINE_BYTES = 17;
const lineOf = (one: Run): string => ` ${String(one).padStart(15, '0')}\n`;

/** What the last daemon has left in it. */
export function readAskList(path: string): Map<Run, Doubt> {
  const lines: [Run, boolean][] = [];
  for (const line of textOf(path).split('\n')) {
    const [, mark, number] = LINE.exec(line) ?? [];
    if (number === undefined) break; // the rest was never written, or is not ours
    lines.push([run(Number(number)), mark === '*']);
  }
  return doubtsOf(lines);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

export class AskFile implements AskList {
  readonly #path: string;
  #descriptor: number | null;
  #places = new Map<Run, number>();

  /** What is in it stays until others are asked. */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = open(path);
    if (this.#descriptor === null) this.#remove();
  }

  begin(runs: readonly Run[]): void {
    this.#places = new Map(runs.map((one, n) => [one, n * LINE_BYTES]));
    this.#attempt((descriptor) => {
      ftruncateSync(descriptor, 0); // first: what stays of the last list would be believed
      writeSync(descriptor, runs.map(lineOf).join(''), 0, 'latin1');
    });
  }

  mark(asked: Run): void {
    const place = this.#places.get(asked);
    if (place !== undefined) this.#attempt((descriptor) => writeSync(descriptor, '*', place, 'latin1'));
  }

  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    if (descriptor !== null) quietly(() => closeSync(descriptor));
  }

  /** Without it, nobody knows of anybody whether he was asked: so it must not be there if it cannot be true. */
  #attempt(act: (descriptor: number) => unknown): void {
    if (this.#descriptor === null) return;
    try {
      act(this.#descriptor);
    } catch {
      this.close();
      this.#remove();
    }
  }

  #remove(): void {
    quietly(() => rmSync(this.#path, { force: true }));
  }
}

/** What cannot be done is of no use to anybody: somebody has made a folder of it, say, and nothing in there is read. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // As said above.
  }
}

function open(path: string): number | null {
  try {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    return openSync(path, flags, 0o600);
  } catch {
    return null;
  }
}
