/**
 * What of a daemon outlives the exec by which it becomes its next version: descriptors under names, and a few words.
 * It is told through a file without a name, whose descriptor stands in the environment.
 */
import { closeSync, fstatSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Wall, wall } from '../base/clock.ts';
import type { Libc } from './libc.ts';
import { goOnAt, paceIn } from './pace.ts';

/** The number of that descriptor. */
export const HANDOVER = 'TSUP_VISOR_HANDOVER';

/** Each of this process that the next program is to have, by what it is: an absolute path, or any other name. */
const own = new Map<string, number>();
/** What the program before this one has left, and nobody has taken yet. */
const left = new Map<string, Heirloom>();

interface Heirloom {
  readonly descriptor: number;
  /** What was to be found at the path that is its name. */
  readonly at: string | null;
}

/** It is passed on, should this program become another, until it is kept back. */
export function bequeath(name: string, descriptor: number): void {
  own.set(name, descriptor);
}

/** To be called before it is closed. */
export function keepBack(name: string): void {
  own.delete(name);
}

/** What was left under this name; null when there is none, or when it is not what is at that path any more. */
export function inherit(name: string): number | null {
  const found = left.get(name);
  if (found === undefined) return null;
  left.delete(name);
  if (found.at === placeOf(name)) return found.descriptor;
  closeSync(found.descriptor);
  return null;
}

/** What nobody has taken is closed. */
export function disclaim(): void {
  for (const { descriptor } of left.values()) closeSync(descriptor);
  left.clear();
}

const placeOf = (name: string): string | null => {
  if (!name.startsWith('/')) return null;
  const found = statSync(name, { throwIfNoEntry: false });
  return found === undefined ? 'nothing' : `${found.dev}:${found.ino}`;
};

interface Will {
  /** Whom it is for: nobody else who finds the number in its environment. */
  readonly pid: number;
  readonly descriptors: readonly (readonly [name: string, descriptor: number, at: string | null])[];
  readonly words: Readonly<Record<string, unknown>>;
}

/**
 * Writes down what is left, in a file in `folder` that nobody finds: returns its descriptor, to be closed by whoever
 * stays, and those that it names.
 */
export function writeWill(
  folder: string,
  pid: number,
  words: Will['words'],
): { readonly file: number; readonly descriptors: readonly number[] } {
  const all = [...own];
  const will: Will = {
    pid,
    descriptors: all.map(([name, descriptor]) => [name, descriptor, placeOf(name)]),
    words,
  };
  const path = join(folder, `.handover.${process.pid}`);
  const file = openSync(path, 'w+', 0o600);
  unlinkSync(path);
  writeSync(file, JSON.stringify(will), 0);
  return { file, descriptors: all.map(([, descriptor]) => descriptor) };
}

/** What the daemon before this one has said. */
export interface Seat {
  /** How often this has been done. */
  readonly handovers: number;
  /** When it was left, as a date; null: it does not say. */
  readonly leftAt: Wall | null;
  /** It answers, and is in no hurry any more: to be called before anything is begun. */
  settle(): void;
}

/** Takes over what the program before this one has left; null where there was none. To be called before anything is begun. */
export function takeSeat(libc: Libc | null, environment: Record<string, string | undefined>): Seat | null {
  const number = environment[HANDOVER];
  delete environment[HANDOVER]; // it is for nobody but us
  if (number === undefined || !/^\d{1,9}$/.test(number)) return null;
  const will = willIn(Number(number));
  if (will === null) return null;
  for (const [name, descriptor, at] of will.descriptors) {
    // No child of ours is to have it.
    if (libc !== null && !libc.outliveExec(descriptor, false)) continue; // it was not there
    left.set(name, { descriptor, at });
  }
  const { handovers, leftAt } = will.words;
  const pace = paceIn(will.words.pace);
  return {
    handovers: typeof handovers === 'number' ? handovers : 1,
    leftAt: typeof leftAt === 'number' ? wall(leftAt) : null,
    settle: () => void (pace !== null && goOnAt(pace)),
  };
}

function willIn(descriptor: number): Will | null {
  try {
    if (!fstatSync(descriptor).isFile()) return null;
    // Whatever is shorter or longer than a will is none, and is left open: it may be somebody's.
    const will: unknown = JSON.parse(readWhole(descriptor));
    if (!isWill(will) || will.pid !== process.pid) return null;
    closeSync(descriptor);
    return will;
  } catch {
    return null;
  }
}

/** From its beginning: whoever has written it shares the place that it is at. */
const readWhole = (descriptor: number): string => readFileSync(`/proc/self/fd/${descriptor}`, 'utf8');

const isWill = (value: unknown): value is Will =>
  typeof value === 'object' && value !== null && 'pid' in value && 'descriptors' in value && 'words' in value;
