/**
 * Makes sure that a test leaves nothing behind: no process, descriptor, timer or listener for SIGCHLD.
 *
 * Call `useLeakCheck()` once at the top of a test file (it hooks into each test), or `beginLeakCheck()` and later
 * `end()` by hand. Give `environment` to everything that the test starts, the daemon included: what that starts
 * inherits it. At the end, processes are found
 *   - by that mark in their environment,
 *   - by their session, when it is one of a marked process or was named by `watchSession` (for programs that clear
 *     their environment),
 *   - as new children of the test's own process (orphans, where it has made itself a subreaper).
 * What is still there after a short wait is ended with SIGKILL, by pid, and the test fails with a list.
 * Linux only: elsewhere nothing is found.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach } from 'vitest';

const MARK = 'TSUP_VISOR_TEST_MARK';
/** Who was told to end has this long to do it. */
const GRACE_MS = 2000;

export interface LeakCheck {
  /** To be merged into the environment of whatever is started. */
  readonly environment: Readonly<Record<string, string>>;
  /** The pid of a session's leader, be it gone or not. */
  watchSession(leader: number): void;
  /** Processes of this test that are alive now, as `pid command`; those that have ended, or are about to, do not count. */
  processes(): string[];
  /** Children of the test's own process that have ended and that nobody has taken note of. */
  zombies(): number;
  /** @throws with a list of all that is left, after ending the processes among it. */
  end(): Promise<void>;
}

/** Checks each test of the file; the returned object is that of the test under way. */
export function useLeakCheck(): LeakCheck {
  let current: LeakCheck | undefined;
  const now = (): LeakCheck => {
    if (current === undefined) throw new Error('the leak check works within tests only');
    return current;
  };
  beforeEach(() => {
    current = beginLeakCheck();
  });
  // Hooks run in reverse order of their registration, so this one, registered first, sees what the others left.
  afterEach(async () => {
    const check = now();
    current = undefined;
    await check.end();
  });
  return {
    get environment() {
      return now().environment;
    },
    watchSession: (leader) => now().watchSession(leader),
    processes: () => now().processes(),
    zombies: () => now().zombies(),
    end: () => now().end(),
  };
}

export function beginLeakCheck(): LeakCheck {
  const mark = randomUUID();
  const sessions = new Set<number>();
  const before = { children: new Set(ownChildren()), resources: resources(), zombies: zombies() };
  const find = () => processesOf(mark, sessions, before.children);
  return {
    environment: { [MARK]: mark },
    watchSession: (leader) => void sessions.add(leader),
    processes: () => find().map(describe),
    zombies,
    async end() {
      const left = () => [
        ...find().map(inFull),
        ...excess(resources(), before.resources),
        ...(zombies() > before.zombies ? [`${zombies() - before.zombies} zombies`] : []),
      ];
      const problems = await settled(left);
      if (problems.length === 0) return;
      endAll(find);
      throw new Error(`the test has left behind:\n  ${problems.join('\n  ')}`);
    },
  };
}

interface Found {
  readonly pid: number;
  readonly ppid: number;
  readonly session: number;
  /** It has ended, or is about to: whoever does has no command and no environment any more. */
  readonly zombie: boolean;
}

function describe({ pid }: Found): string {
  const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 200);
  return `process ${pid} ${command === '' ? `without a command: ${read(`/proc/${pid}/stat`).trim()}` : command}`;
}

/** And by what it was found: whoever reads this was not there. */
const inFull = (found: Found): string =>
  `${describe(found)}, in session ${found.session}, child of ${found.ppid === process.pid ? 'the test' : found.ppid}`;

/** As <linux/sched.h> has them. */
const EXITING = 0x4;
const OF_THE_KERNEL = 0x200000;

function allProcesses(): Found[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = read(`/proc/${name}/stat`);
    const [state = 'X', ppid, , session, , , flags] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(flags) & OF_THE_KERNEL) return [];
    const zombie = 'ZX'.includes(state) || (Number(flags) & EXITING) !== 0;
    return [{ pid: Number(name), ppid: Number(ppid), session: Number(session), zombie }];
  });
}

const zombies = (): number =>
  allProcesses().filter(({ ppid, zombie }) => zombie && ppid === process.pid).length;

const ownChildren = (): number[] =>
  allProcesses().flatMap(({ pid, ppid }) => (ppid === process.pid ? [pid] : []));

function processesOf(mark: string, sessions: Set<number>, oldChildren: ReadonlySet<number>): Found[] {
  const all = allProcesses().filter(({ zombie, pid }) => !zombie && pid !== process.pid);
  const ownSession = allProcesses().find(({ pid }) => pid === process.pid)?.session;
  const marked = all.filter(({ pid }) => read(`/proc/${pid}/environ`).includes(`${MARK}=${mark}`));
  for (const { session } of marked) if (session !== ownSession) sessions.add(session);
  return all.filter(
    (one) =>
      marked.includes(one) ||
      sessions.has(one.session) ||
      (one.ppid === process.pid && !oldChildren.has(one.pid)),
  );
}

/** Frozen first, so that none can fork meanwhile; and looked for again, until there are no more. */
function endAll(find: () => Found[]): void {
  for (let round = 0; round < 50; round++) {
    const found = find().reverse();
    if (found.length === 0) return;
    for (const { pid } of found) send(pid, 'SIGSTOP');
    for (const { pid } of found) send(pid, 'SIGKILL');
  }
}

function send(pid: number, signal: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself in this moment.
  }
}

/** How many of each: descriptors by what they lead to, resources by their kind. */
function resources(): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const target of descriptors()) count(`descriptor ${target}`);
  for (const name of process.getActiveResourcesInfo()) if (COUNTED.has(name)) count(`active ${name}`);
  counts.set('listener for SIGCHLD', process.listenerCount('SIGCHLD'));
  return counts;
}

const COUNTED = new Set([
  'ProcessWrap',
  'TCPSocketWrap',
  'PipeWrap',
  'TCPServerWrap',
  'PipeServerWrap',
  'Timeout',
]);

/** Sockets and pipes have numbers of their own, and files may be the test runner's: told apart by their kind alone. */
function descriptors(): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${name}`);
      // libuv makes one inotify descriptor at the first need, and keeps it for good.
      if (target === 'anon_inode:inotify') return [];
      return target.startsWith('/proc/') && target.endsWith('/fd') ? [] : [target.replace(/:\[\d+\]$/, '')];
    } catch {
      return []; // the one that the folder itself was read through
    }
  });
}

function excess(now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): string[] {
  return [...now].flatMap(([name, count]) => {
    const more = count - (before.get(name) ?? 0);
    return more > 0 ? [`${more} more: ${name}`] : [];
  });
}

/** What there was at the last look: one that finds nothing is the last. */
async function settled(left: () => string[]): Promise<string[]> {
  const deadline = performance.now() + GRACE_MS;
  for (;;) {
    const found = left();
    if (found.length === 0 || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // it is gone, or not ours
  }
}
