/** Closes what pidusage forgets to: a process that ends between its open and its read costs it a descriptor for ever. */
import { closeSync, readdirSync, readlinkSync } from 'node:fs';

/** After `afterMs`, when what pidusage still knows of has been closed by itself. Keeps nothing alive. */
export function closeLeaksLater(gone: readonly number[], afterMs: number): void {
  if (gone.length > 0 && process.platform === 'linux') setTimeout(closeLeaks, afterMs, gone).unref();
}

function closeLeaks(gone: readonly number[]): void {
  const paths = new Set(gone.map((pid) => `/proc/${pid}/stat`));
  for (const descriptor of readdirSync('/proc/self/fd')) {
    if (paths.has(targetOf(descriptor))) closeSync(Number(descriptor));
  }
}

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return ''; // that of the listing itself
  }
}
