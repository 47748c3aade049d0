/** Takes a place in the folder where the control socket is. */
import { once } from 'node:events';
import { chmodSync, lstatSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

/**
 * Bound under a private name, given its mode, then moved into place: nobody finds it half made. Rejects when it
 * cannot be, or when somebody else answers there; the server is closed then. `inherited`: a descriptor that listens
 * there already, where callers wait.
 */
export async function listen(
  server: Server,
  socket: string,
  mode: number,
  inherited: number | null = null,
): Promise<void> {
  if (inherited !== null) {
    server.listen({ fd: inherited });
    await once(server, 'listening');
    return;
  }
  const hidden = join(dirname(socket), `.${process.pid}.sock`);
  if (Math.max(Buffer.byteLength(hidden), Buffer.byteLength(socket)) > MAX_SOCKET_PATH_BYTES) {
    throw new Error(`the path of the socket is too long: ${socket}; choose a shorter one`);
  }
  if (statSync(socket, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new Error(`there is a folder where the socket is to be: ${socket}; remove it`);
  if (await answers(socket)) throw new Error(`another daemon answers at ${socket}`);
  rmSync(hidden, { force: true });
  try {
    server.listen(hidden);
    await once(server, 'listening');
    chmodSync(hidden, mode);
    renameSync(hidden, socket);
  } catch (error) {
    server.close();
    rmSync(hidden, { force: true });
    throw error;
  }
  await removeHalfMade(dirname(socket));
}

/** What daemons of ours that were killed before they had moved theirs into place have left: nobody listens there. */
async function removeHalfMade(folder: string): Promise<void> {
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    if (HALF_MADE.test(name) && isOurSocket(path) && (await knock(path)) === 'ECONNREFUSED')
      quietlyRemove(path);
  }
}

const HALF_MADE = /^\.\d+\.sock$/;

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it need not be ours to read
  }
}

function isOurSocket(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isSocket() === true && stat.uid === process.geteuid?.();
}

function quietlyRemove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It stays, and does no harm.
  }
}

/** What fits into the address of a socket, on Linux and on macOS; more is cut off without a word. */
const MAX_SOCKET_PATH_BYTES = 103;

/** The lock keeps others out of our run_dir, but a socket may have been given from elsewhere. */
const answers = async (socket: string): Promise<boolean> => (await knock(socket)) === null;

/** Null: somebody listens there; else why not. */
function knock(socket: string): Promise<string | null> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(null);
    });
    connection.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
}
