/** Who is at the other end of a unix socket. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadLibc } from '../../src/os/libc.ts';
import { createPeers } from '../../src/os/peers.ts';

let folder: string;
let server: ReturnType<typeof createServer>;
let open: Socket[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'peers-'));
  open = [];
  server = createServer((socket) => void open.push(socket));
  server.listen(join(folder, 'socket'));
  await once(server, 'listening');
});
afterEach(async () => {
  for (const socket of open) socket.destroy();
  server.close();
  await once(server, 'close');
  rmSync(folder, { recursive: true, force: true });
});

async function connected(): Promise<Socket> {
  const accepted = once(server, 'connection');
  open.push(connect(join(folder, 'socket')));
  const [socket] = await accepted;
  return socket as Socket; // what the event brings
}

describe('the peer of a connection', () => {
  it.runIf(loadLibc() !== null)('is known by name', async () => {
    expect(createPeers()(await connected())).toBe(userInfo().username);
  });

  it.runIf(loadLibc() !== null)('is known by number where there is no name', async () => {
    const libc = loadLibc();
    const nameless = libc && { ...libc, users: { ...libc.users, byUid: () => null } };
    expect(createPeers(nameless)(await connected())).toBe(String(process.getuid?.()));
  });

  it('is nobody where the system does not tell', async () => {
    expect(createPeers(null)(await connected())).toBeNull();
  });

  it('is nobody once the connection is gone, or where it never was one', async () => {
    const socket = await connected();
    socket.destroy();
    await once(socket, 'close');
    for (const what of [
      socket,
      {},
      { _handle: null },
      { _handle: { fd: -1 } },
      { _handle: { fd: 1e9 } },
      null,
    ])
      expect(createPeers()(what)).toBeNull();
  });
});
