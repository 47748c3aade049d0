/** A pipe that is full and that nobody reads: what descriptor 3 may become while no daemon lives. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface FullPipe {
  /** As the daemon gives it: for both ways, and one that makes a writer wait. */
  readonly descriptor: number;
  /** Bytes in it. */
  readonly size: number;
  close(): void;
}

export function fillPipe(dir: string): FullPipe {
  const path = join(dir, `pipe-${randomUUID()}`);
  execFileSync('mkfifo', [path]);
  const descriptor = openSync(path, constants.O_RDWR);
  return { descriptor, size: fill(path), close: () => closeSync(descriptor) };
}

function fill(path: string): number {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  let size = 0;
  try {
    for (;;) size += writeSync(descriptor, 'x'.repeat(4096));
  } catch {
    return size; // EAGAIN: it is full
  } finally {
    closeSync(descriptor);
  }
}
