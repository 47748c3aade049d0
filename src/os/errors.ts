/** Where goes what is written to stderr by whoever knows no other place: Node itself, when it cannot go on. */
import { closeSync, openSync } from 'node:fs';
import type { Libc } from './libc.ts';

const STDERR = 2;

/** To the end of this file; where that cannot be had, it goes where it went. */
export function leadErrors(libc: Libc | null, path: string): void {
  if (libc === null) return;
  try {
    const file = openSync(path, 'a', 0o640);
    libc.duplicateAs(file, STDERR);
    closeSync(file);
  } catch {
    // It is told of by whoever writes to that file.
  }
}
