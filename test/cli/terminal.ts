/** The command line run in this process, with a terminal made of strings. */
import { run } from '../../src/cli/command-line.ts';
import type { Io, TerminalListener } from '../../src/cli/io.ts';

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
  /** What the system says of the terminal, to everybody who listens. */
  tell(what: keyof TerminalListener): void;
  /** Each write to stdout by itself. */
  readonly writes: readonly string[];
  /** From now on it has this size. */
  resize(columns: number, rows: number): void;
  /** Ctrl-C. Throws when nobody listens, as the process would have ended. */
  interrupt(): void;
}

export function terminal(given: Given = {}): Terminal {
  const written = { out: '', err: '' };
  const listeners = new Set<() => void>();
  const drawing = new Set<TerminalListener>();
  const writes: string[] = [];
  let size = given.terminal;
  const tell = (what: keyof TerminalListener) => {
    for (const each of [...drawing]) each[what]();
  };
  const to = (stream: 'out' | 'err') => ({
    write(piece: string | Uint8Array) {
      const text = typeof piece === 'string' ? piece : Buffer.from(piece).toString();
      written[stream] += text;
      if (stream === 'out') writes.push(text);
    },
    drained: async () => {},
    isBehind: false,
    isTTY: given.terminal !== undefined,
    get columns() {
      return size?.columns;
    },
    get rows() {
      return size?.rows;
    },
  });
  const io: Io = {
    stdout: to('out'),
    stderr: to('err'),
    env: { HOME: '/nonexistent', ...given.env },
    cwd: given.cwd ?? '/',
    daemonProgram: given.daemonProgram ?? '/nonexistent/daemon.js',
    onTerminal(listener) {
      drawing.add(listener);
      return () => void drawing.delete(listener);
    },
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
    tell,
    writes,
    resize(columns, rows) {
      size = { columns, rows };
      tell('resized');
    },
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
