/** The exec by which this program becomes another, with its pid, its children and what they are to inherit. */
import { closeSync, openSync } from 'node:fs';
import { bequeath, HANDOVER, keepBack, writeWill } from './heirlooms.ts';
import type { Libc } from './libc.ts';
import { goOnAt, hurry } from './pace.ts';
import { descriptorOf } from './peers.ts';
import { explain, explainErrno } from './system-error.ts';

export interface Leaving {
  /** A file without a name is made there. */
  readonly folder: string;
  /** The path at which `listener` listens. */
  readonly socket: string;
  readonly listener: number;
  readonly words: Readonly<Record<string, unknown>>;
  /** Of the next program, beside ours. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the next program says on its stderr goes there; null: where ours goes. */
  readonly errors: string | null;
}

const STDERR = 2;

/**
 * Returns only when it cannot be: why. All is as it was then. Signals are not held back meanwhile: Node lets them all
 * in as soon as it starts, and does not heed any before its program does.
 */
export function become(libc: Libc, command: readonly string[], leaving: Leaving): string {
  const { socket, listener } = leaving;
  const undo: (() => void)[] = [];
  try {
    bequeath(socket, listener);
    undo.push(() => keepBack(socket));
    const errno = exec(libc, command, leaving, undo);
    return `cannot run ${command[0]}: ${explainErrno(errno)}`;
  } catch (error) {
    return explain(error);
  } finally {
    for (const step of undo.reverse()) step();
  }
}

function exec(libc: Libc, command: readonly string[], leaving: Leaving, undo: (() => void)[]): number {
  const pace = hurry();
  if (pace !== null) undo.push(() => goOnAt(pace));
  const { file, descriptors } = writeWill(leaving.folder, process.pid, { ...leaving.words, pace });
  undo.push(() => closeSync(file));
  redirect(libc, leaving.errors, undo);
  // Node keeps the standard streams from its children too.
  for (const descriptor of [0, 1, STDERR, file, ...descriptors]) {
    if (!libc.outliveExec(descriptor, true)) continue;
    undo.push(() => libc.outliveExec(descriptor, false));
  }
  const environment = Object.entries({ ...process.env, ...leaving.environment, [HANDOVER]: String(file) });
  return libc.becomeProgram(
    command[0] ?? '',
    command,
    environment.map(([name, value]) => `${name}=${value}`),
  );
}

/** What a program says that fails before it can open a log would be heard by nobody. */
function redirect(libc: Libc, path: string | null, undo: (() => void)[]): void {
  const before = path === null ? null : libc.duplicate(STDERR);
  if (path === null || before === null) return;
  const log = openSync(path, 'a', 0o640);
  libc.duplicateAs(log, STDERR);
  closeSync(log);
  undo.push(() => {
    libc.duplicateAs(before, STDERR);
    closeSync(before);
  });
}

/** What is the same at each attempt. */
interface Position {
  server(): unknown;
  readonly socket: string;
  readonly folder: string;
  readonly environment: Leaving['environment'];
  readonly errors: string | null;
}

export function createSuccession(libc: Libc | null, position: Position) {
  return {
    isPossible: libc !== null,
    /** A second descriptor of the listening socket; null: cannot be had. */
    keepListening(): number | null {
      const descriptor = descriptorOf(position.server());
      return descriptor === null ? null : (libc?.duplicate(descriptor) ?? null);
    },
    become(command: readonly string[], listener: number, words: Leaving['words']): string {
      if (libc === null) return NO_LIBC;
      return become(libc, command, { ...position, listener, words });
    },
  };
}

const NO_LIBC = 'koffi cannot be loaded here';
