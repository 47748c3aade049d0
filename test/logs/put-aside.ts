/** A log file and what was put aside of it, as whoever reads them finds them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The oldest first, the one that is written to last. There may be gaps in the row. */
export function filesOf(path: string): Buffer[] {
  const numbers = endsOf(path).map((end) => Number(/^\.(\d+)(\.gz)?$/.exec(end)?.[1] ?? 0));
  return [...new Set(numbers)]
    .sort((a, b) => b - a)
    .map((n) => (n === 0 ? path : `${path}.${n}`))
    .flatMap((name) => {
      if (existsSync(name)) return [readFileSync(name)];
      return existsSync(`${name}.gz`) ? [gunzipSync(readFileSync(`${name}.gz`))] : [];
    });
}

/** The ends of the names of all that lies there for this file: `''`, `.1`, `.2.gz`… */
export const endsOf = (path: string): string[] =>
  readdirSync(dirname(path))
    .filter((name) => name.startsWith(basename(path)))
    .map((name) => name.slice(basename(path).length))
    .sort();
