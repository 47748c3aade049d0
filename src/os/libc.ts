/**
 * The few calls of the C library that Node lacks, through koffi. All of them are Linux's; where koffi cannot be
 * loaded or a symbol is missing, `loadLibc` answers null and everything else falls back.
 */
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { type ExecCalls, execCalls } from './libc-exec.ts';
import { type Errno, type IdentityCalls, identityCalls } from './libc-identity.ts';
import { type PipeCalls, pipeCalls } from './libc-pipes.ts';
import { type SpawnCalls, spawnCalls } from './libc-spawn.ts';
import { userCalls } from './libc-users.ts';
import type { Users } from './users.ts';

export interface Libc extends SpawnCalls, IdentityCalls, ExecCalls, PipeCalls {
  readonly users: Users;
  /** The session of a process, zombies included; null when there is no such process. */
  sessionOf(pid: number): number | null;
  /** Makes the orphans among our descendants our children, rather than init's. */
  becomeSubreaper(): boolean;
  /** Is it a child of ours, and has it ended? Reaps nothing. */
  childState(pid: number): 'none' | 'alive' | 'dead';
  /** Any child of ours that waits to be reaped, or 0. Reaps nothing. */
  deadChild(): number;
  /** Reaps this one child. Never called for a leader: libuv waits for those. */
  reap(pid: number): void;
  /** False when somebody else holds it. */
  lockExclusive(descriptor: number): boolean;
  /** An anonymous pipe, closed by exec. */
  makePipe(): { readonly read: number; readonly write: number } | { readonly errno: Errno };
  /** Copies what is in a pipe into another one, and leaves it there: how many bytes, or -1 where there are none. */
  copyPipe(from: number, to: number, most: number): number;
  /** A datagram socket bound to `path`, which does not block and is closed by exec. */
  bindDatagram(path: string): { readonly descriptor: number } | { readonly errno: Errno };
  /** Sends a datagram from a socket without a name. Does not wait: EAGAIN where the receiver's queue is full. */
  sendDatagram(path: string, bytes: Uint8Array): Errno;
  /** The user at the other end of a connected unix socket, as it was when that connected; null: it is none. */
  peerUid(descriptor: number): number | null;
  /** Bytes of the next datagram (its true length, though only what fits is stored); -1 when there is none. */
  receive(descriptor: number, into: Uint8Array): number;
  /** A descriptor that becomes readable when the process ends; null when that cannot be had. */
  openPidfd(pid: number): number | null;
  signalPidfd(descriptor: number, signal: number): Errno;
  createEpoll(): number | null;
  epollAdd(epoll: number, descriptor: number): Errno;
  epollRemove(epoll: number, descriptor: number): void;
  /** The descriptors that are readable now, at most as many as fit; true: there may be more. */
  epollReady(epoll: number, into: number[]): boolean;
  /** Calls back from the event loop while `descriptor` is readable. Does not keep the process alive. */
  whenReadable(descriptor: number, callback: () => void): Readable;
}

export type { Errno };

export interface Readable {
  /** Does not call back until `listen`. */
  rest(): void;
  listen(): void;
  close(): void;
}

let loaded: Libc | null | undefined;

/** Loads koffi at the first call, a few milliseconds; null where there is no Linux or no koffi. */
export function loadLibc(): Libc | null {
  if (loaded === undefined) loaded = process.platform === 'linux' && isKnown() ? tryLoad() : null;
  return loaded;
}

/** Structures are read as 64-bit machines that write the low byte first have them; any other is not to be guessed at. */
export const isKnown = (arch: string = process.arch): boolean =>
  ['x64', 'arm64', 'riscv64', 'loong64'].includes(arch);

function tryLoad(): Libc | null {
  try {
    return bindings(koffi());
  } catch {
    return null; // no prebuilt binary for this machine, or a C library without these symbols
  }
}

/** Its binary is asked for where koffi itself looks first: its own way there takes 10 ms more. */
function koffi(): Koffi {
  const require = createRequire(import.meta.url);
  try {
    const binary: Koffi = require(`@koromix/koffi-${process.platform}-${process.arch}`);
    if (/^3\./.test(binary.version)) return binary;
  } catch {
    // Installed in another way.
  }
  return require('koffi');
}

type Koffi = typeof import('koffi');

const PR_SET_CHILD_SUBREAPER = 36;
const P_ALL = 0;
const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
const LOCK_EX = 2;
const LOCK_NB = 4;
const SPLICE_F_NONBLOCK = 2;
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_TRUNC = 0x20;
const MSG_NOSIGNAL = 0x4000;
const O_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
const EVENTS_AT_ONCE = 64;
// The same on all architectures, being younger than the common table (424 and above).
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;

/** `sun_path` holds this many bytes, its final zero included. */
export const MAX_SOCKET_PATH_BYTES = 108;

function bindings(koffi: Koffi): Libc {
  const library = koffi.load(null);
  const declare = (signature: string) => library.func(signature);
  return {
    ...processCalls(library),
    ...fileCalls(koffi, library),
    ...pidfdCalls(koffi, library),
    ...epollCalls(koffi, library),
    ...spawnCalls(declare),
    ...identityCalls(declare, () => koffi.errno()),
    ...execCalls(declare, () => koffi.errno()),
    ...pipeCalls(declare, () => koffi.errno()),
    users: userCalls(declare, (buffer) => koffi.address(buffer)),
  };
}

type Library = ReturnType<Koffi['load']>;

function processCalls(library: Library) {
  const getsid = library.func('int getsid(int)');
  const prctl = library.func('int prctl(int, ulong, ulong, ulong, ulong)');
  const waitid = library.func('int waitid(int, uint, void *, int)');
  const waitpid = library.func('int waitpid(int, void *, int)');
  // siginfo_t on 64-bit Linux: si_pid is the fifth int. The kernel leaves it 0 when nobody has ended.
  const info = new Int32Array(32);
  const peek = (kind: number, pid: number): number => {
    info[4] = 0;
    return waitid(kind, pid, info, WNOHANG | WNOWAIT | WEXITED) === 0 ? (info[4] ?? 0) : -1;
  };
  return {
    sessionOf(pid: number) {
      const session: number = getsid(pid);
      return session < 0 ? null : session;
    },
    becomeSubreaper: () => prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) === 0,
    childState(pid: number) {
      const found = peek(P_PID, pid);
      if (found < 0) return 'none' as const;
      return found === pid ? ('dead' as const) : ('alive' as const);
    },
    deadChild: () => Math.max(0, peek(P_ALL, 0)),
    reap: (pid: number) => {
      if (pid > 0) waitpid(pid, null, WNOHANG);
    },
  };
}

function fileCalls(koffi: Koffi, library: Library) {
  const flock = library.func('int flock(int, int)');
  const pipe2 = library.func('int pipe2(void *, int)');
  const ends = new Int32Array(2);
  const tee = library.func('long tee(int, int, size_t, uint)');
  const socket = library.func('int socket(int, int, int)');
  const bind = library.func('int bind(int, void *, uint)');
  const close = library.func('int close(int)');
  const sendto = library.func('long sendto(int, void *, size_t, int, void *, uint)');
  const recv = library.func('long recv(int, void *, size_t, int)');
  const getsockopt = library.func('int getsockopt(int, int, int, void *, void *)');
  return {
    lockExclusive: (descriptor: number) => flock(descriptor, LOCK_EX | LOCK_NB) === 0,
    makePipe() {
      if (pipe2(ends, O_CLOEXEC) !== 0) return { errno: koffi.errno() };
      return { read: ends[0] ?? -1, write: ends[1] ?? -1 };
    },
    copyPipe: (from: number, to: number, most: number): number =>
      Number(tee(from, to, most, SPLICE_F_NONBLOCK)),
    bindDatagram(path: string) {
      const descriptor: number = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (descriptor < 0) return { errno: koffi.errno() };
      const address = socketAddress(path);
      if (address === null || bind(descriptor, address, address.length) !== 0) {
        const errno = address === null ? constants.errno.ENAMETOOLONG : koffi.errno();
        close(descriptor);
        return { errno };
      }
      return { descriptor };
    },
    sendDatagram(path: string, bytes: Uint8Array): Errno {
      const address = socketAddress(path);
      if (address === null) return constants.errno.ENAMETOOLONG;
      const descriptor: number = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (descriptor < 0) return koffi.errno();
      const sent = Number(sendto(descriptor, bytes, bytes.length, MSG_NOSIGNAL, address, address.length));
      const errno = sent < 0 ? koffi.errno() : 0;
      close(descriptor);
      return errno;
    },
    peerUid(descriptor: number) {
      // struct ucred: pid, uid, gid.
      const peer = new Uint32Array(3);
      const length = new Uint32Array([peer.byteLength]);
      const isTold = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, peer, length) === 0;
      return isTold && length[0] === peer.byteLength ? (peer[1] ?? null) : null;
    },
    // MSG_TRUNC: the true length, so that a message that was too long is known to be.
    receive: (descriptor: number, into: Uint8Array): number =>
      Number(recv(descriptor, into, into.length, MSG_TRUNC)),
  };
}

/** A `sockaddr_un`; null when the path does not fit. As sd_notify(3) writes it, `@name` is abstract: no file. */
function socketAddress(path: string): Buffer | null {
  const isAbstract = path.startsWith('@');
  const bytes = Buffer.from(isAbstract ? `\0${path.slice(1)}` : path);
  if (bytes.length >= MAX_SOCKET_PATH_BYTES) return null;
  // All bytes of an abstract name count; a path ends with a zero.
  const address = Buffer.alloc(2 + bytes.length + (isAbstract ? 0 : 1));
  new Uint16Array(address.buffer, address.byteOffset, 1)[0] = AF_UNIX; // in the machine's own byte order
  bytes.copy(address, 2);
  return address;
}

function pidfdCalls(koffi: Koffi, library: Library) {
  const open = library.func('long syscall(long, long, long)');
  const send = library.func('long syscall(long, long, long, void *, long)');
  return {
    openPidfd(pid: number) {
      const descriptor = Number(open(SYS_PIDFD_OPEN, pid, 0));
      return descriptor < 0 ? null : descriptor;
    },
    signalPidfd: (descriptor: number, signal: number): Errno =>
      Number(send(SYS_PIDFD_SEND_SIGNAL, descriptor, signal, null, 0)) === 0 ? 0 : koffi.errno(),
  };
}

function epollCalls(koffi: Koffi, library: Library) {
  const create = library.func('int epoll_create1(int)');
  const control = library.func('int epoll_ctl(int, int, int, void *)');
  const wait = library.func('int epoll_wait(int, void *, int, int)');
  // struct epoll_event is packed on x86-64 alone. In units of 4 bytes: events, (padding,) descriptor, unused.
  const stride = process.arch === 'x64' ? 3 : 4;
  const at = stride - 2;
  const events = new Int32Array(stride * EVENTS_AT_ONCE);
  const one = new Int32Array(stride);
  return {
    createEpoll() {
      const epoll: number = create(EPOLL_CLOEXEC);
      return epoll < 0 ? null : epoll;
    },
    epollAdd(epoll: number, descriptor: number): Errno {
      one.fill(0);
      one[0] = EPOLLIN;
      one[at] = descriptor;
      return control(epoll, EPOLL_CTL_ADD, descriptor, one) === 0 ? 0 : koffi.errno();
    },
    epollRemove: (epoll: number, descriptor: number) => {
      control(epoll, EPOLL_CTL_DEL, descriptor, one);
    },
    epollReady(epoll: number, into: number[]) {
      const count: number = wait(epoll, events, EVENTS_AT_ONCE, 0);
      for (let i = 0; i < count; i++) into.push(events[i * stride + at] ?? -1);
      return count === EVENTS_AT_ONCE;
    },
    whenReadable(descriptor: number, callback: () => void) {
      const handle = koffi.node.poll(descriptor, { readable: true }, callback);
      handle.unref();
      return {
        rest: () => handle.stop(),
        listen: () => handle.start({ readable: true }, callback),
        close: () => handle.close(),
      };
    },
  };
}
