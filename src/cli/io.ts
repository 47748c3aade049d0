/** What a command reads and writes, so that a test can stand in for the terminal. */
import { statSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { type Out, ownOuts } from './out.ts';

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
  const { stdout, stderr } = ownOuts(() => outlives);
  return {
    stdout,
    stderr,
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
