/**
 * Who the main thread is. On Linux the kernel keeps users and groups for each thread, and only the C library's
 * wrappers spread a change over all of them: the bare calls change the thread that makes them, and no other.
 */
import type { Credentials } from '../ports/processes.ts';

export interface IdentityCalls {
  /** False where the numbers of the calls are not known: then a user is taken on by Node's own spawn. */
  readonly canWear: boolean;
  /** The real user, group and groups of this thread become these; what it may do (the effective ones) stays root's. */
  wear(credentials: Credentials): Errno;
  /** Back to what the daemon was. */
  takeOff(): Errno;
  /** Soft and hard alike, of another process; null is unlimited. */
  limitProcess(pid: number, resource: number, value: number | null): Errno;
}

/** 0 is success; anything else is what the C library had in `errno`. */
export type Errno = number;

type Call = (...args: unknown[]) => number;
type Declare = (signature: string) => Call;

const CALLS: Readonly<Record<string, { setgroups: number; setresuid: number; setresgid: number }>> = {
  x64: { setgroups: 116, setresuid: 117, setresgid: 119 },
  arm64: { setgroups: 159, setresuid: 147, setresgid: 149 },
};
const KEEP = -1;
const ROOT = 0;
const UNLIMITED = 2n ** 64n - 1n;

/** @throws what koffi throws when the C library lacks one of these. */
export function identityCalls(declare: Declare, errno: () => Errno): IdentityCalls {
  const numbers = CALLS[process.arch];
  const threeIds = declare('long syscall(long, long, long, long)');
  const withList = declare('long syscall(long, size_t, void *)');
  const prlimit = declare('int prlimit(int, int, void *, void *)');
  const own = ownIdentity(declare);
  const limit = new BigUint64Array(2);

  const done = (...results: (() => number)[]): Errno => {
    for (const result of results) if (Number(result()) !== 0) return errno() || -1;
    return 0;
  };
  const setGroups = (groups: readonly number[]) =>
    withList(numbers?.setgroups ?? -1, groups.length, Uint32Array.from(groups));
  const setIds = (call: number | undefined, real: number, effective: number, saved: number) =>
    threeIds(call ?? -1, real, effective, saved);

  return {
    canWear: numbers !== undefined,
    wear: ({ uid, gid, groups }) =>
      done(
        () => setGroups(groups),
        () => setIds(numbers?.setresgid, gid, KEEP, KEEP),
        () => setIds(numbers?.setresuid, uid, ROOT, ROOT),
      ),
    takeOff: () =>
      done(
        () => setIds(numbers?.setresuid, own.uid, ROOT, ROOT),
        () => setIds(numbers?.setresgid, own.gid, KEEP, KEEP),
        () => setGroups(own.groups),
      ),
    limitProcess(pid, resource, value) {
      limit.fill(value === null ? UNLIMITED : BigInt(value));
      return done(() => prlimit(pid, resource, limit, null));
    },
  };
}

/** As they are now; asked of the system, for Node's `getgroups` adds the effective group. */
function ownIdentity(declare: Declare) {
  const getgroups = declare('int getgroups(int, void *)');
  const groups = new Uint32Array(Math.max(0, getgroups(0, null)));
  const count = getgroups(groups.length, groups);
  return {
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    groups: [...groups.subarray(0, Math.max(0, count))],
  };
}
