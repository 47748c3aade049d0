/** Knows the children that Node has started, so that nobody takes note of their ends in its place. */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';

const pids = new Set<number>();

/** Of those that were started since this file was loaded, by this thread. */
export const isNodes = (pid: number): boolean => pids.has(pid);

// Said when the object is made; the process is there, or is not, when the code that asked for it has gone on.
subscribe('child_process', (message) => {
  const { process: child } = message as { process: ChildProcess }; // as Node's documentation has it
  queueMicrotask(() => {
    const { pid } = child;
    if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    pids.add(pid);
    child.once('exit', () => pids.delete(pid));
  });
});
