/**
 * What a command says: its stdout and stderr together, of which only the end is kept. Everything is read, so that
 * the command never waits for us; whoever holds the pipe after its end is not waited for either.
 */
import { closeSync, constants, fchownSync, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { fail, ok, type Result } from '../base/result.ts';
import type { Credentials } from '../ports/processes.ts';
import { LastWords } from './last-words.ts';
import type { Channels } from './launch.ts';
import type { Libc } from './libc.ts';
import type { Report } from './reports.ts';
import { explain, explainErrno } from './system-error.ts';
import type { Watch } from './watch.ts';

export interface Capture extends Channels {
  /** The last line that has something in it, fit to be shown; empty when there is none. */
  lastLine(): string;
}

/** What is read from one command before others get their turn. */
const BYTES_A_TURN = 64 * 1024;
/** At the end all is read that is there, if nobody keeps adding to it. */
const TURNS_AT_THE_END = 16;
/** Where Node reads: what is still on its way when the end is reported arrives within this time. */
const LAST_WORDS_MS = 20;

// One at a time is read from, and what is kept of it is copied.
const buffer = Buffer.allocUnsafe(BYTES_A_TURN);

/** `whose`: a command of another user must be able to open /dev/stderr. */
export function openCapture(
  system: { readonly libc: Libc; readonly watch: Watch } | null,
  whose: Credentials | null,
): Result<Capture, string> {
  return system === null ? ok(captureBySocket()) : captureByPipe(system.libc, system.watch, whose);
}

function captureByPipe(libc: Libc, watch: Watch, whose: Credentials | null): Result<Capture, string> {
  const made = libc.makePipe();
  if ('errno' in made) return fail(`cannot create a pipe: ${explainErrno(made.errno)}`);
  const { write } = made;
  let own: number | null = null;
  try {
    if (whose !== null) fchownSync(write, whose.uid, whose.gid);
    own = openSync(`/proc/self/fd/${made.read}`, constants.O_RDONLY | constants.O_NONBLOCK);
    const words = new PipeWords(own, watch);
    if (!watch.add(own, () => words.read())) throw new Error('it cannot be watched');
    return ok({
      output: { stdout: write, stderr: write, close: () => closeSync(write) },
      report: words,
      lastLine: () => words.tail.lastLine(),
    });
  } catch (error) {
    if (own !== null) closeSync(own);
    closeSync(write);
    return fail(`cannot read what it says: ${explain(error)}`);
  } finally {
    closeSync(made.read);
  }
}

class PipeWords implements Report {
  readonly socketPath = null;
  readonly dropped = 0;
  readonly stdio = null;
  readonly tail = new LastWords();
  private own: number | null;
  private readonly watch: Watch;

  constructor(own: number, watch: Watch) {
    this.own = own;
    this.watch = watch;
  }

  spawned(): void {}

  finish(done: () => void): void {
    for (let turn = 0; turn < TURNS_AT_THE_END && this.read(); turn++);
    done();
  }

  close(): void {
    if (this.own === null) return;
    this.watch.remove(this.own);
    closeSync(this.own);
    this.own = null;
  }

  /** True when there may be more. */
  read(): boolean {
    if (this.own === null) return false;
    let length = 0;
    try {
      length = readSync(this.own, buffer, 0, BYTES_A_TURN, null);
    } catch {
      return false; // EAGAIN: nothing there
    }
    if (length > 0) this.tail.push(buffer.subarray(0, length));
    else this.close(); // nobody can write any more
    return length > 0;
  }
}

function captureBySocket(): Capture {
  const words = new SocketWords();
  return {
    output: { stdout: 'pipe', stderr: 'pipe', close() {} },
    report: words,
    lastLine: () => words.tail.lastLine(),
  };
}

class SocketWords implements Report {
  readonly socketPath = null;
  readonly dropped = 0;
  readonly stdio = null;
  readonly tail = new LastWords();
  private sockets: Socket[] = [];

  spawned(child: Parameters<Report['spawned']>[0]): void {
    this.sockets = [child?.stdout, child?.stderr].filter((stream) => stream instanceof Socket);
    for (const socket of this.sockets) {
      socket.unref();
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk: Buffer) => this.tail.push(chunk));
    }
  }

  finish(done: () => void): void {
    let open = this.sockets.filter((socket) => !socket.closed).length;
    const end = () => {
      clearTimeout(timer);
      open = 0;
      done();
    };
    const timer = setTimeout(end, open === 0 ? 0 : LAST_WORDS_MS);
    for (const socket of this.sockets)
      socket.once('close', () => {
        if (open > 0 && --open === 0) end();
      });
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
