/** Whether a process still lives: one that has ended and that nobody has taken note of does not. */
import { readFileSync } from 'node:fs';

/**
 * In a container the first process is often none that reaps what it adopts, so a daemon that has ended stays a zombie
 * there, for signals like any living process. Where there is no /proc the two cannot be told apart.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return !ENDED.test(statOf(pid));
}

/** The name stands in parentheses, and may hold some of its own; what follows the last one is the state. */
const ENDED = /\) [ZX] [^)]*$/;

function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return '';
  }
}
