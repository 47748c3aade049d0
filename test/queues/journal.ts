/** What the jobs' children have written: when each began and when it was done, and in which run. */
import { existsSync, readFileSync } from 'node:fs';

export interface Stretch {
  readonly id: number;
  readonly run: number;
  /** Seconds since 1970. */
  readonly from: number;
  /** Infinity: it was cut, or is still at it. */
  readonly to: number;
}

export function readJournal(file: string): Stretch[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  const parsed = lines
    .map((line) => line.split(' '))
    .map(([what, ...rest]) => ({ what, of: rest.map(Number) }));
  const begun = parsed
    .filter(({ what }) => what === 'begin')
    .map(({ of: [id = 0, run = 0, from = 0] }) => ({ id, run, from }));
  const ended = new Map(
    parsed.filter(({ what }) => what === 'end').map(({ of: [id, run, at = 0] }) => [`${id} ${run}`, at]),
  );
  return begun.map((it) => ({ ...it, to: ended.get(`${it.id} ${it.run}`) ?? Number.POSITIVE_INFINITY }));
}
