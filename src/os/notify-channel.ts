/**
 * What one run reports through: a pipe as its descriptor 3, and a datagram socket under RUN_DIR/notify. The next
 * daemon takes them up: the pipe through /proc/PID/fd/3, the socket by binding its name anew. (A named FIFO would do
 * as well, but costs 0.7 ms a run where RUN_DIR is on a disk.) Whoever runs the instance must own both: a pipe too is
 * opened by its name, as /dev/fd/3.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fchownSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { constants as system } from 'node:os';
import type { Run } from '../base/ids.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Credentials, ProcessEvents } from '../ports/processes.ts';
import { bequeath, inherit, keepBack } from './heirlooms.ts';
import { type Libc, MAX_SOCKET_PATH_BYTES } from './libc.ts';
import { type LineSink, Lines } from './lines.ts';
import { PEEK_BYTES, type PipePeek } from './pipe-peek.ts';
import { RateLimit } from './rate-limit.ts';
import { explain, explainErrno } from './system-error.ts';
import type { Watch } from './watch.ts';

// As protocol/notify.ts has them for those who write messages.
export const MAX_MESSAGE_BYTES = 4096;
export const MAX_MESSAGES_PER_SECOND = 1000;
const DATAGRAMS_A_TURN = 64;
/** What a run may have left behind at its end: more than a full pipe and a full socket hold, so that all is read. */
const TURNS_AT_THE_END = 16;

export type Notified = ProcessEvents['notified'];

export interface NotifyChannel {
  /** For NOTIFY_SOCKET; null when there is no socket. */
  readonly socketPath: string | null;
  /** Messages that were too long, or too many. */
  readonly dropped: number;
  /** The instance's side. It can be read as well: so it never breaks, whoever dies. */
  readonly given: number | null;
  /** The instance has its side, or never will. */
  handOver(): void;
  /** Binds the socket anew where somebody has removed it. */
  restore(): void;
  /** Reads all that has been sent so far; for the end of a run. */
  drain(): void;
  close(): void;
}

// One at a time is read from, and nothing of it is kept.
const buffer = Buffer.allocUnsafe(MAX_MESSAGE_BYTES);

export type Owner = Pick<Credentials, 'uid' | 'gid'>;

export interface Ends {
  readonly notified: Notified;
  /** The process of an earlier daemon's run that is to be heard again; null for a run that is yet to begin. */
  readonly leader: number | null;
  /** Who it is for; null: the daemon's own user. */
  readonly owner: Owner | null;
}

/** What all channels of a daemon share. */
export interface Ear {
  readonly libc: Libc;
  readonly watch: Watch;
  readonly peek: PipePeek;
  /** Where the sockets are. */
  readonly folder: string;
}

export function openNotifyChannel(
  ear: Ear,
  run: Run,
  { notified, leader, owner }: Ends,
): Result<NotifyChannel, string> {
  const pipe = leader === null ? createPipe(ear.libc) : takePipe(run, leader);
  if (!pipe.ok) return pipe;
  const channel = new Channel(ear, run, pipe.value, notified);
  const problem = channel.listen(owner);
  if (problem === null) return ok(channel);
  channel.close();
  return fail(problem);
}

interface Pipe {
  /** Ours: for writing too, so that no end of file is ever seen, and none has to be told from silence. */
  readonly own: number | null;
  /** The instance's side; null when it has it already. */
  readonly given: number | null;
}

function createPipe(libc: Libc): Result<Pipe, string> {
  const made = libc.makePipe();
  if ('errno' in made) return fail(`cannot create a pipe: ${explainErrno(made.errno)}`);
  let own: number | null = null;
  try {
    own = openSync(`/proc/self/fd/${made.read}`, constants.O_RDWR | constants.O_NONBLOCK);
    return ok({ own, given: openSync(`/proc/self/fd/${made.write}`, constants.O_RDWR) });
  } catch (error) {
    if (own !== null) closeSync(own);
    return fail(`cannot open a pipe anew: ${explain(error)}`);
  } finally {
    closeSync(made.read);
    closeSync(made.write);
  }
}

const pipeOf = (run: Run): string => `pipe of run ${run}`;

/** Of a daemon that has become this one, also when the leader has gone meanwhile: what it has said last is in there. */
function takePipe(run: Run, leader: number): Result<Pipe, string> {
  const inherited = inherit(pipeOf(run));
  return inherited === null ? findPipe(leader) : ok({ own: inherited, given: null });
}

/** What an earlier daemon gave to a leader that still lives. It may have closed it: then only its socket is heard. */
function findPipe(leader: number): Result<Pipe, string> {
  const path = `/proc/${leader}/fd/3`;
  try {
    if (!statSync(path).isFIFO() || !isGivenByUs(leader)) return ok({ own: null, given: null });
    return ok({ own: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), given: null });
  } catch {
    return ok({ own: null, given: null });
  }
}

/**
 * Only what was opened for both ways: a program that has closed its descriptor 3 may have made a pipe of its own
 * since, whose ends are for one way each, and what it sends itself through that is not for us to take.
 */
function isGivenByUs(leader: number): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/${leader}/fdinfo/3`, 'latin1'))?.[1];
  return (Number.parseInt(flags ?? '0', 8) & constants.O_RDWR) !== 0;
}

class Channel implements NotifyChannel, LineSink {
  socketPath: string | null = null;
  private socket: number | null = null;
  private tooLong = 0;
  private readonly rate = new RateLimit(MAX_MESSAGES_PER_SECOND);
  private readonly lines: Lines;
  private readonly libc: Libc;
  private readonly watch: Watch;
  private readonly peek: PipePeek;
  private readonly path: string;
  private readonly run: Run;
  private readonly pipe: Pipe;
  private readonly notified: Notified;
  private whose: Owner | null = null;
  private closed = false;
  private handedOver = false;
  /** So many bytes of the pipe were there before we listened. */
  private waiting = 0;

  constructor({ libc, watch, peek, folder }: Ear, run: Run, pipe: Pipe, notified: Notified) {
    this.libc = libc;
    this.watch = watch;
    this.peek = peek;
    this.path = `${folder}/${run}.sock`;
    this.run = run;
    this.pipe = pipe;
    this.notified = notified;
    this.lines = new Lines(MAX_MESSAGE_BYTES, this);
  }

  get given(): number | null {
    return this.pipe.given;
  }

  get dropped(): number {
    return this.tooLong + this.rate.dropped;
  }

  /** What cannot be done, or null. */
  listen(owner: Owner | null): string | null {
    const { own, given } = this.pipe;
    if (own !== null && given === null) this.waiting = this.libc.pendingIn(own);
    if (own !== null && !this.watch.add(own, () => this.readLines())) return 'cannot watch a pipe';
    if (own !== null) bequeath(pipeOf(this.run), own);
    const whose = process.geteuid?.() === 0 ? owner : null;
    if (whose !== null && given !== null) fchownSync(given, whose.uid, whose.gid);
    this.whose = whose;
    return this.openSocket();
  }

  private openSocket(): string | null {
    const { path, whose } = this;
    if (Buffer.byteLength(path) >= MAX_SOCKET_PATH_BYTES) return null; // said once, by whoever knows the folder
    const bound = this.bind(path);
    if ('errno' in bound) return `cannot bind ${path}: ${explainErrno(bound.errno)}`;
    this.socket = bound.descriptor;
    this.socketPath = path;
    bequeath(path, bound.descriptor);
    chmodSync(path, 0o600);
    if (whose !== null) chownSync(path, whose.uid, whose.gid);
    return this.watch.add(this.socket, () => this.readDatagrams()) ? null : `cannot watch ${path}`;
  }

  restore(): void {
    if (this.closed || this.socket === null || existsSync(this.path)) return;
    while (this.readDatagrams()); // what was sent to the one that is gone
    this.closeSocket();
    this.openSocket();
  }

  private closeSocket(): void {
    if (this.socket === null) return;
    keepBack(this.path);
    this.watch.remove(this.socket);
    closeSync(this.socket);
    this.socket = null;
  }

  /** The socket of a daemon that has become this one; what any other has left in its place is removed. */
  private bind(path: string): ReturnType<Libc['bindDatagram']> {
    const inherited = inherit(path);
    if (inherited !== null) return { descriptor: inherited };
    const bound = this.libc.bindDatagram(path);
    if (!('errno' in bound) || bound.errno !== system.errno.EADDRINUSE) return bound;
    removeIfThere(path);
    return this.libc.bindDatagram(path);
  }

  handOver(): void {
    if (this.pipe.given !== null && !this.handedOver) closeSync(this.pipe.given);
    this.handedOver = true;
  }

  drain(): void {
    for (let turn = 0; turn < TURNS_AT_THE_END && this.readLines(); turn++);
    this.lines.finish();
    for (let turn = 0; turn < TURNS_AT_THE_END && this.readDatagrams(); turn++);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.handOver();
    if (this.pipe.own !== null) {
      keepBack(pipeOf(this.run));
      this.watch.remove(this.pipe.own);
      closeSync(this.pipe.own);
    }
    if (this.socket === null) return;
    this.closeSocket();
    removeIfThere(this.path);
  }

  /** True when there may be more. What is dealt with has been written down, and only then does it leave the pipe. */
  private readLines(): boolean {
    const { own } = this.pipe;
    if (this.closed || own === null) return false;
    const chunk = this.peek.at(own);
    if (chunk === null) return false;
    const waiting = Math.min(this.waiting, chunk.length);
    if (waiting > 0) this.lines.push(chunk.subarray(0, waiting)); // a message is written whole, so none is cut here
    this.waiting -= waiting;
    this.lines.push(chunk.subarray(waiting));
    if (!this.closed) this.peek.pass(own, chunk.length);
    return chunk.length === PEEK_BYTES;
  }

  private readDatagrams(): boolean {
    for (let i = 0; i < DATAGRAMS_A_TURN; i++) {
      if (this.socket === null) return false;
      const length = this.libc.receive(this.socket, buffer);
      if (length < 0) return false;
      if (length > MAX_MESSAGE_BYTES) this.overlong();
      else this.pass(buffer.toString('utf8', 0, length), 'datagram');
    }
    return true;
  }

  line(text: string): void {
    this.pass(text, 'line');
  }

  overlong(): void {
    this.tooLong++;
  }

  private pass(text: string, channel: 'line' | 'datagram'): void {
    const wasWaiting = channel === 'line' && this.waiting > 0;
    if (this.rate.admits()) this.notified(this.run, text, channel, wasWaiting);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not there, or the folder is gone.
  }
}
