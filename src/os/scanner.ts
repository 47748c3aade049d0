/** Which way the processes of a run are found here, and what that way cannot do. */
import type { Cgroups } from './cgroup-home.ts';
import type { Libc } from './libc.ts';
import { createLinuxScanner } from './linux-scanner.ts';
import type { Mark } from './mark.ts';
import { createPsScanner } from './ps-scanner.ts';
import type { Scanner } from './roster.ts';

/** For tests: works without cgroups (`session`), without koffi (`fork`), without both (`proc`), or as on macOS (`ps`). */
export type Force = 'session' | 'fork' | 'proc' | 'ps';

export function chooseScanner(libc: Libc | null, force: Force | undefined, mark: Mark): Scanner {
  if (force === 'ps' || (force === undefined && process.platform !== 'linux')) return createPsScanner();
  return createLinuxScanner(libc, mark);
}

/** What the system cannot do for want of a better one, in plain words. */
export function limitsOf(scanner: Scanner, groups: Cgroups | null): string[] {
  if (groups !== null) return [];
  if (scanner.kind === 'ps')
    return [
      'processes are found by group only: a child that makes a session of its own and loses its parent is not found here',
    ];
  if (scanner.kind === 'proc')
    return [
      'koffi cannot be loaded here: an orphan that has a session of its own and overwrites its environment is not found',
    ];
  return [];
}
