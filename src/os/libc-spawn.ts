/**
 * posix_spawn(3) through koffi: a child that shares our memory until it runs its program. fork(2), which Node uses,
 * copies the page tables of the daemon first: measured, 1.0 ms a process against 0.3 ms.
 */
import { constants } from 'node:os';
import type { ExitStatus } from '../base/exit-status.ts';

export interface Leap {
  /** A path, relative to `directory` if it is relative. */
  readonly path: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** As `NAME=value`. */
  readonly environment: readonly string[];
  /** For descriptors 1 and 2; null is /dev/null. Descriptor 0 always is. */
  readonly stdout: number | null;
  readonly stderr: number | null;
  /** For descriptor 3; null: it gets none. */
  readonly notify: number | null;
  /** For descriptor 4; null: it gets none. */
  readonly gate: number | null;
  /** It has these too, under the numbers that they have here. */
  readonly kept?: readonly number[];
  /** The child becomes what this thread really is, rather than what it may do. */
  readonly asRealUser: boolean;
}

export interface SpawnCalls {
  /** Starts a program as leader of a session of its own, with default signal handling. Its child is ours to reap. */
  spawnLeader(leap: Leap): { readonly pid: number } | { readonly errno: number };
  /** Reaps this child of ours if it has ended; null when it has not. */
  collect(pid: number): ExitStatus | null;
  /** Kills this child of ours and waits for its end, which is not reported: for one that has not begun anything. */
  endChild(pid: number): void;
}

type Call = (...args: unknown[]) => number;
type Declare = (signature: string) => Call;

const POSIX_SPAWN_RESETIDS = 0x01;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
const WNOHANG = 1;
const DEV_NULL = '/dev/null';
const O_RDWR = 2;
// The structures are opaque; these are several times what glibc and musl need.
const ATTRIBUTES_BYTES = 1024;
const ACTIONS_BYTES = 512;
const SIGSET_BYTES = 256;

/** @throws what koffi throws when the C library lacks one of these. */
export function spawnCalls(declare: Declare): SpawnCalls {
  const spawn = declare(
    'int posix_spawn(void *, const char *, void *, void *, const char **, const char **)',
  );
  const waitpid = declare('int waitpid(int, void *, int)');
  const asWeAre = sessionAttributes(declare, 0);
  const asRealUser = sessionAttributes(declare, POSIX_SPAWN_RESETIDS);
  const actionsOf = fileActions(declare);
  const pid = new Int32Array(1);
  const status = new Int32Array(1);
  return {
    spawnLeader(leap) {
      const actions = actionsOf(leap);
      const errno = spawn(
        pid,
        leap.path,
        actions.pointer,
        leap.asRealUser ? asRealUser : asWeAre,
        [...leap.args, null],
        [...leap.environment, null],
      );
      actions.destroy();
      return errno === 0 ? { pid: pid[0] ?? 0 } : { errno };
    },
    collect: (child) => (waitpid(child, status, WNOHANG) === child ? exitStatus(status[0] ?? 0) : null),
    endChild(child) {
      process.kill(child, 'SIGKILL');
      waitpid(child, status, 0);
    },
  };
}

/** A new session, no signal blocked, none ignored: Node ignores SIGPIPE, and that would be inherited. */
function sessionAttributes(declare: Declare, more: number): Buffer {
  const attributes = Buffer.alloc(ATTRIBUTES_BYTES);
  const all = Buffer.alloc(SIGSET_BYTES);
  const none = Buffer.alloc(SIGSET_BYTES);
  declare('int sigfillset(void *)')(all);
  declare('int sigemptyset(void *)')(none);
  declare('int posix_spawnattr_init(void *)')(attributes);
  declare('int posix_spawnattr_setsigdefault(void *, void *)')(attributes, all);
  declare('int posix_spawnattr_setsigmask(void *, void *)')(attributes, none);
  const flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | more;
  declare('int posix_spawnattr_setflags(void *, short)')(attributes, flags);
  return attributes;
}

function fileActions(declare: Declare) {
  const init = declare('int posix_spawn_file_actions_init(void *)');
  const destroy = declare('int posix_spawn_file_actions_destroy(void *)');
  const open = declare('int posix_spawn_file_actions_addopen(void *, int, const char *, int, uint)');
  const dup = declare('int posix_spawn_file_actions_adddup2(void *, int, int)');
  const chdir = declare('int posix_spawn_file_actions_addchdir_np(void *, const char *)');
  const pointer = Buffer.alloc(ACTIONS_BYTES);
  const give = (descriptor: number | null, as: number): void => {
    if (descriptor === null) open(pointer, as, DEV_NULL, O_RDWR, 0);
    else dup(pointer, descriptor, as);
  };
  return ({ stdout, stderr, notify, gate, kept = [], directory }: Leap) => {
    init(pointer);
    give(null, 0);
    give(stdout, 1);
    give(stderr, 2);
    if (notify !== null) give(notify, 3); // last: what is given as 1 and 2 may itself be descriptor 3
    // The daemon's own 0 to 3 are its standard streams and Node's: what is given as 4 is none of them.
    if (gate !== null) give(gate, 4);
    for (const descriptor of kept) give(descriptor, descriptor); // the same number: it only stays open
    chdir(pointer, directory);
    return { pointer, destroy: () => destroy(pointer) };
  };
}

const SIGNALS = new Map<number, string>(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

/** As <sys/wait.h> takes it apart. */
function exitStatus(status: number): ExitStatus {
  const signal = status & 0x7f;
  if (signal === 0) return { kind: 'code', code: (status >> 8) & 0xff };
  return { kind: 'signal', signal: SIGNALS.get(signal) ?? `signal ${signal}` };
}
