/** What a command reads and writes, so that a test can stand in for the terminal. */
import { statSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';

/** Where text goes. */
export interface Out {
  write(text: string | Uint8Array): void;
  /** Resolves when whoever reads has room for more: what nobody takes is kept in memory. */
  drained(): Promise<void>;
  readonly isTTY: boolean;
  /** Of the terminal; undefined where there is none, or one that does not know its size. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
}

export interface Io {
  readonly stdout: Out;
  readonly stderr: Out;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The built daemon, that `start` runs in the background. */
  readonly daemonProgram: string;
  /** Calls back at each Ctrl-C until the returned function is called; before that and after, Ctrl-C ends the command. */
  onInterrupt(callback: () => void): () => void;
  /** Tells what becomes of the terminal until the returned function is called. */
  onTerminal(listener: TerminalListener): () => void;
  /** From now on a reader that has gone does not end this process: a daemon lives in it. */
  outliveReaders(): void;
}

/** Whoever draws in place: the terminal is to be whole whenever somebody else writes to it. */
export interface TerminalListener {
  /** The process ends by a signal or on its own, or is stopped by Ctrl-Z: at once, for nothing else comes after this. */
  leave(): void;
  /** It goes on after Ctrl-Z. */
  back(): void;
  /** It has another size. */
  resized(): void;
}

/** The process's own. */
export function processIo(daemonProgram: string): Io {
  let outlives = false;
  const onError = (error: Error): void => {
    if (!outlives) leaveQuietly(error);
  };
  return {
    stdout: outOf(
      () => process.stdout,
      onError,
      () => false,
    ),
    // What a daemon says is in its log as well: it does not keep without limit what nobody takes, as a journal that hangs.
    stderr: outOf(
      () => process.stderr,
      onError,
      ({ writableLength }) => outlives && writableLength > MOST_UNREAD_BYTES,
    ),
    env: process.env,
    cwd: workingFolder(process.env.PWD),
    daemonProgram,
    onInterrupt(callback) {
      process.on('SIGINT', callback);
      return () => void process.off('SIGINT', callback);
    },
    onTerminal: watchTerminal,
    outliveReaders() {
      outlives = true;
    },
  };
}

/** Those that end a process, but for the one of Ctrl-C, which is `onInterrupt`'s. */
const ENDING = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

function watchTerminal({ leave, back, resized }: TerminalListener): () => void {
  const end = (signal: NodeJS.Signals): void => {
    leave();
    quiet();
    process.kill(process.pid, signal);
  };
  const stop = (): void => {
    leave();
    process.kill(process.pid, 'SIGSTOP');
  };
  const quiet = (): void => {
    for (const signal of ENDING) process.off(signal, end);
    process.off('SIGTSTP', stop).off('SIGCONT', back).off('SIGWINCH', resized).off('exit', leave);
  };
  for (const signal of ENDING) process.on(signal, end);
  process.on('SIGTSTP', stop).on('SIGCONT', back).on('SIGWINCH', resized).on('exit', leave);
  return quiet;
}

/**
 * The folder by the path by which its user came: the config in `current`, a link to `release-7`, is that of `current`,
 * by `-c` as by `cd`. The shell says it in PWD, and whoever started us otherwise may have left an old one there.
 */
export function workingFolder(shown: string | undefined): string {
  const real = process.cwd();
  if (shown === undefined || !isAbsolute(shown) || shown !== normalize(shown)) return real;
  const [one, other] = [shown, real].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev ? shown : real;
}

/** Whoever reads has gone (`| head`): nothing more needs to be said, to nobody. */
function leaveQuietly(error: Error): void {
  if ('code' in error && error.code === 'EPIPE') process.exit(0);
  throw error;
}

const MOST_UNREAD_BYTES = 256 * 1024;

/** The streams are opened by Node when they are first touched, so that costs nothing to a command that is silent. */
function outOf(
  stream: () => NodeJS.WriteStream,
  onError: (error: Error) => void,
  isFull: (stream: NodeJS.WriteStream) => boolean,
): Out {
  let guarded = false;
  return {
    write(text) {
      if (isFull(stream())) return;
      if (!guarded) stream().on('error', onError);
      guarded = true;
      stream().write(text);
    },
    async drained() {
      const to = stream();
      if (!to.writableNeedDrain || to.destroyed) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          to.off('drain', done).off('close', done);
          resolve();
        };
        to.once('drain', done).once('close', done);
      });
    },
    get isTTY() {
      return stream().isTTY === true;
    },
    get columns() {
      return sizeOf(stream().columns);
    },
    get rows() {
      return sizeOf(stream().rows);
    },
  };
}

/** A pseudo-terminal that nobody has given a size (of `script`, of `docker exec -t`) says 0; what is no terminal, nothing. */
const sizeOf = (cells: number | undefined): number | undefined => (cells === 0 ? undefined : cells);
