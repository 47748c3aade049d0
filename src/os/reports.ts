/** The notify channels of all runs, through koffi where it is there; else a pipe for descriptor 3, and no socket. */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Run } from '../base/ids.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { type Libc, MAX_SOCKET_PATH_BYTES } from './libc.ts';
import { type LineSink, Lines } from './lines.ts';
import {
  MAX_MESSAGE_BYTES,
  MAX_MESSAGES_PER_SECOND,
  type Notified,
  type Owner,
  openNotifyChannel,
} from './notify-channel.ts';
import { PipePeek } from './pipe-peek.ts';
import { RateLimit } from './rate-limit.ts';
import { explain } from './system-error.ts';
import type { Watch } from './watch.ts';

/** What one run reports through, from before its spawn until it is forgotten. */
export interface Report {
  readonly socketPath: string | null;
  readonly dropped: number;
  /** What the instance gets as its descriptor 3; null: nothing, for it is not to report. */
  readonly stdio: number | 'pipe' | null;
  /** The spawn is over, well (`child`) or not (null): lets go of the instance's side. */
  spawned(child: ChildProcess | null): void;
  /** The leader is gone: delivers all that it had said, then calls `done`. */
  finish(done: () => void): void;
  /** Puts back what somebody has removed of it. */
  restore?(): void;
  close(): void;
}

export interface Reports {
  /** A sentence about what cannot be had, or null. */
  readonly warning: string | null;
  /** `owner`: who the instance runs as; null: the daemon's own user. */
  open(run: Run, owner: Owner | null): Result<Report, string>;
  /** For a run that an earlier daemon has begun: whatever of its channels can be had. */
  adopt(run: Run, leader: number): Report;
  /** The folder of their sockets may have been removed. */
  restore(): void;
  close(): void;
}

/** `folder` is RUN_DIR/notify; it is created with mode 0711, so that every user finds its own socket in it. */
export function createReports(libc: Libc, watch: Watch, folder: string, notified: Notified): Reports {
  // The longest name that a run can have there: 15 digits are enough for every run number.
  const tooLong = Buffer.byteLength(`${folder}/123456789012345.sock`) >= MAX_SOCKET_PATH_BYTES;
  let isThere = false;
  const ear = { libc, watch, folder, peek: new PipePeek(libc) };
  return {
    close: () => ear.peek.close(),
    warning: tooLong
      ? `NOTIFY_SOCKET may not be available: ${folder} is too long a path for a socket; choose a shorter run_dir`
      : null,
    open: (run, owner) => channelReport(run, null, owner),
    adopt(run, leader) {
      const report = channelReport(run, leader, ownerOf(leader));
      return report.ok ? report.value : SILENT;
    },
    restore() {
      if (isThere) makeFolder();
    },
  };

  function channelReport(run: Run, leader: number | null, owner: Owner | null): Result<Report, string> {
    const open = () => openNotifyChannel(ear, run, { notified, leader, owner });
    try {
      if (!isThere) makeFolder();
      let channel = open();
      if (!channel.ok && makeFolder()) channel = open(); // somebody had removed it
      return channel.ok ? ok(new ChannelReport(channel.value)) : channel;
    } catch (error) {
      return fail(`cannot create the notify channel in ${folder}: ${explain(error)}`);
    }
  }

  /** True when it was not there. */
  function makeFolder(): boolean {
    const isNew = mkdirSync(folder, { recursive: true }) !== undefined;
    if (isNew || !isThere) chmodSync(folder, 0o711);
    isThere = true;
    return isNew;
  }
}

/** Who a process is. Its entry in /proc says so; null when it is gone, or is one of ours. */
function ownerOf(pid: number): Owner | null {
  const { uid, gid } = statSync(`/proc/${pid}`, { throwIfNoEntry: false }) ?? { uid: -1, gid: -1 };
  return uid < 0 || uid === process.geteuid?.() ? null : { uid, gid };
}

/** Of a run that cannot be heard any more. */
export const SILENT: Report = {
  socketPath: null,
  dropped: 0,
  stdio: 'pipe',
  spawned() {},
  finish: (done) => done(),
  close() {},
};

type Channel = Extract<ReturnType<typeof openNotifyChannel>, { ok: true }>['value'];

class ChannelReport implements Report {
  readonly socketPath: string | null;
  readonly stdio: number | 'pipe';
  private readonly channel: Channel;

  constructor(channel: Channel) {
    this.channel = channel;
    this.socketPath = channel.socketPath;
    this.stdio = channel.given ?? 'pipe';
  }

  get dropped(): number {
    return this.channel.dropped;
  }

  spawned(): void {
    this.channel.handOver();
  }

  finish(done: () => void): void {
    this.channel.drain();
    done();
  }

  restore(): void {
    this.channel.restore();
  }

  close(): void {
    this.channel.close();
  }
}

export function createPipeReports(notified: Notified): Reports {
  return {
    warning: 'NOTIFY_SOCKET is not available: koffi cannot be loaded here; descriptor 3 works',
    open: (run) => ok(new PipeReport(run, notified)),
    adopt: () => SILENT,
    restore() {},
    close() {},
  };
}

/** What is still in the pipe when the leader's exit is reported arrives within this time. */
const LAST_WORDS_MS = 20;

class PipeReport implements Report, LineSink {
  readonly socketPath = null;
  readonly stdio = 'pipe';
  private tooLong = 0;
  private socket: Socket | null = null;
  private readonly rate = new RateLimit(MAX_MESSAGES_PER_SECOND);
  private readonly lines = new Lines(MAX_MESSAGE_BYTES, this);
  private readonly run: Run;
  private readonly notified: Notified;

  constructor(run: Run, notified: Notified) {
    this.run = run;
    this.notified = notified;
  }

  line(text: string): void {
    if (this.rate.admits()) this.notified(this.run, text, 'line', false);
  }

  overlong(): void {
    this.tooLong++;
  }

  get dropped(): number {
    return this.tooLong + this.rate.dropped;
  }

  spawned(child: ChildProcess | null): void {
    const side = child?.stdio[3];
    if (!(side instanceof Socket)) return;
    this.socket = side;
    side.unref();
    side.on('error', () => side.destroy());
    side.on('data', (chunk: Buffer) => this.lines.push(chunk));
  }

  finish(done: () => void): void {
    const end = () => {
      clearTimeout(timer);
      this.socket?.removeListener('close', end);
      this.lines.finish();
      done();
    };
    const timer = setTimeout(end, LAST_WORDS_MS);
    this.socket?.once('close', end);
  }

  close(): void {
    this.socket?.destroy();
    this.socket = null;
  }
}
