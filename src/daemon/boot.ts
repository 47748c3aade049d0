/** Which start of the machine this is, or of the container: what had run to completion before it is not done in it. */
import { readFileSync } from 'node:fs';

/** Null where it cannot be known. The first process tells the starts of a container apart, which has its host's boot. */
export function bootName(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const stat = readFileSync('/proc/1/stat', 'latin1');
    return `${boot} ${fieldsBehindName(stat)[STARTED]}`;
  } catch {
    return null;
  }
}

/** Field 22 of proc_pid_stat(5), where the first behind the name is field 3. */
const STARTED = 22 - 3;

const fieldsBehindName = (stat: string): string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ');
