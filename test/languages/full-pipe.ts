/** A pipe that is full and that nobody reads: what descriptor 3 may be while no daemon lives. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface FullPipe {
  /** As the daemon gives it: for both ways, and one that makes a writer wait. */
  readonly descriptor: number;
  close(): void;
}

export function fillPipe(dir: string): FullPipe {
  const path = join(dir, `pipe-${randomUUID()}`);
  execFileSync('mkfifo', [path]);
  const descriptor = openSync(path, constants.O_RDWR);
  const filler = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(filler, 'x'.repeat(4096));
  } catch {
    // EAGAIN: it is full
  } finally {
    closeSync(filler);
  }
  return { descriptor, close: () => closeSync(descriptor) };
}
