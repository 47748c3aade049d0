/**
 * What one run reports through: a FIFO as its descriptor 3, and a datagram socket. Both have a name under
 * RUN_DIR/notify, so that the next daemon can take them up. Whoever runs the instance must own them.
 */
import { chmodSync, closeSync, constants, openSync, readSync, unlinkSync } from 'node:fs';
import type { Run } from '../base/ids.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { type Libc, MAX_SOCKET_PATH_BYTES } from './libc.ts';
import { Lines } from './lines.ts';
import { RateLimit } from './rate-limit.ts';
import { explain, explainErrno } from './system-error.ts';
import type { Watch } from './watch.ts';

// As protocol/notify.ts has them for those who write messages.
export const MAX_MESSAGE_BYTES = 4096;
export const MAX_MESSAGES_PER_SECOND = 1000;
/** What is read from one run before others get their turn. */
const BYTES_A_TURN = 64 * 1024;
const DATAGRAMS_A_TURN = 64;
/** What a run may have left behind at its end: more than a full FIFO and a full socket hold, so that all is read. */
const TURNS_AT_THE_END = 16;

export type Notified = (run: Run, text: string, channel: 'line' | 'datagram') => void;

export interface NotifyChannel {
  /** For NOTIFY_SOCKET; null when there is no socket. */
  readonly socketPath: string | null;
  /** Messages that were too long, or too many. */
  readonly dropped: number;
  /** The instance's side, to be closed after the spawn. It can be read as well: so it never breaks, whoever dies. */
  openForInstance(): number;
  /** Reads all that has been sent so far; for the end of a run. */
  drain(): void;
  close(): void;
}

// One at a time is read from, and nothing of it is kept.
const buffer = Buffer.allocUnsafe(BYTES_A_TURN);

export function openNotifyChannel(
  libc: Libc,
  watch: Watch,
  folder: string,
  run: Run,
  notified: Notified,
): Result<NotifyChannel, string> {
  const fifo = openFifo(libc, `${folder}/${run}.fifo`);
  if (!fifo.ok) return fifo;
  const channel = new Channel(libc, watch, folder, run, fifo.value, notified);
  const problem = channel.listen();
  if (problem === null) return ok(channel);
  channel.close();
  return fail(problem);
}

function openFifo(libc: Libc, path: string): Result<number, string> {
  removeIfThere(path);
  const errno = libc.makeFifo(path, 0o600);
  if (errno !== 0) return fail(`cannot create ${path}: ${explainErrno(errno)}`);
  try {
    // For writing too: so no end of file is ever seen, and none has to be told from silence.
    return ok(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
  } catch (error) {
    removeIfThere(path);
    return fail(`cannot open ${path}: ${explain(error)}`);
  }
}

class Channel implements NotifyChannel {
  socketPath: string | null = null;
  private socket: number | null = null;
  private overlong = 0;
  private readonly rate = new RateLimit(MAX_MESSAGES_PER_SECOND, () => performance.now());
  private readonly lines: Lines;
  private readonly libc: Libc;
  private readonly watch: Watch;
  private readonly base: string;
  private readonly run: Run;
  private readonly fifo: number;
  private readonly notified: Notified;
  private closed = false;

  constructor(libc: Libc, watch: Watch, folder: string, run: Run, fifo: number, notified: Notified) {
    this.libc = libc;
    this.watch = watch;
    this.base = `${folder}/${run}`;
    this.run = run;
    this.fifo = fifo;
    this.notified = notified;
    this.lines = new Lines(
      MAX_MESSAGE_BYTES,
      (line) => this.pass(line, 'line'),
      () => this.overlong++,
    );
  }

  get dropped(): number {
    return this.overlong + this.rate.dropped;
  }

  /** What cannot be done, or null. */
  listen(): string | null {
    if (!this.watch.add(this.fifo, () => this.readLines())) return `cannot watch ${this.base}.fifo`;
    const path = `${this.base}.sock`;
    if (Buffer.byteLength(path) >= MAX_SOCKET_PATH_BYTES) return null; // said once, by whoever knows the folder
    removeIfThere(path);
    const bound = this.libc.bindDatagram(path);
    if ('errno' in bound) return `cannot bind ${path}: ${explainErrno(bound.errno)}`;
    this.socket = bound.descriptor;
    this.socketPath = path;
    chmodSync(path, 0o600);
    return this.watch.add(this.socket, () => this.readDatagrams()) ? null : `cannot watch ${path}`;
  }

  openForInstance(): number {
    return openSync(`${this.base}.fifo`, constants.O_RDWR);
  }

  drain(): void {
    for (let turn = 0; turn < TURNS_AT_THE_END && this.readLines(); turn++);
    this.lines.finish();
    for (let turn = 0; turn < TURNS_AT_THE_END && this.readDatagrams(); turn++);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.watch.remove(this.fifo);
    closeSync(this.fifo);
    removeIfThere(`${this.base}.fifo`);
    if (this.socket === null) return;
    this.watch.remove(this.socket);
    closeSync(this.socket);
    this.socket = null;
    removeIfThere(`${this.base}.sock`);
  }

  /** True when there may be more. */
  private readLines(): boolean {
    if (this.closed) return false;
    let length = 0;
    try {
      length = readSync(this.fifo, buffer, 0, BYTES_A_TURN, null);
    } catch {
      return false; // EAGAIN: nothing there
    }
    // A copy: what is done with a line may lead to reading another run.
    if (length > 0) this.lines.push(Buffer.from(buffer.subarray(0, length)));
    return length === BYTES_A_TURN;
  }

  private readDatagrams(): boolean {
    for (let i = 0; i < DATAGRAMS_A_TURN; i++) {
      if (this.socket === null) return false;
      const length = this.libc.receive(this.socket, buffer);
      if (length < 0) return false;
      if (length > MAX_MESSAGE_BYTES) this.overlong++;
      else this.pass(buffer.toString('utf8', 0, length), 'datagram');
    }
    return true;
  }

  private pass(text: string, channel: 'line' | 'datagram'): void {
    if (this.rate.admits()) this.notified(this.run, text, channel);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not there, or the folder is gone.
  }
}
