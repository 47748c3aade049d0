/** execve(2) and what has to be put right before it: which descriptors stay open. */
import type { Errno } from './libc-identity.ts';

export interface ExecCalls {
  /** Another program in the place of this one, with its pid and its children; returns only when that cannot be. */
  becomeProgram(path: string, args: readonly string[], environment: readonly string[]): Errno;
  /** Whether a descriptor outlives `becomeProgram`, and is passed on to every child as long as it does. */
  outliveExec(descriptor: number, outlives: boolean): boolean;
  /** Another number for the same, closed by exec; null when there is none left. */
  duplicate(descriptor: number): number | null;
  /** `as` is the same as `descriptor` from now on. */
  duplicateAs(descriptor: number, as: number): boolean;
}

type Call = (...args: unknown[]) => number;
type Declare = (signature: string) => Call;

const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
const FD_CLOEXEC = 1;
/** Above the numbers that programs are given by convention. */
const LOWEST = 10;

/** @throws what koffi throws when the C library lacks one of these. */
export function execCalls(declare: Declare, errno: () => Errno): ExecCalls {
  const execve = declare('int execve(const char *, const char **, const char **)');
  const fcntl = declare('int fcntl(int, int, int)');
  const dup2 = declare('int dup2(int, int)');
  return {
    becomeProgram(path, args, environment) {
      execve(path, [...args, null], [...environment, null]);
      return errno();
    },
    outliveExec: (descriptor, outlives) => fcntl(descriptor, F_SETFD, outlives ? 0 : FD_CLOEXEC) === 0,
    duplicate(descriptor) {
      const copy = fcntl(descriptor, F_DUPFD_CLOEXEC, LOWEST);
      return copy < 0 ? null : copy;
    },
    duplicateAs: (descriptor, as) => dup2(descriptor, as) === as,
  };
}
