import { connect } from 'node:net';
import { join } from 'node:path';
import { newFolder, type Server, startServer, whereIs } from './server.ts';

export const REDIS = whereIs('redis-server');

/** It keeps nothing, and listens on a Unix socket alone. */
export async function startRedis(file: string): Promise<Server> {
  const dir = newFolder('redis');
  const socket = join(dir, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', socket, '--dir', dir, '--save', '', '--appendonly', 'no'];
  return startServer(dir, { file, args }, async () =>
    (await answers(socket)) ? `unix://${socket}` : undefined,
  );
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.end();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
