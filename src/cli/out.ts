/** What a command writes, to its own stdout and stderr. */
import { fstatSync } from 'node:fs';

/** Where text goes. */
export interface Out {
  write(text: string | Uint8Array): void;
  /** Resolves when whoever reads has room for more: what nobody takes is kept in memory. */
  drained(): Promise<void>;
  /** Whoever reads is behind: he has no room for more. */
  readonly isBehind: boolean;
  readonly isTTY: boolean;
  /** Of the terminal; undefined where there is none, or one that does not know its size. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
}

/** What a daemon says is in its log as well: it does not keep without limit what nobody takes, as a journal that hangs. */
const MOST_UNREAD_BYTES = 256 * 1024;

/** `outlives`: a daemon lives in this process, and readers that have gone do not end it. */
export function ownOuts(outlives: () => boolean): { readonly stdout: Out; readonly stderr: Out } {
  const onError = (error: Error): void => {
    if (!outlives()) leaveQuietly(error);
  };
  const stdout = (): NodeJS.WriteStream => process.stdout;
  const stderr = (): NodeJS.WriteStream => (isOneSocket() ? process.stdout : process.stderr);
  return {
    stdout: outOf(stdout, onError, () => Number.POSITIVE_INFINITY),
    stderr: outOf(stderr, onError, () => (outlives() ? MOST_UNREAD_BYTES : Number.POSITIVE_INFINITY)),
  };
}

/**
 * Both lead into one socket, as to the journal: what that has no room for is written later, a stream after the other,
 * so two streams would come within each other's lines.
 */
function isOneSocket(): boolean {
  try {
    const [out, err] = [fstatSync(1), fstatSync(2)];
    return out.isSocket() && err.isSocket() && out.ino === err.ino;
  } catch {
    return false; // one of them is closed
  }
}

/** Whoever reads has gone (`| head`): nothing more needs to be said, to nobody. */
function leaveQuietly(error: Error): void {
  if ('code' in error && error.code === 'EPIPE') process.exit(0);
  throw error;
}

/** The streams are opened by Node when they are first touched, so that costs nothing to a command that is silent. */
function outOf(
  stream: () => NodeJS.WriteStream,
  onError: (error: Error) => void,
  mostUnread: () => number,
): Out {
  let guarded = false;
  let unread = 0;
  return {
    write(text) {
      if (unread > mostUnread()) return;
      const to = stream();
      if (!guarded) to.on('error', onError);
      guarded = true;
      const { length } = text;
      unread += length;
      to.write(text, () => {
        unread -= length;
      });
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
    get isBehind() {
      const to = stream();
      return to.writableNeedDrain && !to.destroyed;
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
