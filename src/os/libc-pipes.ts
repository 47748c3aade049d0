/** FIFOs, and splice(2), through koffi: bytes go from a pipe into a file without ever being ours. */
import type { Errno } from './libc-identity.ts';

export interface PipeCalls {
  mkfifo(path: string, mode: number): Errno;
  /** What the pipe holds from now on, in bytes; null: refused. */
  setPipeSize(descriptor: number, bytes: number): number | null;
  /** Bytes in a pipe. */
  pendingIn(descriptor: number): number;
  /** Bytes that were moved, 0 where nobody can write any more, or an errno below 0. Never waits for bytes. */
  splice(pipe: number, file: number, at: number, most: number): number;
}

type Call = (...args: unknown[]) => number;
type Declare = (signature: string) => Call;

const F_SETPIPE_SZ = 1031;
const FIONREAD = 0x541b;
const SPLICE_F_NONBLOCK = 2;

/** @throws what koffi throws when the C library lacks one of these. */
export function pipeCalls(declare: Declare, errno: () => Errno): PipeCalls {
  const mkfifo = declare('int mkfifo(const char *, uint)');
  const fcntl = declare('int fcntl(int, int, int)');
  const ioctl = declare('int ioctl(int, ulong, void *)');
  const splice = declare('long splice(int, void *, int, void *, size_t, uint)');
  const count = new Int32Array(1);
  const offset = new BigInt64Array(1);
  return {
    mkfifo: (path, mode) => (mkfifo(path, mode) === 0 ? 0 : errno()),
    setPipeSize(descriptor, bytes) {
      const size = fcntl(descriptor, F_SETPIPE_SZ, bytes);
      return size < 0 ? null : size;
    },
    pendingIn: (descriptor) => (ioctl(descriptor, FIONREAD, count) === 0 ? (count[0] ?? 0) : 0),
    splice(pipe, file, at, most) {
      offset[0] = BigInt(at);
      const moved = Number(splice(pipe, null, file, offset, most, SPLICE_F_NONBLOCK));
      return moved < 0 ? -errno() : moved;
    },
  };
}
