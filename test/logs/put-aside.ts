/** A log file and what was put aside of it, as whoever reads them finds them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The oldest first, the one that is written to last. */
export function filesOf(path: string): Buffer[] {
  const files: Buffer[] = existsSync(path) ? [readFileSync(path)] : [];
  for (let n = 1; ; n++) {
    if (existsSync(`${path}.${n}`)) files.unshift(readFileSync(`${path}.${n}`));
    else if (existsSync(`${path}.${n}.gz`)) files.unshift(gunzipSync(readFileSync(`${path}.${n}.gz`)));
    else return files;
  }
}

/** The ends of the names of all that lies there for this file: `''`, `.1`, `.2.gz`… */
export const endsOf = (path: string): string[] =>
  readdirSync(dirname(path))
    .filter((name) => name.startsWith(basename(path)))
    .map((name) => name.slice(basename(path).length))
    .sort();
