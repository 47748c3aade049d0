/** The command line run in this process, with a terminal made of strings. */
import { run } from '../../src/cli/command-line.ts';
import type { Io } from '../../src/cli/io.ts';

export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A terminal of this size; else a pipe. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
  readonly daemonProgram?: string;
}

export interface Terminal {
  readonly io: Io;
  /** What was written so far. */
  out(): string;
  err(): string;
  /** Ctrl-C. Throws when nobody listens, as the process would have ended. */
  interrupt(): void;
}

export function terminal(given: Given = {}): Terminal {
  const written = { out: '', err: '' };
  const listeners = new Set<() => void>();
  const to = (stream: 'out' | 'err') => ({
    write(text: string) {
      written[stream] += text;
    },
    isTTY: given.terminal !== undefined,
    columns: given.terminal?.columns,
    rows: given.terminal?.rows,
  });
  const io: Io = {
    stdout: to('out'),
    stderr: to('err'),
    env: { HOME: '/nonexistent', ...given.env },
    cwd: given.cwd ?? '/',
    daemonProgram: given.daemonProgram ?? '/nonexistent/daemon.js',
    outliveReaders() {},
    onInterrupt(callback) {
      listeners.add(callback);
      return () => void listeners.delete(callback);
    },
  };
  return {
    io,
    out: () => written.out,
    err: () => written.err,
    interrupt() {
      if (listeners.size === 0) throw new Error('nobody listens for Ctrl-C');
      for (const each of [...listeners]) each();
    },
  };
}

/** Runs a command to its end. */
export async function command(argv: readonly string[], given: Given = {}) {
  const there = terminal(given);
  const exit = await run(argv, there.io);
  return { exit, out: there.out(), err: there.err() };
}
