/** Runs one command of a job to its end. */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { checkMs } from './timer.ts';

export interface ChildOptions {
  /** The `cancel` of the job that it is for: then it counts as that job, otherwise as one of its own. */
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  /** Whole; the default is the runner's own environment. The channels to the supervisor are left out of both. */
  readonly env?: NodeJS.ProcessEnv;
  /** From SIGTERM to SIGKILL when it is to end before its time, in milliseconds. Default: 5000. */
  readonly killAfterMs?: number;
}

/** A child, and what becomes of it. */
export interface Begun {
  readonly child: ChildProcess;
  /** It has ended; where it was ended before its time, its whole group has. */
  readonly over: Promise<void>;
  /** What ended it before its time. */
  cutBy(): AbortSignal | null;
}

export interface ExecOptions extends ChildOptions {
  /** Keep its output instead of passing it on to the runner's own. Default: false. */
  readonly capture?: boolean;
  /** Of each stream that is kept: the last so many bytes. Default: 1048576. */
  readonly maxBytes?: number;
  /** Ends it, as a group, after this many milliseconds. Default: no limit. */
  readonly timeoutMs?: number;
}

/** What it said, as UTF-8: nothing unless it was to be captured. */
export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
}

/** It ended otherwise than with exit code 0, or could not be started. */
export class ExecError extends Error {
  override readonly name = 'ExecError';
  readonly command: readonly string[];
  /** Null where a signal ended it, or nothing was begun. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(what: string, ended: Ended, command: readonly string[], options?: ErrorOptions) {
    super(`${command[0]} ${what}`, options);
    this.command = command;
    this.code = ended.code;
    this.signal = ended.signal;
    this.stdout = ended.stdout;
    this.stderr = ended.stderr;
  }
}

interface Ended extends ExecResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const MAX_BYTES = 1024 * 1024;
/** What a child of its own holds open may never end; what it said itself arrives within this time. */
const LAST_WORDS_MS = 200;

/**
 * @throws {ExecError} when it did not end with exit code 0; its `cause` is the reason of the signal that cut it, or
 * what Node says about one that could not be started.
 */
export async function finish(
  { child, over, cutBy }: Begun,
  command: readonly string[],
  { capture = false, maxBytes = MAX_BYTES }: ExecOptions,
): Promise<ExecResult> {
  const stdout = new Tail(capture ? child.stdout : null, maxBytes);
  const stderr = new Tail(capture ? child.stderr : null, maxBytes);
  const said = (): ExecResult => ({ stdout: stdout.text(), stderr: stderr.text() });
  const end = await ending(child, capture).catch((cause: unknown) => {
    throw cannotStart(command, cause);
  });
  const ended: Ended = { ...end, ...said() };
  await over;
  const by = cutBy();
  if (by !== null) {
    const cause: unknown = by.reason;
    const why = cause instanceof Error ? cause.message : 'it was cancelled';
    throw new ExecError(`was ended: ${why}`, ended, command, { cause });
  }
  if (ended.code === 0) return said();
  throw new ExecError(
    ended.signal === null ? `exited with code ${ended.code}` : `was ended by ${ended.signal}`,
    ended,
    command,
  );
}

export function cannotStart(command: readonly string[], cause: unknown): ExecError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const ended: Ended = { code: null, signal: null, stdout: '', stderr: '' };
  return new ExecError(`cannot be started: ${why}`, ended, command, { cause });
}

/** @throws {RangeError} for a number that cannot be meant. */
export function checkExec({ timeoutMs = 0, maxBytes = 0 }: ExecOptions): void {
  checkMs('timeoutMs', timeoutMs);
  if (!(maxBytes >= 0))
    throw new RangeError(`cannot use maxBytes ${maxBytes}: it is a number of bytes from 0`);
}

function ending(child: ChildProcess, capture: boolean): Promise<Pick<Ended, 'code' | 'signal'>> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      if (child.pid === undefined) reject(error);
    });
    child.once('exit', (code, signal) => {
      const done = (): void => {
        clearTimeout(timer);
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve({ code, signal });
      };
      const timer = setTimeout(done, LAST_WORDS_MS);
      if (capture) child.once('close', done);
      else done();
    });
  });
}

/** The last bytes of a stream. */
class Tail {
  readonly #most: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(stream: Readable | null, most: number) {
    this.#most = most;
    stream?.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** Begins with a whole character. */
  text(): string {
    const isCut = this.#bytes > this.#most;
    this.#trim();
    const [tail = Buffer.alloc(0)] = this.#chunks;
    return (isCut ? tail.subarray(tail.findIndex((byte) => (byte & 0xc0) !== 0x80)) : tail).toString();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > 2 * this.#most + ROOM_BYTES) this.#trim();
  }

  #trim(): void {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [Buffer.from(all.subarray(Math.max(0, all.length - this.#most)))]; // a copy: the rest can go
  }
}

/** Trimmed only after so much: each time copies all that is kept. */
const ROOM_BYTES = 65_536;
