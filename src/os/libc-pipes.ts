/** FIFOs, and splice(2), through koffi: bytes go from a pipe into a file without ever being ours. */
import { constants } from 'node:os';
import type { Errno } from './libc-identity.ts';

export interface PipeCalls {
  mkfifo(path: string, mode: number): Errno;
  /** What the pipe holds from now on, in bytes; null: refused. */
  setPipeSize(descriptor: number, bytes: number): number | null;
  /** What it holds; 0: it is no pipe. */
  pipeSize(descriptor: number): number;
  /** Bytes in a pipe. */
  pendingIn(descriptor: number): number;
  /** Bytes of a file; an errno below 0. Its position is moved, by which nothing here reads or writes. */
  sizeOf(descriptor: number): number;
  /** Bytes that were moved, 0 where nobody can write any more, or an errno below 0. Never waits for bytes. */
  splice(pipe: number, file: number, at: number, most: number): number;
  /** The same on another thread. */
  spliceAside(pipe: number, file: number, at: number, most: number, done: (moved: number) => void): void;
  /** The same from one pipe into another, without a byte being copied. Never waits for room either. */
  shift(from: number, to: number, most: number): number;
}

type Call = ((...args: unknown[]) => number) & {
  async(...args: unknown[]): void;
};
type Declare = (signature: string) => Call;

const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const FIONREAD = 0x541b;
const SEEK_END = 2;
const SPLICE_F_NONBLOCK = 2;

/** @throws what koffi throws when the C library lacks one of these. */
export function pipeCalls(declare: Declare, errno: () => Errno): PipeCalls {
  const mkfifo = declare('int mkfifo(const char *, uint)');
  const fcntl = declare('int fcntl(int, int, int)');
  const ioctl = declare('int ioctl(int, ulong, void *)');
  const lseek = declare('long lseek(int, long, int)');
  const splice = declare('long splice(int, void *, int, void *, size_t, uint)');
  const count = new Int32Array(1);
  const offset = new BigInt64Array(1);
  const idle: BigInt64Array[] = [];
  return {
    mkfifo: (path, mode) => (mkfifo(path, mode) === 0 ? 0 : errno()),
    setPipeSize(descriptor, bytes) {
      const size = fcntl(descriptor, F_SETPIPE_SZ, bytes);
      return size < 0 ? null : size;
    },
    pipeSize: (descriptor) => Math.max(0, fcntl(descriptor, F_GETPIPE_SZ, 0)),
    pendingIn: (descriptor) => (ioctl(descriptor, FIONREAD, count) === 0 ? (count[0] ?? 0) : 0),
    sizeOf(descriptor) {
      const size = Number(lseek(descriptor, 0, SEEK_END));
      return size < 0 ? -errno() : size;
    },
    splice(pipe, file, at, most) {
      offset[0] = BigInt(at);
      const moved = Number(splice(pipe, null, file, offset, most, SPLICE_F_NONBLOCK));
      return moved < 0 ? -errno() : moved;
    },
    spliceAside(pipe, file, at, most, done) {
      const own = idle.pop() ?? new BigInt64Array(1);
      own[0] = BigInt(at);
      // What the kernel writes to on another thread must not be collected meanwhile: the callback holds it.
      splice.async(pipe, null, file, own, most, SPLICE_F_NONBLOCK, (_: unknown, moved: number) => {
        idle.push(own);
        // What went wrong there only that thread knows: to be asked for again here.
        done(moved < 0 ? -constants.errno.EAGAIN : Number(moved));
      });
    },
    shift(from, to, most) {
      const moved = Number(splice(from, null, to, null, most, SPLICE_F_NONBLOCK));
      return moved < 0 ? -errno() : moved;
    },
  };
}
