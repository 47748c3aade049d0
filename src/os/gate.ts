/**
 * The gate: a shell that holds the place of a program until the daemon has set what can only be set from outside (its
 * cgroup, its limits, its priority), and then becomes that program, with the same pid. It waits for a line on
 * descriptor 4; should the daemon die, or refuse, the line never comes and nothing that is half set up ever runs.
 */
import { accessSync, constants as fs } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { fail, ok, type Result } from '../base/result.ts';
import type { SpawnFault, SpawnRequest } from '../ports/processes.ts';
import type { Cgroup } from './cgroup.ts';
import type { Libc } from './libc.ts';
import { explain, explainErrno, systemError } from './system-error.ts';

type Wanted = Pick<SpawnRequest, 'umask' | 'nice' | 'limits'>;

export const SHELL = '/bin/sh';
/** By its path: the program's own PATH need not have it. */
const ENV = '/usr/bin/env';
/** What the shell ends with when the line did not come. */
export const GATE_SHUT = 125;

/** There are machines without a shell: containers with nothing but the program. */
export function whyNoGate(shell = SHELL): SpawnFault | null {
  try {
    accessSync(shell, fs.X_OK);
    return null;
  } catch (error) {
    return {
      stage: 'exec',
      message: `cannot set its umask, nice or limits without ${shell}: ${explain(error)}`,
    };
  }
}

/** Is there anything that cannot be set otherwise? */
export function needsGate({ umask, nice, limits }: Wanted, group: Cgroup | null): boolean {
  if (group !== null || Object.keys(limits.resources).length > 0) return true;
  return (umask !== null && umask !== process.umask()) || (nice !== null && nice !== getPriority());
}

/** Variables that shells keep for themselves, and set anew at their start. */
const KEPT = ['PWD', 'OLDPWD', 'SHLVL'] as const;
/** What a shell would drop or change: names that are none of its own kind, and such as mean something to it. */
const PECULIAR =
  /^(?![A-Za-z_]\w*$)|^(IFS|PPID|OPTIND|OPTARG|LINENO|PS4|UID|EUID|GROUPS|RANDOM|SECONDS|SHELLOPTS|BASH.*|POSIXLY_CORRECT)$/;

/** A command and an environment that become the given ones, unchanged, when the gate opens. */
export function gated(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  { umask }: Pick<Wanted, 'umask'>,
  more: readonly string[] = [],
): { readonly args: string[]; readonly environment: Record<string, string> } {
  const path = program.startsWith('-') ? `./${program}` : program; // no option of exec's
  const entries = Object.entries(environment);
  const peculiar = entries.filter(([name]) => PECULIAR.test(name)).map(([name, value]) => `${name}=${value}`);
  const script = [
    `read -r _gate <&4 || exit ${GATE_SHUT}`,
    'exec 4<&-',
    'unset _gate',
    ...more,
    ...(umask === null ? [] : [`umask ${umask.toString(8).padStart(4, '0')}`]),
    ...KEPT.map((name) => restore(name, environment[name])),
    'exec "$@"',
  ].join('\n');
  return {
    args: ['sh', '-c', script, 'sh', ...(peculiar.length > 0 ? [ENV, ...peculiar] : []), path, ...args],
    environment: Object.fromEntries(entries.filter(([name]) => !PECULIAR.test(name))),
  };
}

const restore = (name: string, value: string | undefined): string =>
  value === undefined ? `unset ${name}` : setting(name, value);

/** A line of the shell's. */
export const setting = (name: string, value: string): string => `${name}=${quote(value)}`;

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** As <sys/resource.h> of Linux numbers them. */
const RESOURCES = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
} as const satisfies Record<keyof Wanted['limits']['resources'], number>;

type Resource = keyof typeof RESOURCES;
export const resourceNames: readonly string[] = Object.keys(RESOURCES);

/** Of a process that waits at its gate. Soft and hard alike. */
export function limitProcess(libc: Libc, pid: number, { limits }: Wanted): Result<null, SpawnFault> {
  for (const [name, number] of Object.entries(RESOURCES)) {
    const value = limits.resources[name as Resource]; // the keys of RESOURCES are its type
    if (value === undefined) continue;
    const errno = limitOnce(libc, pid, number, value);
    if (errno !== 0) return fail({ stage: 'limits', message: cannotLimit(name, value, explainErrno(errno)) });
  }
  return ok(null);
}

const TRIES = 100;
const PAUSE_MS = 0.1;
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * A spawn is over for us as soon as the child has memory of its own, and the kernel makes it wholly its new user only
 * a moment later: a limit that is refused in between is not refused for good.
 */
function limitOnce(libc: Libc, pid: number, resource: number, value: number | null): number {
  for (let left = TRIES; ; left--) {
    const errno = libc.limitProcess(pid, resource, value);
    if (errno !== constants.errno.EPERM || left === 1) return errno;
    Atomics.wait(pause, 0, 0, PAUSE_MS);
  }
}

export const cannotLimit = (name: string, value: number | null, why: string): string =>
  `cannot set ${name} to ${value ?? 'unlimited'}: ${why}`;

/** What is left to do before the line is written. */
export function place(pid: number, { nice }: Wanted, group: Cgroup | null): Result<null, SpawnFault> {
  try {
    group?.add(pid);
  } catch (error) {
    return fail({ stage: 'cgroup', message: `cannot move it into ${group?.path}: ${explain(error)}` });
  }
  try {
    if (nice !== null) setPriority(pid, nice);
    return ok(null);
  } catch (error) {
    return fail({ stage: 'nice', message: `cannot set nice to ${nice}: ${reason(error)}` });
  }
}

/** Node wraps this one: the errno is within. */
function reason(error: unknown): string {
  const info = error instanceof Error && 'errno' in error ? Number(error.errno) : constants.errno.EPERM;
  return explain(systemError(Math.abs(info)));
}
