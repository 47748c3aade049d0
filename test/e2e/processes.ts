/** Finds the processes of a test by a mark in their environment, wherever they have gone. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Found {
  readonly pid: number;
  readonly ppid: number;
  readonly group: number;
  readonly session: number;
  readonly command: string;
  readonly environment: string;
}

/** Living processes whose environment holds `mark` (zombies have none). Never the caller. */
export function marked(mark: string): Found[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => look(Number(name), mark));
}

function look(pid: number, mark: string): Found[] {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    if (!environment.includes(mark)) return [];
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return [];
    const [ppid = 0, group = 0, session = 0] = fields.slice(1, 4).map(Number);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
    return [{ pid, ppid, group, session, command, environment }];
  } catch {
    return []; // it ended while we looked, or it is none of ours
  }
}

/** Ends what is left, and what that leaves in turn; returns what was found at first. */
export async function endMarked(mark: string): Promise<Found[]> {
  const first = marked(mark);
  for (let left = first; left.length > 0; left = marked(mark)) {
    for (const { pid } of left) kill(pid, 'SIGKILL');
    await new Promise((done) => setTimeout(done, 20));
  }
  return first;
}

/** A process that is gone is no error. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
