/** Process groups of jobs' children: each is ended as a whole, since a shell's children are not its own to end. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Asks a group to end, and kills what is left of it after `killAfterMs`. Resolves when nothing of it is left, or when
 * what is left has been killed: one that nobody reaps keeps its place in the group.
 */
export async function endGroup(leader: number, killAfterMs: number): Promise<void> {
  send(leader, 'SIGTERM');
  send(leader, 'SIGCONT'); // what was stopped must run to be able to end
  const killAt = performance.now() + killAfterMs;
  for (
    let look = LOOK_MS;
    lives(leader) && performance.now() < killAt;
    look = Math.min(2 * look, LONGEST_LOOK_MS)
  )
    await pause(Math.min(look, killAt - performance.now()));
  for (let left = KILL_ROUNDS; left > 0 && lives(leader); left--) {
    send(leader, 'SIGKILL');
    await pause(LOOK_MS);
  }
}

/** Only a group that is being ended is looked at, and nobody tells when the last of it is gone. */
const LOOK_MS = 10;
const LONGEST_LOOK_MS = 160;
/** A killed process is gone within a moment, unless the system holds it up. */
const KILL_ROUNDS = 25;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** At once, without asking. */
export const killGroup = (leader: number): void => send(leader, 'SIGKILL');

/** A group whose leader was reaped keeps its number for as long as somebody is in it. */
function lives(leader: number): boolean {
  try {
    process.kill(-leader, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return process.platform !== 'linux' || hasLiving(leader);
}

/**
 * For signals a zombie is still there; and an orphan in a container stays one for as long as nobody reaps it. Without
 * /proc they cannot be told from the living, and count as such: rather killed in vain than left behind.
 */
export function hasLiving(group: number, proc = '/proc'): boolean {
  const processes = processesIn(proc);
  if (processes.length === 0) return true;
  return [String(group), ...processes].some((pid) => groupOfLiving(`${proc}/${pid}/stat`) === group);
}

/** None where it is not mounted: we would be among them. */
function processesIn(proc: string): string[] {
  try {
    return readdirSync(proc).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** The state and the group come after the name, which is in parentheses and may hold some itself. */
function groupOfLiving(file: string): number | null {
  try {
    const stat = readFileSync(file, 'latin1');
    const [state = '', , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 'ZX'.includes(state) ? null : Number(group);
  } catch {
    return null; // it has ended
  }
}

function send(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // ESRCH: it has ended already. EPERM: it has become somebody else, and is not ours to end.
  }
}
