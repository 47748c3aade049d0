/** Takes a place in the folder where the control socket is. */
import { once } from 'node:events';
import { chmodSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
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

/** What daemons that were killed before they had moved theirs into place have left: nobody answers there. */
async function removeHalfMade(folder: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (HALF_MADE.test(name) && !(await answers(path))) rmSync(path, { force: true });
  }
}

const HALF_MADE = /^\.\d+\.sock$/;

/** What fits into the address of a socket, on Linux and on macOS; more is cut off without a word. */
const MAX_SOCKET_PATH_BYTES = 103;

/** The lock keeps others out of our run_dir, but a socket may have been given from elsewhere. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}
